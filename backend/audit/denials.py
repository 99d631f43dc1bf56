"""Denied attempts, on a connection of their own: they stay when the request that was denied rolls back.

One connection per process, opened when first needed. What one caller is denied over and over is stored
`MOST_PER_MINUTE` times a minute and counted from then on (see `audit_deny` in the database).
"""

from __future__ import annotations

import json
import threading
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.db import connections
from django.db.utils import DatabaseError

MOST_PER_MINUTE = 60
_CONNECT_SECONDS = 3
_PATIENCE_SECONDS = 5.0
_STATEMENT = "SELECT audit_deny(%s::jsonb, %s, %s)"

log = structlog.get_logger()


class OwnConnection:
    """Shared by the threads of a process, in autocommit; a broken one is opened again once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: psycopg.Connection[Any] | None = None

    def execute(self, statement: str, params: tuple[Any, ...]) -> None:
        """Raises psycopg.Error; TimeoutError if others hold the connection for too long."""
        if not self._lock.acquire(timeout=_PATIENCE_SECONDS):
            raise TimeoutError("the connection for denials is busy")
        try:
            try:
                self._connection().execute(statement, params)
            except psycopg.OperationalError:
                self._close()
                self._connection().execute(statement, params)
        finally:
            self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._close()

    def _connection(self) -> psycopg.Connection[Any]:
        if self._open is None or self._open.closed:
            params = connections["default"].get_connection_params()
            known = {
                name: params[name] for name in params if name not in ("cursor_factory", "context", "prepare_threshold")
            }
            self._open = psycopg.connect(
                **{**known, "connect_timeout": _CONNECT_SECONDS, "application_name": "ems denials"}, autocommit=True
            )
            self._open.execute("SET statement_timeout = '3s'")
        return self._open

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


_own = OwnConnection()


def store(event: dict[str, Any], caller: str) -> None:
    """Never raises for the database's sake: what was denied stays denied, and the log line has the event."""
    params = (json.dumps(event), caller, MOST_PER_MINUTE)
    try:
        if settings.AUDIT_OWN_CONNECTION:
            _own.execute(_STATEMENT, params)
        else:
            with connections["default"].cursor() as cursor:
                cursor.execute(_STATEMENT, params)
    except (psycopg.Error, DatabaseError, TimeoutError) as error:
        log.error("a denied attempt is not in the audit log", denied=event, error=type(error).__name__)


def close() -> None:
    """Give the connection back; the next denial opens one again."""
    _own.close()
