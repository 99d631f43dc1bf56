"""So many bytes a second and no more, evenly."""

from __future__ import annotations

import asyncio
import time


class Pace:
    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._free = 0.0
        """Monotonic time from which on more may pass."""

    async def passed(self, size: int) -> None:
        """`size` bytes went through: return when the next may. A pause is not made up for afterwards."""
        now = time.monotonic()
        self._free = max(self._free, now - size / self._rate) + size / self._rate
        await asyncio.sleep(max(0.0, self._free - now))
