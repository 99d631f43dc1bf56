"""A site's history, removed for good: from the history database and from Redis. Knows no Django."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis
from psycopg import Connection

from ems_contract import keys
from telemetry import store

POINTS_AT_ONCE = 100
_OF_POINTS = ("segment", "rollup_1m", "rollup_15m", "rollup_1h")
_OF_SITE = ("batch", "poison", "gap", "point")
_LEASE = "hashtextextended('ems.lease.' || %s::bigint, 0)"


def remove(connection: Connection[Any], client: redis.Redis, site: int, edges: Sequence[int]) -> bool:
    """False, and nothing happened, while a historian still owns the site: it gives up a site without edges in seconds.

    In small transactions; interrupted anywhere, another call does the rest. Raises psycopg.Error, redis.RedisError.
    """
    row = connection.execute(f"SELECT pg_try_advisory_lock({_LEASE})", (site,)).fetchone()
    if row is None or not row[0]:
        return False
    try:
        _remove_waiting(client, site, edges)
        _remove_history(connection, site, edges)
    finally:
        connection.execute(f"SELECT pg_advisory_unlock({_LEASE})", (site,))
    return True


def _remove_waiting(client: redis.Redis, site: int, edges: Sequence[int]) -> None:
    names = [keys.telemetry_latest(site), keys.edge_status(site)]
    for edge in edges:
        names += [keys.telemetry_stream(site, edge, lane) for lane in keys.LANES]
        names += [keys.telemetry_acked(site, edge), keys.commands_stream(site, edge)]
        names += [keys.edge_events_stream(site, edge)]
    for name in names:  # one by one: in a cluster they need not live together
        client.delete(name)


def _remove_history(connection: Connection[Any], site: int, edges: Sequence[int]) -> None:
    with connection.transaction(), store.cursor(connection) as cursor:
        store.lock(cursor, "compaction", site)  # a compaction in progress would write segments after us
        cursor.execute("DELETE FROM batch WHERE site = %s", (site,))
        points = sorted(store.point_ids(cursor, site).values())
    for first in range(0, len(points), POINTS_AT_ONCE):
        block = points[first : first + POINTS_AT_ONCE]
        with connection.transaction():
            for table in _OF_POINTS:
                connection.execute(f"DELETE FROM {table} WHERE point = ANY (%s::integer[])", (block,))  # noqa: S608
    with connection.transaction():
        for table in _OF_SITE:
            connection.execute(f"DELETE FROM {table} WHERE site = %s", (site,))  # noqa: S608
        connection.execute("DELETE FROM receipt WHERE edge = ANY (%s::bigint[])", (list(edges),))


def count_samples(connection: Connection[Any], sites: Sequence[int]) -> int:
    """How many samples of these sites are stored."""
    with store.cursor(connection) as cursor:
        cursor.execute(
            "SELECT (SELECT coalesce(sum(n), 0) FROM segment s JOIN point p ON p.id = s.point"
            "  WHERE p.site = ANY (%s::bigint[]))::bigint"
            " + (SELECT coalesce(sum(samples), 0) FROM batch WHERE site = ANY (%s::bigint[]))::bigint",
            (list(sites), list(sites)),
        )
        row = cursor.fetchone()
    return int(row[0]) if row is not None else 0
