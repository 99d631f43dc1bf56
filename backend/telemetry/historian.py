"""The historian's loop: streams -> ingest -> commit -> forget, for the sites that it owns. No Django.

A site is owned through an advisory lock on the very connection that writes, so a lease cannot outlive its writer.
Losing it is harmless anyway: two historians on one site only make duplicates, which the receipts refuse. Killed
anywhere, the next one reads the same entries again.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

import psycopg
import redis
import structlog
from psycopg import Connection

from ems_contract.keys import Lane
from telemetry import store
from telemetry.hot import Window
from telemetry.ingest import KnownPoints, Outcome, ingest
from telemetry.rollups import DAY
from telemetry.status import Status
from telemetry.streams import Streams

REFRESH_SECONDS = 2.0
LEFTOVER_SECONDS = 60.0
REPORT_SECONDS = 30.0
LONGEST_BACKOFF = 2.0
LOGGED_REFUSALS = 5

Edges = Sequence[tuple[int, int]]
"""(site, edge) pairs."""

log = structlog.get_logger()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Leases:
    """Which sites this connection owns."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self.held: set[int] = set()

    def keep(self, sites: Collection[int]) -> None:
        """Take what is free of `sites`, give up what is no longer among them. Also proves that the server answers."""
        gone = self.held - set(sites)
        if gone:
            self._connection.execute(
                "SELECT pg_advisory_unlock(hashtextextended('ems.lease.' || site, 0)) FROM unnest(%s::bigint[]) site",
                (sorted(gone),),
            )
        wanted = sorted(set(sites) - self.held)
        taken = self._connection.execute(
            "SELECT site FROM (SELECT site, pg_try_advisory_lock(hashtextextended('ems.lease.' || site, 0)) AS mine "
            "FROM unnest(%s::bigint[]) site) t WHERE mine",
            (wanted,),
        ).fetchall()
        self.held = (self.held - gone) | {site for (site,) in taken}


class Historian:
    """`edges` answers the (site, edge) pairs that there are; it may raise what `edges_errors` names."""

    def __init__(
        self,
        streams: Streams,
        database: dict[str, Any],
        edges: Callable[[], Edges],
        status: Status,
        retention_days: int,
        edges_errors: tuple[type[Exception], ...] = (),
    ) -> None:
        self._streams = streams
        self._database = database
        self._edges = edges
        self._edges_errors = edges_errors
        self._status = status
        self._retention = retention_days * DAY
        self._known = KnownPoints()
        self._leases: Leases | None = None
        self._connection: Connection[Any] | None = None
        self._known_edges: Edges = ()
        self._leftovers: set[tuple[int, int]] = set()
        self._next_refresh = self._next_leftovers = 0.0
        self._next_report = time.monotonic() + REPORT_SECONDS
        self._failures = 0
        self.stopping = threading.Event()
        self.idle = threading.Event()
        """Set while nothing waits to be ingested: the time for compaction."""
        self.on_new_points: Callable[[], None] = lambda: None

    @property
    def sites(self) -> list[int]:
        """The sites that this historian owns now."""
        return sorted(self._leases.held) if self._leases else []

    def run(self) -> None:
        """Until `stopping` is set. What fails is said in `status` and tried again."""
        while not self.stopping.is_set():
            self._status.turn()
            try:
                self._refresh()
                if not self._pass():
                    self.idle.set()
                    self._rest()
                self._status.recover("redis", "postgresql", "historian")
                self._failures = 0
            except psycopg.Error as error:  # down, restarting, no tables yet: nothing was committed
                self._drop_connection()
                self._back_off("postgresql", error)
            except redis.RedisError as error:
                self._back_off("redis", error)
            self._report()
        self._drop_connection()
        self._streams.close()

    def _pass(self) -> bool:
        """Live first, then one helping of backfill. True if there was anything."""
        busy = self._commit("stream")
        return self._commit("backfill") or busy

    def _commit(self, lane: Lane) -> bool:
        pending = self._streams.read(lane)
        if not pending:
            return False
        self.idle.clear()
        started = time.monotonic()
        window = Window.at(now_ms(), self._retention)
        outcome = ingest(self._writer(), [one.entry for one in pending], window, self._known)
        self._streams.forget(pending, outcome.receipts)
        self._account(outcome, started)
        return True

    def _rest(self) -> None:
        if self._streams_watched:
            self._streams.wait()
        else:
            self.stopping.wait(min(1.0, REFRESH_SECONDS))

    @property
    def _streams_watched(self) -> bool:
        return bool(self.sites and self._known_edges)

    # Sites and edges ---------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        now = time.monotonic()
        if now < self._next_refresh:
            return
        try:
            self._known_edges = self._edges()
            self._status.recover("sites")
        except self._edges_errors as error:
            self._status.fail("sites", f"the list of edges is not available ({type(error).__name__}); using the last")
        if now >= self._next_leftovers:
            self._leftovers = self._streams.leftovers()
            self._next_leftovers = now + LEFTOVER_SECONDS
        sites = {site for site, _ in self._known_edges}
        self._writer()
        if self._leases is not None:
            self._leases.keep(sites)
        owned = set(self.sites)
        watched = {pair for pair in (*self._known_edges, *self._leftovers) if pair[0] in owned}
        self._streams.watch(watched)
        self._streams.tell()
        self._status.note(sites=len(owned), standby=len(sites - owned), edges=len(watched))
        self._next_refresh = time.monotonic() + REFRESH_SECONDS

    def _writer(self) -> Connection[Any]:
        if self._connection is None:
            self._connection = store.connect(self._database)
            self._leases = Leases(self._connection)
        return self._connection

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._leases = None
        self._known.clear()
        self._streams.watch(())
        self._next_refresh = 0.0

    # Telling -----------------------------------------------------------------------------------------------------

    def _back_off(self, name: str, error: Exception) -> None:
        self._status.fail(name, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no answer'}")
        self._status.recover("historian")
        self.idle.set()
        self._failures += 1
        longest = min(LONGEST_BACKOFF, 0.1 * 2 ** min(self._failures, 10))
        self.stopping.wait(random.uniform(longest / 2, longest))  # noqa: S311  jitter is no secret

    def _account(self, outcome: Outcome, started: float) -> None:
        for refused in outcome.refused[:LOGGED_REFUSALS]:
            log.warning(
                "set aside",
                site=refused.entry.site,
                edge=refused.entry.edge,
                boot=refused.boot,
                seq=refused.seq,
                reason=refused.reason[:300],
            )
        self._status.count(
            passes=1,
            batches=outcome.batches,
            samples=outcome.samples,
            duplicates=outcome.duplicates,
            poison=len(outcome.refused),
            gaps=outcome.gaps,
            new_points=len(outcome.new_points),
            busy_ms=round((time.monotonic() - started) * 1000),
        )
        if outcome.new_points:
            self.on_new_points()

    def _report(self) -> None:
        if time.monotonic() >= self._next_report:
            report = self._status.report()
            log.info("ingest", **{name: value for name, value in report.items() if name != "status"})
            self._next_report = time.monotonic() + REPORT_SECONDS
