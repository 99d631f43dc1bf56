"""The wall clock, as times go over the wire: ms since the epoch, UTC. For durations there is the loop's clock."""

from __future__ import annotations

import time


def now_ms() -> int:
    return time.time_ns() // 1_000_000
