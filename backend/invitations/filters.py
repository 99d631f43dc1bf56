"""How the list of invitations is narrowed and ordered."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from accounts.models import Membership, Organization
from config.filters import AmongVisible, Filters, Ordering
from invitations.models import Invitation, InvitationQuerySet, State


class InvitationFilters(Filters):
    organization = AmongVisible(Organization)
    role = django_filters.ChoiceFilter(choices=Membership.Role.choices)
    state = django_filters.ChoiceFilter(choices=State.choices, method="in_state")
    search = django_filters.CharFilter(field_name="email", lookup_expr="icontains", label="Part of the address.")
    ordering = Ordering("created", "expires", "email")

    def in_state(self, rows: InvitationQuerySet, name: str, value: str) -> QuerySet[Invitation]:
        match State(value):
            case State.PENDING:
                return rows.pending()
            case State.EXPIRED:
                return rows.expired()
            case State.ACCEPTED:
                return rows.filter(accepted__isnull=False)
