"""Commands and what rules did, on the admin's pages: to look at. Who wants to command does so where people see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from commands.models import Command, CommandStep, ControlEvent
from config.admin_operations import OperationsAdmin, ReadOnly
from config.admin_site import Figure, OperationsSite
from config.admin_words import Tone, rows_url, state
from ems_contract.commands import CommandState
from ems_contract.control import ControlAction
from sites.admin.field import BY_ORGANIZATION, BY_SITE

TONES: Mapping[str, Tone] = {
    CommandState.REQUESTED: "warn",
    CommandState.SENT: "accent",
    CommandState.WRITTEN: "accent",
    CommandState.VERIFIED: "good",
    CommandState.REJECTED: "bad",
    CommandState.FAILED: "bad",
    CommandState.EXPIRED: "warn",
}
_TONES_OF_RULES: Mapping[str, Tone] = {
    ControlAction.STARTED: "accent",
    ControlAction.ADJUSTED: "accent",
    ControlAction.STALE: "warn",
    ControlAction.OVERRULED: "warn",
    ControlAction.FAILED: "bad",
}


class StepInline(admin.TabularInline):
    model = CommandStep
    fields = readonly_fields = ("state", "at", "reason")
    extra = 0
    can_delete = False
    verbose_name_plural = "history"

    def has_add_permission(self, request: HttpRequest, obj: Command | None = None) -> bool:
        return False


@admin.register(Command)
class CommandAdmin(ReadOnly, OperationsAdmin):
    list_display = ("point_key", "value", "condition", "reason", "site", "organization", "requested_by", "requested")
    list_filter = ("state", BY_ORGANIZATION, BY_SITE)
    list_select_related = ("site", "organization", "requested_by")
    search_fields = ("point_key", "site__name", "requested_by__email")
    date_hierarchy = "requested"
    fields = (
        ("site", "edge", "point_key"),
        ("value", "lease", "lease_until"),
        ("condition", "reason", "detail"),
        ("read_back", "answered"),
        ("requested_by", "requested", "expires"),
        "uid",
    )
    inlines = (StepInline,)

    @admin.display(description="state", ordering="state")
    def condition(self, command: Command) -> str:
        return state(command.state, TONES.get(command.state, ""))


@admin.register(ControlEvent)
class ControlEventAdmin(ReadOnly, OperationsAdmin):
    list_display = ("rule", "what", "point_key", "value", "input", "site", "organization", "at")
    list_filter = ("action", BY_ORGANIZATION, BY_SITE)
    list_select_related = ("site", "organization")
    search_fields = ("rule", "point_key", "site__name")
    date_hierarchy = "at"
    fields = (("site", "edge"), ("rule", "point_key"), ("what", "value", "input"), "detail", ("at", "event"))

    @admin.display(description="action", ordering="action")
    def what(self, event: ControlEvent) -> str:
        return state(event.action, _TONES_OF_RULES.get(event.action, ""))


def figures() -> Iterator[Figure]:
    today = Command.objects.filter(requested__gt=timezone.now() - timedelta(days=1))
    bad = today.filter(state__in=[CommandState.FAILED.value, CommandState.EXPIRED.value]).count()
    note = f"{bad} failed or expired, in the last 24 h" if bad else "in the last 24 h"
    yield Figure("Commands", today.count(), rows_url("commands_command"), note, warn=bad > 0, rank=45)


OperationsSite.figure_makers.append(figures)
