"""An edge that was offline: its own recorder, store and uplink, fed by a generator instead of devices.

    python -m ems_prove.offline_edge ORDERS.json

Records all batches as fast as the store takes them, while its Redis is nowhere. Then it is told what to do, one word a
line: `connect` (to Redis; live batches begin), `hold` and `go` (backfill), `stop`. It says how it is doing, one JSON
line (`Said`) four times a second. What it generated is in files beside its store: the ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from ems_contract import keys, logs
from ems_contract.provisioning import RedisAccess
from ems_edge.buffer import Lent, Name
from ems_edge.buffer_sqlite import SqliteBuffer
from ems_edge.clock import Clock, wall_ms
from ems_edge.image import Image
from ems_edge.poller import Answer
from ems_edge.recorder import Recorder
from ems_edge.uplink import Uplink
from numpy.typing import NDArray

POINTS_PER_DEVICE = 50
LIVE_POINTS = 10
LIVE_INTERVAL = 0.05
"""200 samples a second: the rate of 1,000 points each 5 s."""
LIVE = "live.sent"
"""The live point that carries the monotonic time at which it was made, s."""
_NOWHERE = "redis://127.0.0.1:1/0"


class Orders(msgspec.Struct):
    """`batches` of `points` samples, `interval` ms apart, the last of them at `last`, ms."""

    site: int
    edge: int
    redis: RedisAccess
    folder: str
    points: int
    batches: int
    interval: int
    last: int


class Said(msgspec.Struct):
    """`phase`: recording, offline, online, over. `at` in monotonic s, `backlog` in batches, `store` in bytes."""

    phase: str
    at: float
    boot: str
    backlog: int
    store: int
    recorded_in: float


def point_keys(points: int) -> list[str]:
    return [f"device_{n // POINTS_PER_DEVICE + 1}.point_{n % POINTS_PER_DEVICE + 1}" for n in range(points)]


def live_keys() -> list[str]:
    return [LIVE, *(f"live.filler_{n}" for n in range(1, LIVE_POINTS))]


class Ledger:
    """What was generated: `ts` and a row of values for each batch, in the order of its points."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def times(self, orders: Orders) -> NDArray[np.int64]:
        return orders.last - orders.interval * np.arange(orders.batches - 1, -1, -1, dtype=np.int64)

    def new(self, batches: int, points: int) -> NDArray[np.float64]:
        return np.lib.format.open_memmap(self._folder / "values.npy", "w+", np.float64, (batches, points))

    @property
    def values(self) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.load(self._folder / "values.npy", mmap_mode="r")
        return found

    def keep_live(self, ts: list[int], sent: list[float]) -> None:
        np.savez(self._folder / "live.npz", ts=np.array(ts, np.int64), sent=np.array(sent))

    @property
    def live(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        found = np.load(self._folder / "live.npz")
        return found["ts"], found["sent"]


def rows(points: int) -> Iterator[NDArray[np.float64]]:
    """As registers hold values: tenths, counters and 32 bit floats, for ever."""
    dice = np.random.default_rng(7)
    state = dice.uniform(0, 5_000, points)
    kind = np.arange(points) % 3
    while True:
        state += dice.normal(0, 3, points)
        yield np.where(
            kind == 0, np.round(state, 1), np.where(kind == 1, np.floor(state * 1_000), state.astype(np.float32))
        )


class Gate(SqliteBuffer):
    """The store, whose backfill can be held up."""

    held = False

    async def begin(self, max_bytes: int, max_count: int) -> list[Lent]:
        return [] if self.held else await super().begin(max_bytes, max_count)


class Hand:
    """Between recorder and uplink: says when a batch is committed."""

    def __init__(self, uplink: Uplink) -> None:
        self._uplink = uplink
        self.committed = asyncio.Event()

    def offer(self, name: Name, payload: bytes) -> None:
        self._uplink.offer(name, payload)
        self.committed.set()


class OfflineEdge:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        folder = Path(orders.folder)
        self._file = folder / "edge.db"
        self._ledger = Ledger(folder)
        self._boot = str(uuid.uuid4())
        self._buffer = Gate(self._file, 4 * 1024**3)
        clock, name = Clock(), keys.edge_name(orders.edge)
        image = Image(name, self._boot)
        nowhere = msgspec.structs.replace(orders.redis, url=_NOWHERE)
        self._uplink = Uplink(
            orders.site,
            orders.edge,
            self._buffer,
            clock,
            image,
            nowhere,
            refused=_nothing,
            config_changed=_nothing,
        )
        self._hand = Hand(self._uplink)
        self._recorder = Recorder(name, self._boot, self._buffer, clock, image, self._hand, None)
        self._phase = "recording"
        self._recorded_in = 0.0
        self._live: tuple[list[int], list[float]] = ([], [])

    async def run(self) -> None:
        await self._buffer.open()
        tasks = [asyncio.create_task(work) for work in (self._uplink.run(), self._recorder.run(), self._say())]
        await self._record()
        self._phase = "offline"
        await self._obey()
        self._recorder.close()
        while (await self._buffer.backlog()).batches:  # noqa: ASYNC110 -- no one is told when it becomes empty
            await asyncio.sleep(0.1)
        self._ledger.keep_live(*self._live)
        self._phase = "over"
        await self._say_once()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._buffer.close()

    async def _record(self) -> None:
        orders, names = self._orders, point_keys(self._orders.points)
        kept = self._ledger.new(orders.batches, orders.points)
        started = time.monotonic()
        for number, (ts, row) in enumerate(zip(self._ledger.times(orders).tolist(), rows(orders.points), strict=False)):
            kept[number] = row
            values = dict(zip(names, row.tolist(), strict=True))
            self._hand.committed.clear()
            self._recorder.add([Answer("devices", ts, values)])
            await self._hand.committed.wait()
        self._recorded_in = time.monotonic() - started

    async def _obey(self) -> None:
        """Until `stop`."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        living: asyncio.Task[None] | None = None
        while (word := (await reader.readline()).decode().strip()) and word != "stop":
            if word == "connect":
                self._phase = "online"
                self._uplink.use(self._orders.redis)
                living = asyncio.create_task(self._be_live())
            else:
                self._buffer.held = word == "hold"
        if living is not None:
            living.cancel()
            await asyncio.wait([living])

    async def _be_live(self) -> None:
        names = live_keys()
        due, ts = time.monotonic(), 0
        while True:
            due += LIVE_INTERVAL
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            ts, sent = max(wall_ms(), ts + 1), time.monotonic()
            self._live[0].append(ts)
            self._live[1].append(sent)
            self._recorder.add([Answer("live", ts, dict.fromkeys(names, sent))])

    async def _say(self) -> None:
        while True:
            await self._say_once()
            await asyncio.sleep(0.25)

    async def _say_once(self) -> None:
        backlog = (await self._buffer.backlog()).batches
        size = sum(file.stat().st_size for file in self._file.parent.glob("edge.db*"))
        said = Said(self._phase, time.monotonic(), self._boot, backlog, size, self._recorded_in)
        with contextlib.suppress(BrokenPipeError):
            os.write(1, msgspec.json.encode(said) + b"\n")


def _nothing() -> None:
    """Nobody is asked for sessions or configurations here."""


def main() -> None:
    logs.configure("offline-edge", "INFO")  # to stderr: stdout is for what is said
    orders = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Orders)
    asyncio.run(OfflineEdge(orders).run())


if __name__ == "__main__":
    main()
