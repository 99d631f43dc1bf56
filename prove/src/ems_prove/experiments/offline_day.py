"""A day without Redis at 1,000 points each 5 s; then all of it is sent while live goes on.

The ledger is the generator's (`offline_edge`): every sample that it made is held against history. Live latency is from
the moment a batch is made to the moment a WebSocket client has it, in turns with and without backfill.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from ems_contract import keys
from ems_stack.stack import Stack

from ems_prove import whole_history
from ems_prove.experiment import Outcome, percentile
from ems_prove.lab import Lab
from ems_prove.listener import Listener, until_streaming
from ems_prove.offline_edge import LIVE, Ledger, Orders, Said, live_keys, point_keys
from ems_prove.own_site import OwnSite, own_site
from ems_prove.waiting import eventually
from ems_prove.whole_history import Comparison

POINTS, INTERVAL_MS, DAY_BATCHES = 1_000, 5_000, 17_280
TURN = 12.0
SETTLE = 1.5
"""At the beginning of each turn of TURN s, not counted."""
LIVE_IN_FLIGHT = 100
"""Batches, 5 s of them, that always wait for a receipt."""
AIM_RATE, LEAST_RATE, AIM_RATIO = 500.0, 100.0, 1.5
HOUR_MS = 3_600_000


class Latencies(Listener):
    """Notes when each live batch came and how long it was on its way: (monotonic s, s)."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.seen: list[tuple[float, float]] = []

    async def _hear(self, frame: dict[str, Any]) -> None:
        now = time.monotonic()
        if frame["type"] == "telemetry":
            for batch in frame["batches"]:
                for reading in batch["readings"]:
                    if (sent := reading["values"].get(LIVE)) is not None:
                        self.seen.append((now, now - sent))
        await super()._hear(frame)

    def between(self, start: float, end: float) -> list[float]:
        return [latency for at, latency in self.seen if start <= at < end]


@dataclass
class Day:
    """`rate`: hours of samples backfilled in an hour. `p99`: pairs (with, without backfill), s. Sizes in bytes."""

    comparison: Comparison
    stored: int
    receipt_whole: bool
    rate: float
    store_size: int
    recorded_in: float
    drained_in: float
    p99: list[tuple[float, float]] = field(default_factory=list)

    @property
    def duplicated(self) -> int:
        return self.stored - self.comparison.made

    @property
    def ratio(self) -> float:
        return statistics.median(busy / quiet for busy, quiet in self.p99)

    @property
    def nothing_lost(self) -> bool:
        return self.comparison.clean and self.duplicated == 0 and self.receipt_whole


