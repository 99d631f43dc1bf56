"""The installation as a whole: its settings, what waits to be announced, and figures for the first page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.contrib import admin
from django.db.models import Min
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessChange, LoginSession, Organization, SystemSettings, User
from config.admin_operations import OperationsAdmin, ReadOnly
from config.admin_site import Figure, OperationsSite
from config.admin_words import rows_url

LATE = timedelta(seconds=10)
"""The worker announces within a second; what waits longer waits for a worker or for Redis."""


@admin.register(SystemSettings)
class SystemSettingsAdmin(OperationsAdmin):
    """One row, so no list: its page opens at once."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SystemSettings | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:accounts_systemsettings_change", args=[1]))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> SystemSettings | None:
        """The defaults, where nobody has saved any yet."""
        return SystemSettings.load() if object_id == "1" else None


@admin.register(AccessChange)
class AccessChangeAdmin(ReadOnly, OperationsAdmin):
    """Normally empty: the worker announces a change within a second and removes it from here."""

    list_display = ("at", "user_id", "reason")
    ordering = ("id",)


def figures() -> Iterator[Figure]:
    organizations = Organization.objects.all()
    suspended = organizations.exclude(suspended=None).count()
    sandboxes = organizations.filter(is_sandbox=True).count()
    also = [f"{count} {word}" for count, word in ((suspended, "suspended"), (sandboxes, "for tests")) if count]
    yield Figure("Organizations", organizations.count(), rows_url("accounts_organization"), ", ".join(also), rank=10)

    people = User.objects.filter(is_service=False, erased=None)
    disabled = people.filter(is_active=False).count()
    yield Figure(
        "People", people.count(), rows_url("accounts_user"), f"{disabled} disabled" if disabled else "", rank=50
    )

    live = LoginSession.objects.filter(revoked=None, expires__gt=timezone.now())
    today = live.filter(rotated__gt=timezone.now() - timedelta(hours=24)).count()
    yield Figure(
        "Live sessions", live.count(), rows_url("accounts_loginsession", state="live"), f"{today} used today", rank=60
    )

    waiting = AccessChange.objects.count()
    oldest = AccessChange.objects.aggregate(oldest=Min("at"))["oldest"]
    late = oldest is not None and timezone.now() - oldest > LATE
    note = "is the worker running?" if late else ""
    yield Figure("Changes to announce", waiting, rows_url("accounts_accesschange"), note, warn=late, rank=90)


OperationsSite.figure_makers.append(figures)
