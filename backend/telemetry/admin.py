"""What history knows of edges, on the admin's pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from config.admin_site import Figure, OperationsSite
from config.admin_words import rows_url
from sites.admin.field import EdgeAdmin
from sites.models import Edge
from telemetry import database

RECENT = timedelta(minutes=2)
"""An edge sends at least one batch in this time, however slowly it polls its devices."""


def deliveries(edges: Iterable[int]) -> Mapping[int, datetime]:
    """Edge id -> when history last committed something of it. Reads one index entry per edge."""
    query = (
        "SELECT wanted.id, last.updated FROM unnest(%s::bigint[]) AS wanted(id), "
        "LATERAL (SELECT updated FROM receipt WHERE receipt.edge = wanted.id ORDER BY updated DESC LIMIT 1) AS last"
    )
    with database.connection().cursor() as cursor:
        return dict(cursor.execute(query, [list(edges)]).fetchall())


def figures() -> Iterator[Figure]:
    known = list(Edge.objects.values_list("pk", flat=True))
    since = datetime.now(UTC) - RECENT
    online = sum(moment > since for moment in deliveries(known).values())
    yield Figure("Edges online", online, rows_url("sites_edge"), f"of {len(known)}, in the last 2 min", rank=30)


EdgeAdmin.deliveries = staticmethod(deliveries)
OperationsSite.figure_makers.append(figures)
