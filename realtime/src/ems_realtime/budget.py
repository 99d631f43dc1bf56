"""How much may be published for one site before it costs the others: far more than any edge has to say.

An edge that is broken or hostile may publish as fast as its line allows; what this process cannot read in time makes
Redis end its subscription, and that is everyone's. So a site beyond its budget is not listened to for a while.
"""

from __future__ import annotations

from collections.abc import Callable

RATE = 32 * 1024 * 1024
"""Bytes per second, of each site, in each process."""
BURST = 3 * RATE
EACH = 200
"""Bytes that a batch costs beside its own."""
REFUSED = 4_000
"""And one that is not accepted: to find that out is slow."""
QUIET_SECONDS = 5.0


class Budget:
    """`clock`: seconds. It is asked only when the burst is used up."""

    __slots__ = ("_clock", "_left", "_since")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = float(BURST)
        self._since = clock()

    def spend(self, amount: int) -> bool:
        """False: there is nothing left."""
        self._left -= amount
        if self._left >= 0:
            return True
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._since) * RATE)
        self._since = now
        return self._left >= 0
