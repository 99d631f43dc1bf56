"""What sites keep for an organization: themselves, what is on them, and who may see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.belongings import Belongings, Row
from accounts.models import Organization
from sites import edge_redis
from sites.models import Asset, Device, Edge, EdgeKey, Point, SiteAccess, TenantRow

BLOCK = 2_000
"""Rows that are read at once."""
_SITE = ("id", "name", "slug", "timezone", "latitude", "longitude", "address", "operators_may_control", "created")
_ASSET = ("id", "site", "parent", "kind", "name")
_EDGE = ("id", "site", "name", "poll_interval", "derived", "reporting", "rules", "software", "last_session")
_DEVICE = ("id", "site", "edge", "asset", "key", "name", "driver", "profile", "connection", "poll_interval")
_POINT = (
    *("id", "site", "device", "asset", "key", "name", "unit", "kind"),
    *("writable", "minimum", "maximum", "default", "states", "adopted"),
)
_SECRET = ("password", "secret", "token", "key", "credential", "user")


class SiteBelongings(Belongings):
    def counts(self, organization: Organization) -> Mapping[str, int]:
        return {
            "sites": organization.sites.count(),
            "assets": _of(Asset, organization).count(),
            "edges": _of(Edge, organization).count(),
            "devices": _of(Device, organization).count(),
            "points": _of(Point, organization).count(),
            "site_accesses": _of(SiteAccess, organization).count(),
        }

    def sections(self, organization: Organization) -> Iterator[tuple[str, Iterable[Row]]]:
        yield "sites", _rows(organization.sites.all(), *_SITE)
        yield "assets", _rows(_of(Asset, organization), *_ASSET)
        yield "edges", _rows(_of(Edge, organization), *_EDGE)
        yield "devices", map(_without_secrets, _rows(_of(Device, organization), *_DEVICE))
        yield "points", _rows(_of(Point, organization), *_POINT)
        yield (
            "site_accesses",
            _rows(_of(SiteAccess, organization), "site", "role", "user", email=F("user__email")),
        )

    def stop(self, organization: Organization) -> None:
        """Its edges lose their connections to Redis. Raises redis.RedisError."""
        for key in _of(EdgeKey, organization).filter(revoked=None):
            with transaction.atomic():
                key.revoked = timezone.now()
                key.save(update_fields=["revoked"])
                edge_redis.remove(key)

    def remove(self, organization: Organization) -> None:
        """Site by site, so that no transaction is larger than one. Their history follows: see `sites.removals`."""
        for site in organization.sites.order_by("pk"):
            site.delete()


def _of[M: TenantRow](model: type[M], organization: Organization) -> QuerySet[M]:
    objects: Any = model.objects
    rows: QuerySet[M] = objects.opened("the organization's door was opened").filter(organization=organization)
    return rows


def _rows(rows: QuerySet[Any], *columns: str, **named: Any) -> Iterator[Row]:
    return rows.order_by("pk").values(*columns, **named).iterator(BLOCK)


def _without_secrets(device: Row) -> Row:
    """A driver may need a password; that stays here."""
    connection = {
        name: value for name, value in device["connection"].items() if not any(word in name.lower() for word in _SECRET)
    }
    return {**device, "connection": connection}
