"""Events between the link and the program, bounded in bytes. Knows no network.

The bytes are those of the frames; decoded, they take a few times as much.
- Telemetry may be left out: ask `room` before; the link makes a gap of what has none.
- Everything else is kept, up to CONTROL_FACTOR times the bound. A program that does not even take that is beyond
  help: OverflowError.
"""

from __future__ import annotations

import asyncio
from collections import deque

from ems_client.events import Event, StateChange

CONTROL_FACTOR = 2
SMALL = 256
"""What an event counts that is no frame."""


class Inbox:
    """`limit` in bytes. One reader at a time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[tuple[Event, int]] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._ended = False
        self._fault: BaseException | None = None

    def room(self, size: int) -> bool:
        """Whatever its size, a frame has room when nothing else waits."""
        return not self._bytes or self._bytes + size <= self._limit

    @property
    def caught_up(self) -> bool:
        return self._bytes <= self._limit // 4

    def put(self, event: Event, size: int = SMALL) -> None:
        """Raises OverflowError."""
        if isinstance(event, StateChange) and self._waiting and isinstance(self._waiting[-1][0], StateChange):
            self._waiting[-1] = (event, SMALL)  # nobody wants to know all the attempts of a night
            return
        if self._bytes and self._bytes + size > CONTROL_FACTOR * self._limit:
            raise OverflowError(f"{self._bytes} bytes of events wait and the program takes none")
        self._waiting.append((event, size))
        self._bytes += size
        self._news.set()

    def end(self, fault: BaseException | None) -> None:
        """Nothing follows. What waits can still be taken; then `fault` is raised, or the iteration is over."""
        self._ended = True
        self._fault = fault
        self._news.set()

    async def take(self) -> Event:
        """The next event. Raises StopAsyncIteration or the fault at the end, every time."""
        while not self._waiting:
            if self._fault is not None:
                raise self._fault
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        event, size = self._waiting.popleft()
        self._bytes -= size
        return event
