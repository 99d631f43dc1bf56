"""Sites and what is on them in the Django admin, for platform admins."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from sites.actions.edge_keys import do_create_key, do_revoke_key
from sites.models import Asset, Device, Edge, EdgeKey, Point, Site, SiteAccess


class SiteAccessInline(admin.TabularInline):
    model = SiteAccess
    extra = 0


@admin.register(Site)
class SiteAdmin(admin.ModelAdmin):
    list_display = ("name", "wire_name", "organization", "timezone", "operators_may_control")
    list_filter = ("organization",)
    search_fields = ("name", "slug")
    prepopulated_fields: ClassVar = {"slug": ("name",)}
    inlines = (SiteAccessInline,)


@admin.register(SiteAccess)
class SiteAccessAdmin(admin.ModelAdmin):
    list_display = ("user", "site", "role")
    list_filter = ("role", "site__organization")
    search_fields = ("user__email", "site__name")


@admin.register(Asset)
class AssetAdmin(admin.ModelAdmin):
    list_display = ("name", "kind", "site", "parent")
    list_filter = ("kind", "site")
    search_fields = ("name",)


class DeviceInline(admin.TabularInline):
    model = Device
    extra = 0


@admin.register(Edge)
class EdgeAdmin(admin.ModelAdmin):
    list_display = ("name", "wire_name", "site", "poll_interval", "software", "last_session")
    list_filter = ("site",)
    inlines = (DeviceInline,)
    actions = ("create_key",)

    @admin.action(description="Create an API key (shown once)")
    def create_key(self, request: HttpRequest, edges: QuerySet[Edge]) -> TemplateResponse:
        """The keys go straight into this one page: nothing that keeps messages ever holds them."""
        created = [(edge, do_create_key(edge)[1]) for edge in edges.select_related("site")]
        context = {**self.admin_site.each_context(request), "title": "New API keys", "created": created}
        return TemplateResponse(request, "admin/edge_keys_created.html", context)


@admin.register(EdgeKey)
class EdgeKeyAdmin(admin.ModelAdmin):
    list_display = ("prefix", "edge", "created", "last_used", "revoked")
    readonly_fields = ("edge", "prefix", "created", "last_used", "revoked")
    fields = readonly_fields
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # an action of the edge creates one and shows it

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, keys: QuerySet[EdgeKey]) -> None:
        for key in keys:
            do_revoke_key(key)


@admin.register(Device)
class DeviceAdmin(admin.ModelAdmin):
    list_display = ("name", "key", "edge", "driver", "profile")
    list_filter = ("driver", "profile", "site")
    search_fields = ("name", "key")


@admin.register(Point)
class PointAdmin(admin.ModelAdmin):
    list_display = ("key", "name", "unit", "kind", "site", "adopted")
    list_filter = ("kind", "adopted", "site")
    search_fields = ("key", "name")
