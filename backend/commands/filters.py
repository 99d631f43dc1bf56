"""How lists of commands and of control events are narrowed and ordered."""

from __future__ import annotations

import django_filters

from commands.models import ACTIONS, STATES
from config.filters import AmongVisible, Filters, Ordering
from sites.models import Point, Site


class CommandFilters(Filters):
    site = AmongVisible(Site)
    point = AmongVisible(Point)
    state = django_filters.ChoiceFilter(choices=STATES)
    ordering = Ordering("requested")


class ControlEventFilters(Filters):
    rule = django_filters.CharFilter(label="Key of a rule.")
    action = django_filters.ChoiceFilter(choices=ACTIONS)
    ordering = Ordering("at")