class Edge:
    """The process, as it is told and as it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = Said("starting", 0.0, "", 0, 0, 0.0)
        self.store = 0
        self._ended = False
        self._news = asyncio.Condition()
        self.task = asyncio.create_task(self._listen())

    def tell(self, word: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 -- it is a pipe
        self._process.stdin.write(word.encode() + b"\n")

    async def until(self, phase: str, backlog: float = float("inf"), seconds: float = 1_200) -> Said:
        """What it said when it was in this phase with at most `backlog` batches. Raises TimeoutError, RuntimeError."""
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(
                lambda: self._ended or (self.said.phase == phase and self.said.backlog <= backlog)
            )
        if self.said.phase != phase:
            raise RuntimeError(f"the edge ended while it was {self.said.phase}")
        return self.said

    async def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 -- it is a pipe
        try:
            while line := await self._process.stdout.readline():
                async with self._news:
                    self.said = msgspec.json.decode(line, type=Said)
                    self.store = max(self.store, self.said.store)
                    self._news.notify_all()
        finally:
            self._ended = True
            async with self._news:
                self._news.notify_all()


def measure(lab: Lab) -> Outcome:
    day = asyncio.run(spend(lab.stack, DAY_BATCHES, pairs=6))
    compared = day.comparison
    busy, quiet = (statistics.median(side) * 1000 for side in zip(*day.p99, strict=True))
    return Outcome(
        f"{compared.made:,} samples: {compared.lost} lost, {day.duplicated} duplicated, {compared.wrong} wrong; "
        f"store {day.store_size / 1_048_576:.0f} MiB, recorded in {day.recorded_in:.0f} s; "
        f"backfill {day.rate:.0f} times real time ({day.drained_in:.0f} s for what was left of the day); "
        f"live p99 {busy:.0f} ms during backfill, {quiet:.0f} ms without, {day.ratio:.2f} times "
        f"(median of {len(day.p99)} pairs)",
        f"0 lost, 0 duplicated, 0 wrong; {AIM_RATE:.0f} times real time, at least {LEAST_RATE:.0f}; live p99 within "
        f"{AIM_RATIO} times",
        day.nothing_lost and day.rate >= LEAST_RATE and day.ratio <= AIM_RATIO,
    )


async def spend(stack: Stack, batches: int, pairs: int) -> Day:
    """The whole experiment with an outage of so many batches, and so many pairs of turns."""
    with (
        stack.client("platform_admin") as client,
        own_site(stack, client, "Offline day") as site,
        tempfile.TemporaryDirectory(prefix="ems-offline-") as folder,
    ):
        orders = _orders(site, batches, folder)
        async with _edge(orders) as edge, _listening(stack, site) as latencies:
            recorded = await edge.until("offline")
            edge.tell("hold")
            edge.tell("connect")
            await until_streaming([latencies], 60)
            p99 = [await _pair(edge, latencies) for _ in range(pairs)]
            started = time.monotonic()
            left = edge.said.backlog
            edge.tell("go")
            drained = await edge.until("online", backlog=LIVE_IN_FLIGHT)
            rate = (left - drained.backlog) * INTERVAL_MS / 1000 / (drained.at - started)
            edge.tell("stop")
            over = await edge.until("over")
        comparison, stored, whole = await asyncio.to_thread(_judge, stack, site, orders, over.boot)
        seconds = drained.at - started
        return Day(comparison, stored, whole, rate, edge.store, recorded.recorded_in, seconds, p99)


def _orders(site: OwnSite, batches: int, folder: str) -> Orders:
    last = int(time.time() * 1000) // INTERVAL_MS * INTERVAL_MS
    return Orders(site.id, site.edge, site.redis, folder, POINTS, batches, INTERVAL_MS, last)


@asynccontextmanager
async def _edge(orders: Orders) -> AsyncIterator[Edge]:
    file = Path(orders.folder) / "orders.json"
    file.touch(mode=0o600)
    file.write_bytes(msgspec.json.encode(orders))
    with (Path(orders.folder) / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ems_prove.offline_edge", str(file)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    edge = Edge(process)
    try:
        yield edge
    finally:
        if process.returncode is None and edge.said.phase != "over":
            process.kill()
        await process.wait()
        await edge.task


@asynccontextmanager
async def _listening(stack: Stack, site: OwnSite) -> AsyncIterator[Latencies]:
    token = stack.token("platform_admin")
    listener = Latencies(stack.url("ws"), stack.url("web"), token, site.id, keys.edge_name(site.edge))
    try:
        yield listener
    finally:
        await listener.close()


async def _pair(edge: Edge, latencies: Latencies) -> tuple[float, float]:
    """p99 with backfill, and right after it without."""
    p99 = []
    for word in ("go", "hold"):
        edge.tell(word)
        started = time.monotonic()
        await asyncio.sleep(TURN)
        p99.append(percentile(latencies.between(started + SETTLE, started + TURN), 0.99))
    return p99[0], p99[1]


def _judge(stack: Stack, site: OwnSite, orders: Orders, boot: str) -> tuple[Comparison, int, bool]:
    """Once closed hours are compacted; what is newer is compared as it is."""
    ledger = Ledger(Path(orders.folder))
    ts, values = ledger.times(orders), ledger.values
    made = {key: (ts, values[:, column]) for column, key in enumerate(point_keys(orders.points))}
    made |= dict.fromkeys(live_keys(), ledger.live)
    closed = (int(time.time() * 1000) - HOUR_MS // 6) // HOUR_MS * HOUR_MS
    with stack.history_database() as connection:
        connection.autocommit = True
        eventually(
            "closed hours in the cold store", lambda: not whole_history.hot_batches(connection, site.id, closed), 600
        )
        stored = whole_history.stored_samples(connection, site.id)
        whole = whole_history.receipt(connection, site.edge, boot).count("[") == 1
        return whole_history.compare(connection, site.id, made, closed), stored, whole
