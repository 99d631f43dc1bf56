"""What stands on a site: edges with their API keys, devices, assets, points."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from config.admin_acting import ActingAdmin
from config.admin_operations import Operation, OperationsAdmin, PlainForm, ReadOnly
from config.admin_site import Figure, OperationsSite
from config.admin_words import age, link, rows_url, state
from sites.actions import assets, devices, edges
from sites.actions.edge_keys import do_create_key, do_revoke_key
from sites.actions.point_edits import do_change_point
from sites.models import Asset, Device, Edge, EdgeKey, Point
from sites.passwords import PASSWORD, without_password

BY_SITE = ("site", admin.RelatedOnlyFieldListFilter)
BY_ORGANIZATION = ("organization", admin.RelatedOnlyFieldListFilter)


class LookInline(admin.TabularInline):
    """Rows to look at, with a link to each one's page."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class DeviceInline(LookInline):
    model = Device
    fields = readonly_fields = ("page", "key", "driver", "profile", "asset", "reached")

    @admin.display(description="name")
    def page(self, device: Device) -> str:
        return link(device.name, reverse("admin:sites_device_change", args=[device.pk]))

    @admin.display(description="connection")
    def reached(self, device: Device) -> str:
        return json.dumps(without_password(device.connection))


class KeyInline(LookInline):
    """What is known of its keys. They are made and revoked by operations."""

    model = EdgeKey
    fields = readonly_fields = ("page", "created", "last_used", "revoked")
    verbose_name_plural = "API keys"

    @admin.display(description="prefix")
    def page(self, key: EdgeKey) -> str:
        return link(key.prefix, reverse("admin:sites_edgekey_change", args=[key.pk]))


def _create_key(_: HttpRequest, edge: Edge, __: Mapping[str, Any]) -> str:
    return do_create_key(edge)[1]


def _show_keys(request: HttpRequest, created: Sequence[tuple[Edge, str]]) -> HttpResponse:
    """The keys go straight into this one page: nothing that keeps messages ever holds them."""
    context = {
        **admin.site.each_context(request),
        "title": "New API key" if len(created) == 1 else "New API keys",
        "opts": Edge._meta,
        "created": created,
    }
    return TemplateResponse(request, "admin/edge_keys_created.html", context)


@admin.register(Edge)
class EdgeAdmin(ActingAdmin):
    create = staticmethod(edges.do_create_edge)
    change = staticmethod(edges.do_change_edge)
    remove = staticmethod(edges.do_delete_edge)
    removal = "Its devices and keys go with it; its points and their history stay. Revoke its keys first."
    fixed = ("site",)
    list_display = ("name", "wire_name", "site", "organization", "live_keys", "delivery", "last_session")
    list_filter = (BY_ORGANIZATION, BY_SITE, ("last_session", admin.EmptyFieldListFilter))
    list_select_related = ("site", "organization")
    search_fields = ("name", "site__name", "organization__name", "software", "keys__prefix")
    search_help_text = "Name, site, organization, software or a key's prefix"
    autocomplete_fields = ("site",)
    readonly_fields = ("wire_name", "software", "last_session", "delivery", "configuration")
    exclude = ("derived", "reporting", "rules")
    fieldsets = (
        (None, {"fields": (("site", "name"), ("wire_name", "poll_interval"))}),
        ("Known", {"fields": (("software", "last_session", "delivery"), "configuration")}),
    )
    inlines = (KeyInline, DeviceInline)
    operations = (
        Operation(
            name="create-key",
            label="New API key",
            question="A key is made and shown once. An edge may have two live keys, so that one can take over from the "
            "other; revoke the old one when the edge uses the new one.",
            run=_create_key,
            page=_show_keys,
        ),
    )
    deliveries: ClassVar[Callable[[Iterable[int]], Mapping[int, datetime]] | None] = None
    """Edge id -> when history last took something from it. Set by the app that keeps history."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Edge]:
        rows: QuerySet[Edge] = super().get_queryset(request)
        return rows.annotate(live=Count("keys", filter=Q(keys__revoked=None), distinct=True))

    def links(self, row: Edge) -> list[tuple[str, str]]:
        new = f"{reverse('admin:sites_device_add')}?{urlencode({'edge': row.pk})}"
        return [("Points", rows_url("sites_point", site__id__exact=row.site_id)), ("Add device", new)]

    @admin.display(description="live keys", ordering="live")
    def live_keys(self, edge: Edge) -> str:
        number = int(getattr(edge, "live", 0))
        return str(number) if number else state("none", "warn")

    @admin.display(description="configuration")
    def configuration(self, edge: Edge) -> str:
        if edge.config_at is None:
            return "–"
        word = state("refused", "bad") if edge.config_problem else state("taken", "good")
        return format_html("{} {} {}", word, age(edge.config_at), edge.config_problem)

    @admin.display(description="last delivery")
    def delivery(self, edge: Edge) -> str:
        if EdgeAdmin.deliveries is None or not edge.pk:
            return "–"
        last = EdgeAdmin.deliveries([edge.pk]).get(edge.pk)
        return state("never", "warn") if last is None else age(last)


def _revoke(_: HttpRequest, key: EdgeKey, __: Mapping[str, Any]) -> str:
    do_revoke_key(key)
    return f"Revoked: {key}"


@admin.register(EdgeKey)
class EdgeKeyAdmin(ReadOnly, OperationsAdmin):
    """An operation of the edge makes one and shows it once. A row is never deleted: the prefix stays known."""

    list_display = ("prefix", "edge", "site", "organization", "condition", "created", "last_used", "revoked")
    list_filter = (BY_ORGANIZATION, BY_SITE, ("revoked", admin.EmptyFieldListFilter))
    list_select_related = ("edge", "site", "organization")
    search_fields = ("prefix", "edge__name", "site__name")
    fields = ("edge", "site", "organization", "prefix", ("created", "last_used", "revoked"))
    operations = (
        Operation(
            name="revoke",
            label="Revoke",
            question="An edge that uses it is cut off within a second, and keeps its samples until it has another key. "
            "This cannot be undone.",
            run=_revoke,
            offered=lambda key: key.revoked is None,
            dangerous=True,
        ),
    )

    @admin.display(description="state", ordering="revoked")
    def condition(self, key: EdgeKey) -> str:
        return state("live", "good") if key.revoked is None else state("revoked")


class DeviceForm(PlainForm):
    """A password in the connection is written and never shown; leaving it out keeps it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        known = self.instance.connection
        self.initial["connection"] = without_password(known)
        if known.get(PASSWORD):
            self.fields["connection"].help_text = "It has a password, not shown here; it stays while you leave it out."


