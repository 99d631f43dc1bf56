"""Who may ask the backend next. So many in a second, and nobody can crowd out anybody else.

Whoever comes with a token is in the lane of its address, sessions that are open already share one of their own. Every
other turn is theirs, the rest goes round the addresses: a thousand forged tokens from one address make that address
wait, and nobody else much.
"""

from __future__ import annotations

import asyncio
from collections import deque

LATENESS = 0.15
"""s that a timer or a busy process may be late and make up for, so that a long line moves at the whole `rate`. No
second has more than 1 + LATENESS times as many turns."""

Places = deque[asyncio.Future[None]]


class SentAwayError(Exception):
    """There is no point in waiting any longer."""


class Lanes:
    """`rate` in turns per second, on average."""

    def __init__(self, rate: float) -> None:
        self._spacing = 1 / rate
        self._open: Places = deque()
        self._newcomers: dict[str, Places] = {}  # the address whose turn is next comes first
        self._newcomer_was_last = False
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def turn(self, address: str | None) -> None:
        """Returns when it is one's turn; None for a session that is open. May be cancelled. Raises SentAwayError."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line = self._open if address is None else self._newcomers.setdefault(address, deque())
        line.append(place)
        self._serve()
        await place

    def send_away(self) -> None:
        """Everyone who waits."""
        while (place := self._take()) is not None:
            place.set_exception(SentAwayError())

    def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while self._timer is None:
            now = loop.time()
            if now < self._free_at:
                self._timer = loop.call_at(self._free_at, self._due)
            elif (place := self._take()) is not None:
                on_time = self._free_at > now - max(self._spacing, LATENESS)
                self._free_at = (self._free_at if on_time else now) + self._spacing
                place.set_result(None)
            else:
                return

    def _due(self) -> None:
        self._timer = None
        self._serve()

    def _take(self) -> asyncio.Future[None] | None:
        for _ in range(2):
            self._newcomer_was_last = not self._newcomer_was_last
            place = self._next_newcomer() if self._newcomer_was_last else _first(self._open)
            if place is not None:
                return place
        return None

    def _next_newcomer(self) -> asyncio.Future[None] | None:
        while self._newcomers:
            address = next(iter(self._newcomers))
            line = self._newcomers.pop(address)
            place = _first(line)
            if line:
                self._newcomers[address] = line  # behind all the others
            if place is not None:
                return place
        return None


def _first(line: Places) -> asyncio.Future[None] | None:
    while line:
        place = line.popleft()
        if not place.done():  # done: whoever it was has left
            return place
    return None
