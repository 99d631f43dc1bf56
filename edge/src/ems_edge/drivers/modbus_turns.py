"""Whose turn it is on a line that several units share.

A healthy unit has the line for a moment. One that does not answer lets the others go on after a twentieth of the
shortest interval, or five times what it usually takes, and waits on beside them: Modbus TCP numbers its frames. From
then on it is asked last. Where answers have no numbers (RTU) nobody else can be asked while an answer is due; there a
unit has its timeout, and one that was silent only what is left of the cycle.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from ems_contract.points import Reason

from ems_edge.decode import Value
from ems_edge.drivers.modbus_frames import Request
from ems_edge.drivers.modbus_link import Link

TURN_SHARE = 0.05
TURN_AT_LEAST = 0.05
TURN_UNKNOWN = 0.5
"""Until it is known how long the unit usually takes."""
SLOW_AT_LEAST = 0.25
PATIENCE = 5.0
FORGETTING = 0.1
"""How fast a unit that became faster is believed."""
COURTESY = 0.02
"""How long a slow unit holds back at a tick, so that the others are in line before it."""
LEFTOVER_SHARE = 0.95
LEFTOVER_AT_LEAST = 0.05
FIRST = -1.0
"""The rank of a write: a person or a rule waits for it."""
LAST = math.inf

Outcome = tuple[dict[str, Value], Reason | None]
"""Every point, and what broke the reading off."""


class Queue:
    """A lock whose waiters are served by rank, the lowest first, equals in order of arrival."""

    def __init__(self) -> None:
        self._held = False
        self._count = 0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    async def acquire(self, rank: float) -> None:
        if self._held:
            self._count += 1
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (rank, self._count, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.release()
                raise
        self._held = True

    def release(self) -> None:
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
        self.queue = Queue()
        self.intervals: list[float] = []

    @property
    def alone(self) -> bool:
        return len(self.intervals) < 2

    def patience(self, usual: float | None) -> float:
        """Seconds that a unit which usually takes `usual` has the line to itself."""
        if self.alone or not self.link.numbered:
            return math.inf
        expected = TURN_UNKNOWN if usual is None else PATIENCE * usual
        return max(TURN_SHARE * min(self.intervals), TURN_AT_LEAST, expected)

    @property
    def slow_from(self) -> float:
        """A unit that takes longer goes behind the others."""
        return math.inf if self.alone else max(TURN_SHARE * min(self.intervals), SLOW_AT_LEAST)

    def leftover(self) -> float:
        """Seconds until the next device on this link is due."""
        if self.alone or self.link.numbered:
            return math.inf
        now = time.time()
        quiet = min(interval - now % interval for interval in self.intervals)
        return max(quiet * LEFTOVER_SHARE, LEFTOVER_AT_LEAST)


class Turn:
    """One unit's use of the line, while its context is open: one request after the other.

    `limit` is for all of them, `spent` what they took so far, in s; waiting for the line is not in it.
    """

    def __init__(self, unit: int, shared: SharedLink, rank: float, limit: float, patience: float) -> None:
        self.spent = 0.0
        self._unit = unit
        self._shared = shared
        self._rank = rank
        self._limit = limit
        self._patience = patience
        self._held = False

    async def __aenter__(self) -> Self:
        await self._shared.queue.acquire(self._rank)
        self._held = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go()

    async def request(self, request: Request) -> bytes:
        """The answer's PDU. Raises LinkError."""
        if not self._held:  # it was slow before
            await self._shared.queue.acquire(LAST)
            self._held = True
        link = self._shared.link
        await link.pause()
        left = max(self._limit - self.spent, 0.001)
        patience = max(self._patience - self.spent, 0.0)
        started = time.monotonic()
        try:
            return await link.request(self._unit, request, left, patience, self._let_go)
        finally:
            self.spent += time.monotonic() - started

    def _let_go(self) -> None:
        if self._held:
            self._held = False
            self._shared.queue.release()


class Unit:
    """One unit and its place in the line: `slowness` is how long its last read took where that was long, infinite for
    silence; `usual` how long one takes when all is well."""

    def __init__(self, number: int, timeout: float, shared: SharedLink) -> None:
        self._number = number
        self._timeout = timeout
        self._shared = shared
        self._slowness = 0.0
        self._usual: float | None = None

    async def read(self, once: Callable[[Turn], Awaitable[Outcome]]) -> dict[str, Value]:
        """`once` asks for everything, in the turn that it is given."""
        limit = self._timeout
        if self._slowness:
            await asyncio.sleep(COURTESY)
            limit = min(limit, self._shared.leftover())
        patience = self._shared.patience(self._usual)
        async with Turn(self._number, self._shared, self._slowness, limit, patience) as turn:
            values, failure = await once(turn)
        if failure is None:
            self._usual = max(turn.spent, (self._usual or turn.spent) * (1 - FORGETTING))
        slow = turn.spent > self._shared.slow_from
        self._slowness = LAST if failure is Reason.TIMEOUT else turn.spent if slow else 0.0
        return values

    async def at_once[T](self, work: Callable[[Turn], Awaitable[T]]) -> T:
        """Do something besides the reads, before anybody else in the line, within the timeout."""
        async with Turn(self._number, self._shared, FIRST, self._timeout, self._shared.patience(self._usual)) as turn:
            return await work(turn)
