"""Sites and who has a role on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse

from accounts.admin.memberships import fixed_once_made
from accounts.policy import SITE_ROLES
from config.admin_acting import ActingAdmin
from config.admin_operations import OperationsAdmin, PlainForm
from config.admin_site import Figure, OperationsSite
from config.admin_words import rows_url, words
from sites.actions.sites import do_change_site, do_create_site, do_delete_site
from sites.admin.who import who_can_see
from sites.models import Site, SiteAccess


class SiteAccessForm(PlainForm):
    """Of members only: a role elsewhere would count for nothing, and surprise on the day they join."""

    role = forms.ChoiceField(choices=[(role.value, words(role)) for role in SITE_ROLES])

    class Meta:
        model = SiteAccess
        fields = ("site", "user", "role")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        user, site = cleaned.get("user"), cleaned.get("site") or getattr(self.instance, "site", None)
        if user is not None and site is not None and not user.memberships.filter(organization=site.organization_id):
            self.add_error("user", f"{user} is no member of {site.organization}. Add a membership first, or invite.")
        return cleaned


class AccessOfSiteInline(admin.TabularInline):
    model = SiteAccess
    form = fixed_once_made(SiteAccessForm, "user")
    fields = ("user", "role")
    extra = 0
    autocomplete_fields = ("user",)
    verbose_name_plural = "roles on this site (org admins have every site, and need none)"


@admin.register(Site)
class SiteAdmin(ActingAdmin):
    create = staticmethod(do_create_site)
    change = staticmethod(do_change_site)
    remove = staticmethod(do_delete_site)
    removal = (
        "It goes with everything on it: assets, edges, devices, points, roles and all its history, for ever. "
        "Revoke the keys of its edges first."
    )
    fixed = ("organization",)  # its people and its history do not move with it
    list_display = ("name", "wire_name", "organization", "timezone", "operators_may_control", "edge_count", "created")
    list_filter = (("organization", admin.RelatedOnlyFieldListFilter), "operators_may_control", "timezone")
    list_select_related = ("organization",)
    search_fields = ("name", "slug", "address", "organization__name")
    autocomplete_fields = ("organization",)
    fieldsets = (
        (None, {"fields": (("organization", "name"), ("slug", "timezone"))}),
        ("Place", {"fields": ("address", ("latitude", "longitude"))}),
        ("Control", {"fields": ("operators_may_control",)}),
    )
    inlines = (AccessOfSiteInline,)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(who_can_see)
        return [path("<int:site_id>/who/", view, name="sites_site_who"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Site]:
        rows: QuerySet[Site] = super().get_queryset(request)
        return rows.annotate(edge_number=Count("edges", distinct=True))

    def get_prepopulated_fields(self, request: HttpRequest, obj: Site | None = None) -> dict[str, Sequence[str]]:
        return {} if obj is not None else {"slug": ("name",)}

    def links(self, row: Site) -> list[tuple[str, str]]:
        return [
            ("Who can see it", reverse("admin:sites_site_who", args=[row.pk])),
            ("Edges", rows_url("sites_edge", site__id__exact=row.pk)),
            ("Points", rows_url("sites_point", site__id__exact=row.pk)),
            ("Audit log", rows_url("audit_auditevent", site_id=row.pk)),
        ]

    @admin.display(description="edges", ordering="edge_number")
    def edge_count(self, site: Site) -> int:
        return int(getattr(site, "edge_number", 0))


@admin.register(SiteAccess)
class SiteAccessAdmin(OperationsAdmin):
    form = SiteAccessForm
    list_display = ("user", "role", "site", "organization")
    list_filter = (
        "role",
        ("organization", admin.RelatedOnlyFieldListFilter),
        ("site", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("user", "site", "organization")
    search_fields = ("user__email", "user__name", "site__name")
    autocomplete_fields = ("user", "site")

    def get_readonly_fields(self, request: HttpRequest, obj: SiteAccess | None = None) -> tuple[str, ...]:
        return ("user", "site") if obj is not None else ()


def figures() -> Iterator[Figure]:
    yield Figure("Sites", Site.objects.count(), rows_url("sites_site"), rank=20)


OperationsSite.figure_makers.append(figures)
