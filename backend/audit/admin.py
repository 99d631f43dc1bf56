"""The audit log in the Django admin: to read, not to write. Whoever tries is told so by the database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Min, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from audit.models import AuditEvent, Person, Unsealed
from config.admin_operations import OperationsAdmin, ReadOnly
from config.admin_site import Event, Figure, OperationsSite
from config.admin_words import link, rows_url, shown, state, words

KINDS: dict[str, tuple[str, ...]] = {
    "signing in": ("login", "logout", "session", "two_factor", "password"),
    "people": ("user", "membership", "invitation"),
    "access": ("siteaccess", "site_access", "accesstoken", "access_token", "edge_key", "edgekey"),
    "sites": ("site", "asset", "edge", "device", "point"),
    "organizations": ("organization",),
}
"""What somebody looks for -> the nouns of its actions."""
LATE = timedelta(minutes=1)
"""Events are sealed within seconds; what waits longer waits for a worker."""
MOST_PERSONS = 200


class KindFilter(admin.SimpleListFilter):
    title = "about"
    parameter_name = "about"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, words(kind)) for kind in KINDS]

    def queryset(self, request: HttpRequest, rows: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        nouns = KINDS.get(self.value() or "")
        if nouns is None:
            return rows
        wanted = Q()
        for noun in nouns:
            wanted |= Q(action=noun) | Q(action__startswith=f"{noun}.")
        return rows.filter(wanted)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly, OperationsAdmin):
    list_display = ("moment", "action", "result", "who", "about", "organization", "site", "address")
    list_display_links = ("moment", "action")
    list_filter = ("outcome", KindFilter)
    search_fields = ("target", "actor", "request_id")
    search_help_text = "An address or a name, what it was about, or a request id"
    date_hierarchy = "at"
    show_full_result_count = False
    """It would count millions of rows for a number that nobody needs."""
    fieldsets = (
        (None, {"fields": (("moment", "action", "result"), ("who", "about"), ("organization", "site"))}),
        ("What changed", {"fields": ("changes", "more")}),
        ("From where", {"fields": (("address", "request_id"),)}),
    )

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in ("organization_id", "site_id") or super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, rows: QuerySet[AuditEvent], term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        """Persons are not written in the events, so they are found by what they are called first."""
        found, duplicates = super().get_search_results(request, rows, term)
        if term:
            keys = list(Person.objects.filter(text__icontains=term).values_list("pk", flat=True)[:MOST_PERSONS])
            found |= rows.filter(Q(actor_key__in=keys) | Q(target_key__in=keys))
        return found, duplicates

    @admin.display(description="at (UTC)", ordering="at")
    def moment(self, event: AuditEvent) -> str:
        return format_html('<span class="nowrap">{}</span>', f"{event.at:%Y-%m-%d %H:%M:%S}")

    @admin.display(description="outcome", ordering="outcome")
    def result(self, event: AuditEvent) -> str:
        return state(event.outcome, "bad" if event.outcome == AuditEvent.Outcome.DENIED else "")

    @admin.display(description="actor", ordering="actor_id")
    def who(self, event: AuditEvent) -> str:
        return event.actor_name

    @admin.display(description="target", ordering="target")
    def about(self, event: AuditEvent) -> str:
        return event.target_name

    @admin.display(description="organization", ordering="organization_id")
    def organization(self, event: AuditEvent) -> str:
        return _page("accounts_organization", event.organization_id)

    @admin.display(description="site", ordering="site_id")
    def site(self, event: AuditEvent) -> str:
        return _page("sites_site", event.site_id)

    @admin.display(description="change")
    def changes(self, event: AuditEvent) -> str:
        """Every column that changed, before and after. What is in them was written by anyone: it is escaped."""
        before, after = event.told("before") or {}, event.told("after") or {}
        names = [*before, *(name for name in after if name not in before)]
        if not names:
            return "–"
        values = ((name, _text(before, name), _text(after, name)) for name in names)
        rows = format_html_join("", '<tr><th>{}</th><td class="was">{}</td><td class="is">{}</td></tr>', values)
        head = format_html("<tr><th></th><th>{}</th><th>{}</th></tr>", "Before", "After")
        return format_html('<table class="change"><thead>{}</thead><tbody>{}</tbody></table>', head, rows)

    @admin.display(description="details")
    def more(self, event: AuditEvent) -> str:
        return shown(event.told("details"))


def _page(model: str, pk: int | None) -> str:
    """A link to the row, which may be gone: the log outlives it."""
    return link(pk, reverse(f"admin:{model}_change", args=[pk])) if pk is not None else "–"


def _text(values: dict[str, Any], name: str) -> str:
    if name not in values:
        return "–"
    value = values[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def latest(number: int) -> Iterable[Event]:
    for event in AuditEvent.objects.all()[:number]:
        yield Event(event.at, event.action, event.actor_name, event.target_name)


def figures() -> Iterator[Figure]:
    waiting = Unsealed.objects.count()
    oldest = Unsealed.objects.aggregate(oldest=Min("event"))["oldest"]
    event = AuditEvent.objects.filter(pk=oldest).first() if oldest is not None else None
    late = event is not None and timezone.now() - event.at > LATE
    note = "is the worker running?" if late else "audit events"
    yield Figure("Not yet sealed", waiting, rows_url("audit_auditevent"), note, warn=late, rank=80)


OperationsSite.latest_events = staticmethod(latest)
OperationsSite.figure_makers.append(figures)
