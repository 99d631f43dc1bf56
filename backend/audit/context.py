"""Who acts, from where and for which request: told to PostgreSQL before a write, for the triggers that record it.

The setting `ems.context` is a JSON object {actor_id | actor, request_id, address}, made of what structlog's
contextvars hold. Unset means that nobody of the product acts: somebody is at the database itself.

Inside a transaction it is set for that transaction only, so a rollback cannot bring an old one back; a statement of
its own gets it for the session. A connection is asked before each write, and told only what it does not know yet.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

SETTING = "ems.context"
_READS = ("SELECT", "SAVEPOINT", "RELEASE", "FETCH", "SHOW", "SET TRANS")
"""SET TRANSACTION writes nothing, and must come before anything else in its transaction."""
_UNKNOWN = "?"
"""A savepoint was rolled back, which may have undone what was set after it."""


def _command() -> str | None:
    """`migrate` while `manage.py migrate` runs."""
    program = Path(sys.argv[0]).name if sys.argv else ""
    return sys.argv[1] if program in ("manage.py", "django-admin") and len(sys.argv) > 1 else None


COMMAND = _command()


def acting() -> dict[str, Any]:
    """The keys of an event that say who acts: a user, an edge, a command; nobody in a request without a caller."""
    known = structlog.contextvars.get_contextvars()
    event: dict[str, Any] = {name: known[name] for name in ("request_id", "address") if known.get(name)}
    if "user" in known:
        event["actor_id"] = known["user"]
    elif "edge" in known:
        event["actor"] = known["edge"]
    elif "request_id" not in known and COMMAND is not None:
        event["actor"] = f"command {COMMAND}"
    return event


class Teller:
    """An execute wrapper of one connection; see the module."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection
        self.reconnected()

    def reconnected(self) -> None:
        self._session = ""
        self._local: str | None = None

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        driver = self._connection.connection
        status = driver.info.transaction_status
        if status == TransactionStatus.IDLE:
            self._local = None  # whichever transaction it was set for has ended
        words = str(sql).lstrip()[:12].upper()
        if not words.startswith((*_READS, "ROLLBACK")) and status != TransactionStatus.INERROR:
            self._tell(driver, whole=driver.autocommit and status == TransactionStatus.IDLE)
        try:
            return execute(sql, params, many, context)
        finally:
            if words.startswith("ROLLBACK"):
                self._local = _UNKNOWN

    def _tell(self, driver: Any, whole: bool) -> None:
        wanted = json.dumps(event) if (event := acting()) else ""
        known = self._session if self._local is None else self._local
        if known == wanted:
            return
        with self._connection.wrap_database_errors, driver.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, %s)", (SETTING, wanted, not whole))
        if whole:
            self._session = wanted
        else:
            self._local = wanted


def listen(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """For `connection_created`: a new connection knows nothing yet."""
    if connection.vendor != "postgresql" or connection.alias != "default":
        return
    for wrapper in connection.execute_wrappers:
        if isinstance(wrapper, Teller):
            wrapper.reconnected()
            return
    connection.execute_wrappers.append(Teller(connection))
