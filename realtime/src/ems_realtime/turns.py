"""Whose frames leave when. Writing is what this service spends its time on, so whoever has something to write takes
turns: at once while there is little to do, with at most `tick` between two turns of the same one when there is much.
What comes in between leaves together, in one write for each viewer instead of many.

A turn of one does not hold up the others: after every SLICE writes the event loop gets to read, and to answer.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count
from math import exp

BUSY_SHARE = 4
"""Time spent on turns is followed by at least this many times as much without one of the same, up to the tick."""
SLICE = 128
"""Writes, after which the event loop does something else first. A turn is never cut in two."""


class Turn:
    """One place in the line. `flush` writes what is pending and returns to how many."""

    __slots__ = ("asked", "flush", "last")

    def __init__(self, flush: Callable[[], int]) -> None:
        self.flush = flush
        self.asked = False
        self.last = float("-inf")
        """When it last had its turn, loop's clock."""


class Turns:
    """`tick` in seconds: the longest wait between two turns of one that always has something to write."""

    def __init__(self, tick: float) -> None:
        self._tick = tick
        self._loop = asyncio.get_running_loop()
        self._line: list[tuple[float, int, Turn]] = []
        self._serial = count()
        self._wakes: asyncio.Handle | None = None
        self._wakes_at = 0.0
        self._busy = 0.0  # seconds spent on turns lately: decays within a tick
        self._measured = 0.0

    def ask(self, turn: Turn) -> None:
        """`turn.flush` will be called, once, as soon as it is its turn."""
        if turn.asked:
            return
        turn.asked = True
        now = self._loop.time()
        due = max(now, turn.last + min(self._tick, BUSY_SHARE * self._lately(now)))
        heapq.heappush(self._line, (due, next(self._serial), turn))
        self._wake(now, due)

    def stop(self) -> None:
        if self._wakes is not None:
            self._wakes.cancel()
        self._line.clear()

    def _lately(self, now: float) -> float:
        return self._busy * exp((self._measured - now) / self._tick) if self._busy and self._tick else 0.0

    def _wake(self, now: float, due: float) -> None:
        if self._wakes is not None:
            if self._wakes_at <= due:
                return
            self._wakes.cancel()
        self._wakes_at = due
        # Even "at once" is after what the loop has in hand, so what arrived together leaves together.
        self._wakes = self._loop.call_soon(self._go) if due <= now else self._loop.call_at(due, self._go)

    def _go(self) -> None:
        self._wakes = None
        started = self._loop.time()
        written = 0
        try:
            while self._line and self._line[0][0] <= started and written < SLICE:
                turn = heapq.heappop(self._line)[2]
                turn.asked = False
                turn.last = started
                written += turn.flush()
        finally:  # a fault of one is told by the loop and costs the others nothing
            # The transports write when this pass of the loop ends: only the next one knows what it cost.
            self._loop.call_soon(self._measure, started)
            if self._line:
                self._wake(started, self._line[0][0])

    def _measure(self, started: float) -> None:
        now = self._loop.time()
        self._busy = self._lately(now) + (now - started)
        self._measured = now
