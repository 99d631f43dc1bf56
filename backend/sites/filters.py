"""How lists of sites and of what is on them are narrowed and ordered."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import AccessToken, Organization
from config.filters import AmongVisible, Filters, Ordering
from sites.models import Asset, Device, Edge, Point, Site, SiteAccess
from sites.serializers.choices import KINDS, ROLES_ON_SITES


class SiteFilters(Filters):
    organization = AmongVisible(Organization)
    search = django_filters.CharFilter(method="find", label="Part of the name or the address.")
    ordering = Ordering("name", "created", organization="organization__name")

    def find(self, rows: QuerySet[Site], name: str, value: str) -> QuerySet[Site]:
        return rows.filter(Q(name__icontains=value) | Q(address__icontains=value))


class SiteAccessFilters(Filters):
    site = AmongVisible(Site)
    user = django_filters.NumberFilter(field_name="user_id", min_value=1, max_value=2**63 - 1, label="Id of a person.")
    role = django_filters.ChoiceFilter(choices=[(role, role) for role in ROLES_ON_SITES])
    search = django_filters.CharFilter(method="find", label="Part of the person's name or e-mail address.")
    service = django_filters.BooleanFilter(
        field_name="user__is_service", label="Service accounts of access tokens instead of people."
    )
    ordering = Ordering("role", name="user__name", email="user__email", site="site__name")

    def filter_queryset(self, queryset: QuerySet[SiteAccess]) -> QuerySet[SiteAccess]:
        found: QuerySet[SiteAccess] = super().filter_queryset(queryset)
        return found if self.form.cleaned_data["service"] is not None else found.filter(user__is_service=False)

    def find(self, rows: QuerySet[SiteAccess], name: str, value: str) -> QuerySet[SiteAccess]:
        return rows.filter(Q(user__name__icontains=value) | Q(user__email__icontains=value))


class AssetFilters(Filters):
    site = AmongVisible(Site)
    parent = AmongVisible(Asset)
    kind = django_filters.ChoiceFilter(choices=Asset.Kind.choices)
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name.")
    ordering = Ordering("name", "kind", site="site__name")


class EdgeFilters(Filters):
    site = AmongVisible(Site)
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name.")
    ordering = Ordering("name", "last_session", site="site__name")


class DeviceFilters(Filters):
    site = AmongVisible(Site)
    edge = AmongVisible(Edge)
    asset = AmongVisible(Asset)
    driver = django_filters.CharFilter()
    profile = django_filters.CharFilter()
    search = django_filters.CharFilter(method="find", label="Part of the name or the key.")
    ordering = Ordering("name", "key", site="site__name")

    def find(self, rows: QuerySet[Device], name: str, value: str) -> QuerySet[Device]:
        return rows.filter(Q(name__icontains=value) | Q(key__icontains=value))


class PointFilters(Filters):
    site = AmongVisible(Site)
    device = AmongVisible(Device)
    asset = AmongVisible(Asset)
    kind = django_filters.ChoiceFilter(choices=[(kind, kind) for kind in KINDS])
    writable = django_filters.BooleanFilter()
    adopted = django_filters.BooleanFilter(label="Described by an edge or a person, not only seen in a batch.")
    search = django_filters.CharFilter(method="find", label="Part of the name or the key.")
    ordering = Ordering("name", "key", site="site__name")

    def find(self, rows: QuerySet[Point], name: str, value: str) -> QuerySet[Point]:
        return rows.filter(Q(name__icontains=value) | Q(key__icontains=value))


class AccessTokenFilters(Filters):
    organization = AmongVisible(Organization)
    active = django_filters.BooleanFilter(method="usable", label="Neither revoked nor expired; or one of the two.")
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name.")
    ordering = Ordering("name", "created", "expires", "last_used")

    def usable(self, rows: QuerySet[AccessToken], name: str, value: bool) -> QuerySet[AccessToken]:
        now = timezone.now()
        if value:
            return rows.filter(revoked=None, expires__gt=now)
        return rows.filter(Q(revoked__isnull=False) | Q(expires__lte=now))