@admin.register(Device)
class DeviceAdmin(ActingAdmin):
    form = DeviceForm
    create = staticmethod(devices.do_create_device)
    change = staticmethod(devices.do_change_device)
    remove = staticmethod(devices.do_delete_device)
    removal = "Its edge stops reading it. Its points and their history stay."
    fixed = ("key",)
    list_display = ("name", "key", "edge", "site", "driver", "profile")
    list_filter = ("driver", "profile", BY_ORGANIZATION, BY_SITE)
    list_select_related = ("edge__site", "site")
    search_fields = ("name", "key", "site__name", "edge__name", "profile")
    autocomplete_fields = ("edge", "asset")


@admin.register(Asset)
class AssetAdmin(ActingAdmin):
    create = staticmethod(assets.do_create_asset)
    change = staticmethod(assets.do_change_asset)
    remove = staticmethod(assets.do_delete_asset)
    removal = "What was on it is on no asset then. Assets below it have to be moved or deleted first."
    fixed = ("site",)
    list_display = ("name", "kind", "site", "parent")
    list_filter = ("kind", BY_ORGANIZATION, BY_SITE)
    list_select_related = ("site", "parent")
    search_fields = ("name", "site__name")
    autocomplete_fields = ("site", "parent")


@admin.register(Point)
class PointAdmin(ActingAdmin):
    """Edges report points; a person names them, places them and sets their limits."""

    change = staticmethod(do_change_point)
    readonly_fields = ("site", "key", "device", "unit", "kind", "writable", "states", "adopted")
    fieldsets = (
        (None, {"fields": (("site", "key"), ("name", "asset"), ("minimum", "maximum", "default"))}),
        ("As its edge reports it", {"fields": (("device", "unit", "kind"), ("writable", "states", "adopted"))}),
    )
    list_display = ("key", "name", "unit", "kind", "site", "device", "writable", "adopted")
    list_filter = ("kind", "unit", "adopted", "writable", BY_ORGANIZATION, BY_SITE)
    list_select_related = ("site", "device")
    search_fields = ("key", "name", "site__name")
    autocomplete_fields = ("asset",)


def figures() -> Iterator[Figure]:
    edges = Edge.objects.all()
    never = edges.filter(last_session=None).count()
    unseen = rows_url("sites_edge", last_session__isempty=1)
    yield Figure("Edges never seen", never, unseen, f"of {edges.count()}", warn=never > 0, rank=40)


OperationsSite.figure_makers.append(figures)
