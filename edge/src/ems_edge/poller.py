"""Reads every device on its interval, and hands over what came in together.

Polls are aligned: with an interval of 5 s they are due at :00, :05, :10 of the wall clock, in every edge and after
every restart, so that series of different devices line up. Answers that come in within a short window of their tick
carry the tick's time; a straggler carries its own. Nothing waits for a device that is not being read, and nothing waits
longer than the window for one that is.

A device that tells its changes by itself (MQTT, BACnet COV) is read on its ticks too; what it tells in between carries
the time at which it was told, and waits a moment for what others tell.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog
from ems_contract.points import Reason

from ems_edge.clock import wall_ms
from ems_edge.decode import Value
from ems_edge.driver import Device, PushingDevice

log = structlog.get_logger()

WINDOW_SHARE = 0.05
WINDOW_LEAST, WINDOW_MOST = 0.02, 0.25
"""How long answers wait for others of the same cycle: 5 % of the interval, 20 to 250 ms."""
_SAME_TICK = 0.005
TOLD_WINDOW = 0.1
"""How long what a device tells by itself waits for others, s."""
MOST_TOLD = 20
"""So often a device is heard in one window; of what it tells beyond that, the last of each point counts."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one read of one device gave. `wanted` is the time it should carry, ms; values by the point's whole key.

    `doubts`: why a value that is there is uncertain.
    """

    device: str
    wanted: int
    values: dict[str, Value]
    doubts: dict[str, Reason] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Polled:
    """A device and its schedule. `interval` in s."""

    key: str
    device: Device
    interval: float
    due: float = 0.0
    tick: int = 0
    reading: asyncio.Task[None] | None = field(default=None, repr=False)


class Poller:
    """`sink` takes what came in together; it must not block. `wall` is the system's clock in ms."""

    def __init__(self, sink: Callable[[list[Answer]], None], wall: Callable[[], int] = wall_ms) -> None:
        self._sink = sink
        self._wall = wall
        self._polled: list[Polled] = []
        self._schedule: asyncio.Task[None] | None = None
        self._gathered: list[Answer] = []
        self._telling: dict[str, tuple[int, int]] = {}
        """Device -> how often it told something in this window, and where the last of it stands in `_gathered`."""
        self._window: asyncio.TimerHandle | None = None

    def start(self, devices: Sequence[Polled]) -> None:
        """Every device is read at once, then on its ticks."""
        self._polled = list(devices)
        now, wall = time.monotonic(), self._wall()
        for polled in self._polled:
            polled.due, polled.tick = now, wall
            if isinstance(polled.device, PushingDevice):
                polled.device.watch(partial(self._told, polled.key))
        self._schedule = asyncio.create_task(self._run(), name="poller")

    async def stop(self, grace: float = 2.0) -> None:
        """Finish the reads under way, give up after `grace` s; what came in is handed over."""
        if self._schedule is not None:
            self._schedule.cancel()
            await asyncio.gather(self._schedule, return_exceptions=True)
            self._schedule = None
        reads = [polled.reading for polled in self._polled if polled.reading is not None]
        if reads:
            _, late = await asyncio.wait(reads, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._flush()

    def read_soon(self, device: str) -> None:
        """Out of turn, because something of it is new; a device that is being read already is not read again."""
        for polled in self._polled:
            if polled.key == device and self._schedule is not None:
                self._begin(polled, self._wall())

    async def _run(self) -> None:
        while self._polled:
            first = min(polled.due for polled in self._polled)
            await asyncio.sleep(max(first - time.monotonic(), 0))
            now, wall = time.monotonic(), self._wall()
            for polled in [polled for polled in self._polled if polled.due <= now + _SAME_TICK]:
                self._begin(polled, wall)
                # Due times are monotonic, so that a jump of the wall clock neither stops nor hurries the polls.
                interval = round(polled.interval * 1000)
                following = (max(wall, polled.tick) // interval + 1) * interval
                if following - wall > 2 * interval:  # the wall clock was set back
                    following = (wall // interval + 1) * interval
                polled.tick, polled.due = following, now + (following - wall) / 1000

    def _begin(self, polled: Polled, wall: int) -> None:
        if polled.reading is not None:
            return  # still busy with an earlier tick; this one is lost and not caught up
        window = self._window_of(polled.interval)
        tick = polled.tick if abs(wall - polled.tick) <= window * 1000 else wall
        polled.reading = asyncio.create_task(self._read(polled, tick, window), name=f"read {polled.key}")
        polled.reading.add_done_callback(_tell_failure)

    async def _read(self, polled: Polled, tick: int, window: float) -> None:
        started = time.monotonic()
        try:
            values = await polled.device.read()
        finally:
            polled.reading = None
        late = time.monotonic() - started > window
        keyed = {f"{polled.key}.{name}": value for name, value in values.items()}
        self._gathered.append(Answer(polled.key, self._wall() if late else tick, keyed))
        others = [other.interval for other in self._polled if other.reading is not None]
        if not others:
            self._flush()
        elif self._window is None:
            self._window = asyncio.get_running_loop().call_later(self._window_of(min(others)), self._flush)

    def _told(self, device: str, values: dict[str, Value]) -> None:
        if self._schedule is None:
            return  # it was stopped
        keyed = {f"{device}.{name}": value for name, value in values.items()}
        count, last = self._telling.get(device, (0, 0))
        if count < MOST_TOLD:
            self._telling[device] = count + 1, len(self._gathered)
            self._gathered.append(Answer(device, self._wall(), keyed))
        else:
            self._gathered[last] = Answer(device, self._wall(), self._gathered[last].values | keyed)
        if self._window is None:
            self._window = asyncio.get_running_loop().call_later(TOLD_WINDOW, self._flush)

    @staticmethod
    def _window_of(interval: float) -> float:
        return min(max(interval * WINDOW_SHARE, WINDOW_LEAST), WINDOW_MOST)

    def _flush(self) -> None:
        if self._window is not None:
            self._window.cancel()
            self._window = None
        if self._gathered:
            gathered, self._gathered, self._telling = self._gathered, [], {}
            self._sink(gathered)


def _tell_failure(read: asyncio.Task[None]) -> None:
    """A driver raises nothing for what a device does, so this is a fault of its own: it must not stay unseen."""
    if not read.cancelled() and (error := read.exception()) is not None:
        log.error("a driver failed, its device has no sample", read=read.get_name(), exc_info=error)
