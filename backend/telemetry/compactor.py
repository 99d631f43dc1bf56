"""The compactor's thread: bites of compaction in the historian's idle time, and its housekeeping. No Django.

It has its own connection, so a live batch never waits for a transaction of its; what it costs is processor time, and
it yields between bites while batches wait.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import structlog
from psycopg import Connection

from telemetry import compaction, store
from telemetry.historian import Historian, now_ms
from telemetry.status import Status

LOOK_SECONDS = 5.0
YIELD_SECONDS = 1.0
"""A bite waits at most so long for a pause in the ingest: under constant load the hot store must still shrink."""
HOUSEKEEPING_SECONDS = 60.0

log = structlog.get_logger()


class Compactor(threading.Thread):
    """`housekeeping` is called once a minute, and soon after `nudge`; it may raise what `housekeeping_errors` names."""

    def __init__(
        self,
        historian: Historian,
        database: dict[str, Any],
        status: Status,
        housekeeping: Callable[[Connection[Any], list[int]], None],
        housekeeping_errors: tuple[type[Exception], ...] = (),
    ) -> None:
        super().__init__(name="compactor", daemon=True)
        self._historian = historian
        self._database = database
        self._status = status
        self._housekeeping = housekeeping
        self._errors = housekeeping_errors
        self._connection: Connection[Any] | None = None
        self._nudged = threading.Event()

    def nudge(self) -> None:
        self._nudged.set()

    def run(self) -> None:
        try:
            self._work()
        finally:
            if not self._historian.stopping.is_set():  # ingest goes on, but the hot store grows from now on
                self._status.fail("compaction", "ended by a fault; the log has it. Restart the historian")
            if self._connection is not None:
                self._connection.close()

    def _work(self) -> None:
        stopping = self._historian.stopping
        next_house = 0.0
        while not stopping.wait(0.2):
            if self._nudged.is_set() or time.monotonic() >= next_house:
                self._nudged.clear()
                self._keep_house()
                next_house = time.monotonic() + HOUSEKEEPING_SECONDS
            more = self._round()
            if not more:
                self._nudged.wait(LOOK_SECONDS if not stopping.is_set() else 0)

    def stop(self, patience: float) -> None:
        """After `historian.stopping` is set: the bite in progress ends, or its transaction is undone with the
        process."""
        self._nudged.set()
        self.join(patience)

    def _round(self) -> bool:
        """One bite of every site that has closed hours. True if any site may have more."""
        try:
            due = compaction.sites_due(self._open(), self._historian.sites, now_ms())
        except psycopg.Error as error:
            self._failed(error)
            return False
        moved = False
        for site in due:
            self._historian.idle.wait(YIELD_SECONDS)
            if self._historian.stopping.is_set():
                return False
            moved |= self._bite(site)
        if not due:
            self._status.recover("compaction")
        return moved

    def _bite(self, site: int) -> bool:
        started = time.monotonic()
        try:
            done = compaction.compact(self._open(), site, now_ms())
        except psycopg.Error as error:
            self._failed(error)
            return False
        except (ValueError, ArithmeticError, LookupError) as error:
            # Batches that this version cannot handle stay hot, where queries still find them; other sites go on.
            log.exception("a site cannot be compacted", site=site)
            self._status.fail("compaction", f"site {site}: {type(error).__name__}; the log has the details")
            return False
        self._status.recover("compaction")
        self._status.count(compacted_batches=done.batches, compacted_samples=done.samples, undecodable=done.undecodable)
        log.debug("compacted", site=site, **{name: getattr(done, name) for name in ("batches", "samples", "segments")})
        self._status.count(compaction_ms=round((time.monotonic() - started) * 1000))
        return done.batches > 0

    def _keep_house(self) -> None:
        try:
            self._housekeeping(self._open(), self._historian.sites)
        except psycopg.Error as error:
            self._failed(error)
        except self._errors as error:
            log.warning("points are not in step with the sites' database", error=type(error).__name__)

    def _open(self) -> Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = store.connect(self._database)
        return self._connection

    def _failed(self, error: psycopg.Error) -> None:
        self._status.fail("compaction", f"{type(error).__name__}: the database refused; trying again")
        if self._connection is not None:
            self._connection.close()
        self._connection = None
