"""What people and integrators hold: logins and access tokens. Never a secret; both can be ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import tokens
from accounts.actions.access_tokens import do_revoke
from accounts.models import AccessToken, LoginSession
from config.admin_operations import Operation, OperationsAdmin, ReadOnly
from config.admin_words import state


class LiveFilter(admin.SimpleListFilter):
    """Of what expires and can be ended before."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "Live"), ("revoked", "Ended"), ("expired", "Expired")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        match self.value():
            case "live":
                return rows.filter(revoked=None, expires__gt=now)
            case "revoked":
                return rows.exclude(revoked=None)
            case "expired":
                return rows.filter(revoked=None, expires__lte=now)
            case _:
                return rows


def _is_live(row: LoginSession | AccessToken) -> bool:
    return row.revoked is None and row.expires > timezone.now()


def _state(row: LoginSession | AccessToken, ended: str) -> str:
    if row.revoked is not None:
        return state(ended)
    return state("live", "good") if _is_live(row) else state("expired")


def _end(_: HttpRequest, session: LoginSession, __: Mapping[str, Any]) -> str:
    tokens.revoke(session)
    return f"Ended: {session}"


@admin.register(LoginSession)
class LoginSessionAdmin(ReadOnly, OperationsAdmin):
    list_display = ("user", "live", "created", "rotated", "address", "expires")
    list_filter = (LiveFilter,)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name", "address")
    fields = ("user", "created", "rotated", "expires", "revoked", "address", "user_agent")
    date_hierarchy = "created"
    operations = (
        Operation(
            name="end",
            label="End",
            question="Whoever uses it is logged out at once, and its open pages are closed.",
            run=_end,
            offered=_is_live,
            dangerous=True,
        ),
    )

    @admin.display(description="state", ordering="revoked")
    def live(self, row: LoginSession) -> str:
        return _state(row, "ended")


def _revoke(_: HttpRequest, token: AccessToken, __: Mapping[str, Any]) -> str:
    do_revoke(token)
    return f"Revoked: {token}"


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnly, OperationsAdmin):
    """Made through the API, by whoever will use them: a token is shown once, and not here."""

    list_display = ("name", "prefix", "user", "organization", "scope_names", "live", "last_used", "expires")
    list_filter = (LiveFilter, ("organization", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "organization")
    search_fields = ("name", "prefix", "user__email", "organization__name")
    fields = (
        "name",
        "prefix",
        "user",
        "organization",
        "scope_names",
        "site_ids",
        ("created", "expires"),
        ("last_used", "revoked"),
    )
    operations = (
        Operation(
            name="revoke",
            label="Revoke",
            question="Whatever uses it is refused from now on. This cannot be undone; a new token has to be made.",
            run=_revoke,
            offered=_is_live,
            dangerous=True,
        ),
    )

    @admin.display(description="scopes")
    def scope_names(self, row: AccessToken) -> str:
        return ", ".join(row.scopes)

    @admin.display(description="sites")
    def site_ids(self, row: AccessToken) -> str:
        return "all of the user's" if row.sites is None else ", ".join(map(str, row.sites))

    @admin.display(description="state", ordering="revoked")
    def live(self, row: AccessToken) -> str:
        return _state(row, "revoked")
