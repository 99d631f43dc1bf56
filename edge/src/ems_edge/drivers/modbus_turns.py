"""Whose turn it is on a line that several units share.

A healthy unit holds the line a moment. While others wait, a unit that says nothing holds it at most a tenth of the
shortest interval, or five times what it usually takes; it is asked again after the others, and from then on last, with
what is left of the cycle. Where answers have no numbers (RTU) nobody can be asked while an answer is due, so there a
unit has its whole timeout.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from ems_contract.points import Reason

from ems_edge.decode import Value
from ems_edge.drivers.modbus_frames import Request
from ems_edge.drivers.modbus_link import Link

TURN_SHARE = 0.1
TURN_AT_LEAST = 0.1
TURN_UNKNOWN = 0.5
"""Until it is known how long the unit usually takes."""
PATIENCE = 5.0
FORGETTING = 0.1
"""How fast a unit that became faster is believed."""
COURTESY = 0.02
"""How long a slow unit holds back at a tick, so that the others are in line before it."""
LEFTOVER_SHARE = 0.95
LEFTOVER_AT_LEAST = 0.05
FIRST = -1.0
"""The rank of a write: a person or a rule waits for it."""

Outcome = tuple[dict[str, Value], Reason | None]
"""Every point, and what broke the reading off."""


class Turns:
    """A lock whose waiters are served by rank, the lowest first, equals in order of arrival."""

    def __init__(self) -> None:
        self._held = False
        self._count = 0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    @contextlib.asynccontextmanager
    async def take(self, rank: float) -> AsyncIterator[None]:
        if self._held:
            self._count += 1
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (rank, self._count, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._pass_on()
                raise
        self._held = True
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._held = False


class SharedLink:
    """A link and the schedule of those who share it; polls are aligned on their interval (`poller.py`)."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.turns = Turns()
        self.intervals: list[float] = []

    @property
    def alone(self) -> bool:
        return len(self.intervals) < 2

    def turn_limit(self, usual: float | None) -> float:
        """Seconds that a unit which usually takes `usual` may hold the line while others wait."""
        if self.alone or not self.link.numbered:
            return math.inf
        patience = TURN_UNKNOWN if usual is None else PATIENCE * usual
        return max(TURN_SHARE * min(self.intervals), TURN_AT_LEAST, patience)

    @property
    def slow_from(self) -> float:
        """A unit that takes longer goes behind the others."""
        return math.inf if self.alone else max(TURN_SHARE * min(self.intervals), TURN_UNKNOWN) / 2

    def leftover(self) -> float:
        """Seconds until the next device on this link is due."""
        if self.alone:
            return math.inf
        now = time.time()
        quiet = min(interval - now % interval for interval in self.intervals)
        return max(quiet * LEFTOVER_SHARE, LEFTOVER_AT_LEAST)


class Unit:
    """One unit and its place in the line: `slowness` is how long its last read took where that was long, infinite for
    silence; `usual` how long one takes when all is well."""

    def __init__(self, number: int, timeout: float, shared: SharedLink) -> None:
        self._number = number
        self._timeout = timeout
        self._shared = shared
        self._slowness = 0.0
        self._usual: float | None = None
        self._spent = 0.0
        self._limit = timeout

    async def read(self, once: Callable[[], Awaitable[Outcome]]) -> dict[str, Value]:
        """`once` asks for everything by `request`; twice, where its first turn was cut short."""
        if self._slowness:
            await asyncio.sleep(COURTESY)
        else:
            limit = min(self._timeout, self._shared.turn_limit(self._usual))
            values, failure = await self._turn(0.0, limit, once)
            if failure is not Reason.TIMEOUT or limit == self._timeout:
                return values
        limit = min(self._timeout, self._shared.leftover())
        return (await self._turn(self._slowness, limit, once))[0]

    async def _turn(self, rank: float, limit: float, once: Callable[[], Awaitable[Outcome]]) -> Outcome:
        async with self._shared.turns.take(rank):
            self._spent, self._limit = 0.0, limit
            values, failure = await once()
            took = self._spent
        if failure is None:
            self._usual = max(took, (self._usual or took) * (1 - FORGETTING))
        slow = took > self._shared.slow_from
        self._slowness = math.inf if failure is Reason.TIMEOUT else took if slow else 0.0
        return values, failure

    async def request(self, request: Request) -> bytes:
        """Within `read` or `alone`, in what is left of the turn. Raises LinkError."""
        link = self._shared.link
        await link.pause()
        started = time.monotonic()
        try:
            return await link.request(self._number, request, max(self._limit - self._spent, 0.001))
        finally:
            self._spent += time.monotonic() - started

    async def at_once[T](self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something besides the reads, before anybody else in the line, within the timeout."""
        async with self._shared.turns.take(FIRST):
            self._spent, self._limit = 0.0, self._timeout
            return await work()
