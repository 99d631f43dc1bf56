"""Whether the worker works, on the admin's first page."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from config.admin_site import Figure, OperationsSite
from config.admin_words import rows_url
from worker.jobs import JOBS

_HELD = (
    "SELECT count(DISTINCT name) FROM unnest(%s::text[]) name JOIN pg_locks ON locktype = 'advisory' AND objsubid = 1 "
    "AND (classid::bigint << 32) | objid::bigint = hashtextextended('ems.worker.' || name, 0) AND granted"
)


def held() -> int:
    """How many jobs some worker holds the lock of at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [[job.name for job in JOBS]])
        return int(cursor.fetchall()[0][0])


def figures() -> Iterator[Figure]:
    running = held()
    note = f"of {len(JOBS)} at work" if running else "no worker is running"
    yield Figure("Worker jobs", running, rows_url("accounts_accesschange"), note, warn=running < len(JOBS), rank=95)


OperationsSite.figure_makers.append(figures)
