"""The Django admin as a place of work: pages grouped by what they are for, and a first page with figures.

Config knows no app: each app's `admin.py` registers its models and its figures, and the groups here are names only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.module_loading import import_string

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Organizations", ("Organization", "Site", "SiteAccess", "Membership", "Invitation")),
    ("People", ("User", "LoginSession", "AccessToken")),
    ("Field", ("Edge", "EdgeKey", "Device", "Asset", "Point", "Command", "ControlEvent")),
    ("System", ("AuditEvent", "SystemSettings", "AccessChange")),
)
"""Title -> models by name. What an app registers and no group names is listed under OTHERS, so nothing gets lost."""
OTHERS = "More"

LATEST = 8


@dataclass(frozen=True)
class Figure:
    """One number of the first page. `note` says what it means where the label alone does not; `url` lists the rows.

    Figures stand in the order of `rank`.
    """

    label: str
    value: int
    url: str
    note: str = ""
    warn: bool = False
    rank: int = 50


@dataclass(frozen=True)
class Event:
    """What the first page shows of the audit log."""

    at: datetime
    action: str
    actor: str
    target: str


class OperationsSite(admin.AdminSite):
    """Superusers only: everybody else gets the login page."""

    site_header = "SimTestLab EMS"
    site_title = "SimTestLab EMS admin"
    index_title = "Operations"
    empty_value_display = "–"
    enable_nav_sidebar = True

    figure_makers: ClassVar[list[Callable[[], Iterable[Figure]]]] = []
    latest_events: ClassVar[Callable[[int], Iterable[Event]] | None] = None

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return bool(user.is_active and getattr(user, "is_superuser", False))

    def figures(self) -> list[Figure]:
        return sorted((figure for make in self.figure_makers for figure in make()), key=lambda figure: figure.rank)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Our groups instead of Django's apps."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        pages = {page["object_name"]: page for app in super().get_app_list(request) for page in app["models"]}
        named = {name for _, names in GROUPS for name in names}
        groups = [*GROUPS, (OTHERS, tuple(sorted(pages.keys() - named)))]
        listed = [(title, [pages[name] for name in names if name in pages]) for title, names in groups]
        return [_group(title, models) for title, models in listed if models]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        latest = OperationsSite.latest_events
        context = {
            "figures": self.figures(),
            "events": latest(LATEST) if latest is not None else [],
            **(extra_context or {}),
        }
        return super().index(request, context)


def _group(title: str, models: list[Any]) -> dict[str, Any]:
    """The shape that Django's templates expect of an app."""
    return {"name": title, "app_label": title.lower(), "app_url": "", "has_module_perms": True, "models": models}


def operations_site() -> OperationsSite:
    """The one site, typed. `admin.site` is the same object behind a lazy wrapper."""
    site: OperationsSite = import_string("django.contrib.admin.sites.site")
    return site
