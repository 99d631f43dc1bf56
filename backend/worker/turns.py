"""One job in one thread: take its lock, then a turn, wait, a turn, ...

The lock is a PostgreSQL advisory lock on the very connection that the job works with, so of several workers only one
does a job, and a lock cannot outlive whoever holds it.
"""

from __future__ import annotations

import threading
from typing import Any

import structlog
from django.db import connection as django_connection
from django.db import connections
from psycopg import Connection, sql

from worker.job import Job
from worker.status import Status

STANDBY_SECONDS = 1.0
STOP_CHECK_SECONDS = 0.5
"""How long a waiting job may take to notice that the worker stops."""


class LockLostError(RuntimeError):
    """The connection that held the job's lock is gone."""


def take_turns(job: Job, status: Status, stopping: threading.Event) -> None:
    """Until `stopping`. Raises what the job or the database raises; the job is then free for another worker."""
    structlog.contextvars.bind_contextvars(job=job.name)
    try:
        connection = _own_connection()
        if not _lock(connection, job, status, stopping):
            return
        if job.listen is not None:  # before the first turn, so that nothing is missed between the two
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(job.listen)))
        while not stopping.is_set():
            status.begin(job.name)
            job.run()
            status.end(job.name)
            if django_connection.connection is not connection or connection.closed:
                raise LockLostError("the job's connection was replaced during a turn")
            _wait(connection, job.every, stopping)
    finally:
        connections.close_all()
        structlog.contextvars.clear_contextvars()


def _own_connection() -> Connection[Any]:
    """This thread's connection of Django, fresh, as psycopg's own."""
    django_connection.close()
    django_connection.ensure_connection()
    opened = django_connection.connection
    assert isinstance(opened, Connection)  # noqa: S101 -- just ensured
    return opened


def _lock(connection: Connection[Any], job: Job, status: Status, stopping: threading.Event) -> bool:
    """Stand by until the job is ours. False if the worker stops before that."""
    while not stopping.is_set():
        query = "SELECT pg_try_advisory_lock(hashtextextended('ems.worker.' || %s::text, 0))"
        row = connection.execute(query, (job.name,)).fetchone()
        if row is not None and row[0]:
            return True
        status.standby(job.name)
        stopping.wait(STANDBY_SECONDS)
    return False


def _wait(connection: Connection[Any], seconds: float, stopping: threading.Event) -> None:
    """Until the next turn is due or a notification has come, also one that came during the last turn."""
    left = seconds
    while left > 0 and not stopping.is_set():
        slice_ = min(left, STOP_CHECK_SECONDS)
        if list(connection.notifies(timeout=slice_, stop_after=1)):
            return
        left -= slice_
