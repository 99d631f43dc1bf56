"""The time of samples: never at or below the last one that we stand by, and in doubt when it is not Redis' time.

A batch is ordered by seq, so a clock that jumps loses nothing; but a time that nobody can rely on must not look like
one that is right. The rule: a sample whose time is more than MAX_ERROR_MS from Redis' time keeps its value and is
uncertain (`unsynchronised_clock`, or `future` when it is so far ahead that it must not become anyone's latest value).
Redis' time is known from the last look at it on, by a clock that nobody sets: so a jump is seen at once, also while
Redis is away.

As long as Redis was never reached since the start the system's clock is believed: an edge in a basement without a
network has nothing better, and calling all its history uncertain would say nothing. A clock that fell behind the
store's last time is in doubt even then.

A time that Redis proves to be in the future holds nobody back: when the clock is put right, so are the samples at
once, and do not wait until the present has caught up. Until then what was issued ahead is uncertain, and a good sample
of the same instant takes its place in history.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ems_contract.points import Reason
from ems_contract.telemetry import LATEST_FUTURE_MS

MAX_ERROR_MS = 5_000
MAX_ROUND_TRIP_MS = 2_000
"""A slower answer says too little about the moment it was made."""
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Nobody sets it. Linux' own also counts while the machine sleeps."""


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def steady_ms() -> int:
    return time.clock_gettime_ns(_STEADY) // 1_000_000


class Clock:
    """`last` is the time that an earlier life stood by last, ms; `wall` the system's clock, `steady` one never set."""

    def __init__(
        self, last: int | None = None, wall: Callable[[], int] = wall_ms, steady: Callable[[], int] = steady_ms
    ) -> None:
        self._last = last or 0
        self._ahead = 0
        """The last time issued that we do not stand by."""
        self._wall = wall
        self._steady = steady
        self._redis_ahead_of_steady: int | None = None

    def now(self) -> int:
        return self._wall()

    @property
    def last(self) -> int:
        """The newest time that we stand by, ms: the next life goes on from it."""
        return self._last

    @property
    def offset(self) -> int | None:
        """Redis' time minus ours, ms; None until it was measured."""
        if self._redis_ahead_of_steady is None:
            return None
        return self._redis_ahead_of_steady + self._steady() - self._wall()

    def measure(self, redis_ms: int, asked: int, answered: int) -> None:
        """`asked` and `answered` are our time around Redis' TIME."""
        if not 0 <= answered - asked <= MAX_ROUND_TRIP_MS:
            return
        offset = redis_ms - (asked + answered) // 2
        self._redis_ahead_of_steady = offset + self._wall() - self._steady()
        if self._last > redis_ms + LATEST_FUTURE_MS:
            self._last, self._ahead = redis_ms, self._last

    def issue(self, wanted: int) -> tuple[int, Reason | None]:
        """The ts for a reading made at `wanted` (our time), and the doubt about it."""
        offset = self.offset
        redis = wanted + (offset or 0)
        ts = max(wanted, self._last + 1)
        if ts <= redis + LATEST_FUTURE_MS:
            self._last = ts
            return ts, Reason.UNSYNCHRONISED_CLOCK if abs(ts - redis) > MAX_ERROR_MS else None
        if offset is None:
            self._last = ts  # behind the store's last time, and nobody knows which of the two is right
        else:
            self._ahead = ts = max(ts, self._ahead + 1)
        return ts, Reason.FUTURE
