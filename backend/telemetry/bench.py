"""History's own figures on this machine: ingest, compaction, bytes, queries, and the way through Redis. No Django.

Runs in a database of its own that is dropped at the end; the numbers depend on what else the machine does.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import redis
from psycopg import Connection, sql

from ems_contract import keys
from ems_contract.telemetry import Batch, Reading, encode_batch
from telemetry import store, streams
from telemetry.compaction import compact
from telemetry.compactor import Compactor
from telemetry.historian import Historian, now_ms
from telemetry.hot import Entry, Window
from telemetry.ingest import KnownPoints, ingest
from telemetry.queries import Question, history
from telemetry.rollups import DAY
from telemetry.samples import HOUR
from telemetry.status import Status

SCHEMA = Path(__file__).parent / "migrations" / "0001_history.sql"
SITES = (10**15 + 1, 10**15 + 2, 10**15 + 3, 10**15 + 4)
"""Sites that no installation has."""
PASS = 40


@dataclass(frozen=True)
class Figure:
    """`aim` as a number of the same unit; None when there is none."""

    name: str
    value: float
    unit: str
    aim: float | None = None
    less_is_better: bool = False

    def __str__(self) -> str:
        line = f"{self.name:<58} {self.value:>12,.1f} {self.unit}"
        if self.aim is None:
            return line
        met = self.value <= self.aim if self.less_is_better else self.value >= self.aim
        return f"{line:<96} aim {self.aim:,.0f}: {'met' if met else 'short'}"


@contextmanager
def scratch_database(parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A database with the history schema beside the given one."""
    name = sql.Identifier(scratch := f"history_bench_{uuid.uuid4().hex[:8]}")
    with psycopg.connect(**parameters, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            with psycopg.connect(**{**parameters, "dbname": scratch}) as connection:
                connection.execute(SCHEMA.read_bytes())
            yield {**parameters, "dbname": scratch}
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


_KINDS: tuple[Callable[[float], float], ...] = (
    lambda value: round(value, 1),
    lambda value: float(int(value * 1_000)),
    lambda value: float(np.float32(value)),
)


def batches(site: int, edge: int, points: int, step: int, readings: int, count: int, end: int) -> list[Entry]:
    """`count` regular batches until `end`, as registers hold values: tenths, counters and 32 bit floats."""
    dice = random.Random(site)  # noqa: S311  no secret
    names = [f"device_{n % 5}.point_{n}" for n in range(points)]
    values = [dice.uniform(0, 5_000) for _ in names]
    boot = str(uuid.uuid4())
    ts = end - count * readings * step
    made = []
    for seq in range(1, count + 1):
        rows = []
        for _ in range(readings):
            ts += step
            for index in range(points):
                values[index] += dice.gauss(0, 3)
            spread = (_KINDS[n % 3](value) for n, value in enumerate(values))
            rows.append(Reading(ts, dict(zip(names, spread, strict=True))))
        made.append(Entry(site, edge, encode_batch(Batch(1, f"edge_{edge}", boot, seq, ts, rows))))
    return made


def store_figures(parameters: dict[str, Any], samples: int) -> Iterator[Figure]:
    """Without Redis: 50 points each 5 s, batches of 1,000 samples."""
    now = now_ms() // HOUR * HOUR + 15 * 60_000
    made = batches(SITES[0], 1, 50, 5_000, 20, samples // 1_000, now - 15 * 60_000)
    window = Window.at(now, 1_000 * DAY)
    with store.connect(parameters) as connection:
        known = KnownPoints()
        passes = [made[first : first + PASS] for first in range(0, len(made), PASS)]
        seconds = _timed(lambda: [ingest(connection, some, window, known) for some in passes])
        yield Figure("ingest without Redis", samples / seconds, "samples/s", 1_000_000)
        yield Figure("hot bytes", _bytes(connection, "batch") / samples, "bytes/sample")
        seconds = _timed(lambda: _compact_all(connection, SITES[0], now))
        yield Figure("compaction into segments and three rollups", samples / seconds, "samples/s", 600_000)
        connection.execute("VACUUM")
        yield Figure("cold bytes: segments", _bytes(connection, "segment") / samples, "bytes/sample", 5, True)
        yield Figure("cold bytes: 1m rollup", _bytes(connection, "rollup_1m") / samples, "bytes/sample")
        yield Figure("cold bytes: 15m and 1h rollups", _bytes(connection, "rollup_1_") / samples, "bytes/sample")
        with store.cursor(connection) as cursor:
            ids = dict(list(store.point_ids(cursor, SITES[0]).items())[:5])
        for resolution in ("1m", "15m", "1h"):
            question = Question(SITES[0], ids, now - 24 * HOUR, now, resolution)
            seconds = _timed(partial(history, connection, question))
            yield Figure(f"query: 5 points, a day, {resolution}", seconds * 1_000, "ms")


def redis_figures(parameters: dict[str, Any], url: str, days: int) -> Iterator[Figure]:
    """Four sites of 45 points, a reading a minute for `days`, 60 a batch, on backfill streams; then live batches."""
    now = now_ms()
    edges = [(site, index) for index, site in enumerate(SITES, 1)]
    made = [batches(site, edge, 45, 60_000, 60, days * 24, now // HOUR * HOUR) for site, edge in edges]
    samples = sum(len(some) for some in made) * 60 * 45
    status = Status()
    historian = Historian(streams.Streams(streams.connect(url)), parameters, lambda: edges, status, 1_000)
    compactor = Compactor(historian, parameters, status, lambda *_: None)
    thread = threading.Thread(target=historian.run)
    with streams.connect(url) as client, store.connect(parameters) as connection:
        names = [keys.telemetry_stream(site, edge, lane) for site, edge in edges for lane in keys.LANES]
        try:
            started = time.perf_counter()
            thread.start()
            compactor.start()
            for row in zip(*made, strict=True):
                pipeline = client.pipeline(transaction=False)
                for one in row:
                    stream = keys.telemetry_stream(one.site, one.edge, "backfill")
                    pipeline.xadd(stream, {keys.STREAM_FIELD: one.payload})
                pipeline.execute()
            _wait(lambda: not any(client.xlen(name) for name in names))
            seconds = time.perf_counter() - started
            yield Figure(f"{samples:,} samples through Redis, committed", seconds, "s", 30, True)
            yield Figure("  of them a second", samples / seconds, "samples/s")
            lags = sorted(_live_lags(client, edges[0]))
            yield Figure("  live batches meanwhile, XADD to receipt: median", lags[len(lags) // 2] * 1_000, "ms")
            yield Figure("  live batches meanwhile, XADD to receipt: worst of 100", lags[-1] * 1_000, "ms", 1_000, True)
            closed = "SELECT 1 FROM batch WHERE ts_max < %s LIMIT 1"
            _wait(lambda: not connection.execute(closed, (now - DAY,)).fetchone())
            yield Figure("  all cold, from the start", time.perf_counter() - started, "s", 60, True)
            lags = sorted(_live_lags(client, edges[0]))
            yield Figure("live batch, from XADD to its receipt: median", lags[len(lags) // 2] * 1_000, "ms", 200, True)
            yield Figure("live batch, from XADD to its receipt: worst of 100", lags[-1] * 1_000, "ms")
        finally:
            historian.stopping.set()
            thread.join()
            compactor.stop(10)
            client.delete(*names, *(keys.telemetry_acked(site, edge) for site, edge in edges))


def _live_lags(client: redis.Redis, edge: tuple[int, int]) -> Iterator[float]:
    boot = str(uuid.uuid4())
    acked = keys.telemetry_acked(*edge)
    for seq in range(1, 101):
        reading = Reading(now_ms(), {f"device_0.point_{n}": float(seq) for n in range(0, 45, 5)})
        payload = encode_batch(Batch(1, keys.edge_name(edge[1]), boot, seq, reading.ts, [reading]))
        started = time.perf_counter()
        client.xadd(keys.telemetry_stream(*edge), {keys.STREAM_FIELD: payload})
        _wait(partial(_holds, client, acked, f"{boot}: 1-{seq}".encode()), 0.001)
        yield time.perf_counter() - started


def _holds(client: redis.Redis, key: str, text: bytes) -> bool:
    value = client.get(key)
    return isinstance(value, bytes) and text in value


def _compact_all(connection: Connection[Any], site: int, now: int) -> None:
    while compact(connection, site, now).batches:
        pass


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _wait(condition: Callable[[], object], step: float = 0.02) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("history did not come to rest within five minutes")
        time.sleep(step)


def _bytes(connection: Connection[Any], table: str) -> int:
    row = connection.execute(
        "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class "
        "WHERE relkind = 'r' AND relname SIMILAR TO %s",
        (f"{table}%",),
    ).fetchone()
    return int(row[0]) if row else 0
