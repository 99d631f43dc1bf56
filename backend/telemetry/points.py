"""Points live twice: in the sites' database with names and limits, in history with ids for samples. This keeps the
two in step, by key: a key that arrived in a batch appears as an unadopted point of the site, and what an edge or a
person says about a point (unit, kind) reaches history for its SQL readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from sites.models import Point, Site
from telemetry import store


def reconcile(connection: Connection[Any], site_ids: Sequence[int]) -> None:
    """For these sites. Raises django.db.Error or psycopg.Error; then it is done at the next call."""
    for site in Site.objects.filter(pk__in=site_ids).only("id", "organization_id"):
        _reconcile_site(connection, site)


def _reconcile_site(connection: Connection[Any], site: Site) -> None:
    with store.cursor(connection) as cursor:
        cursor.execute("SELECT key, unit, kind FROM point WHERE site = %s", (site.pk,))
        stored = {key: (unit, kind) for key, unit, kind in cursor.fetchall()}
        described = {
            point.key: ((point.unit, point.kind) if point.adopted else (None, None))
            for point in Point.objects.filter(site_id=site.pk).only("key", "unit", "kind", "adopted")
        }
        Point.objects.bulk_create(
            [
                Point(site_id=site.pk, organization_id=site.organization_id, key=key)
                for key in sorted(stored.keys() - described.keys())
            ],
            ignore_conflicts=True,
            batch_size=1_000,
        )
        changed = [(key, *described[key]) for key in stored if key in described and described[key] != stored[key]]
        if changed:
            cursor.execute(
                "UPDATE point p SET unit = t.unit, kind = t.kind "
                "FROM unnest(%s::text[], %s::text[], %s::text[]) AS t(key, unit, kind) "
                "WHERE p.site = %s AND p.key = t.key",
                (*(list(column) for column in zip(*changed, strict=True)), site.pk),
            )
