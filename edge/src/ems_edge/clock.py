"""The time of samples: never at or below the last one issued, and in doubt when it is not Redis' time.

A batch is ordered by seq, so a clock that jumps loses nothing; but a time that nobody can rely on must not look like
one that is right. The rule: a sample whose time is more than MAX_ERROR_MS from Redis' time keeps its value and is
uncertain (`unsynchronised_clock`, or `future` when it is so far ahead that it must not become anyone's latest value).
As long as Redis was never reached since the start the system's clock is believed: an edge in a basement without a
network has nothing better, and calling all its history uncertain would say nothing. A clock that fell behind the
store's last time is in doubt even then.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ems_contract.points import Reason
from ems_contract.telemetry import LATEST_FUTURE_MS

MAX_ERROR_MS = 5_000
MAX_ROUND_TRIP_MS = 2_000
"""A slower answer says too little about the moment it was made."""


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Clock:
    """`last` is the last ts that an earlier life issued, ms; `wall` the system's clock, ms."""

    def __init__(self, last: int | None = None, wall: Callable[[], int] = wall_ms) -> None:
        self._last = last or 0
        self._wall = wall
        self.offset: int | None = None
        """Redis' time minus ours, ms; None until it was measured."""

    def now(self) -> int:
        return self._wall()

    def measure(self, redis_ms: int, asked: int, answered: int) -> None:
        """`asked` and `answered` are our time around Redis' TIME."""
        if 0 <= answered - asked <= MAX_ROUND_TRIP_MS:
            self.offset = redis_ms - (asked + answered) // 2

    def issue(self, wanted: int) -> tuple[int, Reason | None]:
        """The ts for a reading made at `wanted` (our time), and the doubt about it."""
        ts = max(wanted, self._last + 1)
        self._last = ts
        error = ts - (wanted + (self.offset or 0))
        if error > LATEST_FUTURE_MS:
            return ts, Reason.FUTURE
        return ts, Reason.UNSYNCHRONISED_CLOCK if abs(error) > MAX_ERROR_MS else None
