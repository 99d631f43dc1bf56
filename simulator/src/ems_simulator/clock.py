"""The simulator's clock: the wall clock, or any instant from which time runs at any speed."""

from __future__ import annotations

import time


def wall_ms() -> float:
    """Real time, ms since the epoch with a fraction: what ledger and latency measurements use at any speed."""
    return time.time() * 1000.0


class SimulationClock:
    """Simulated time in ms since the epoch. Without `start` and at speed 1 it is the wall clock."""

    def __init__(self, start_ms: int | None = None, speed: float = 1.0) -> None:
        """Raises ValueError for a speed that is not positive."""
        if not 0.0 < speed <= 86_400.0:
            raise ValueError(f"speed: {speed:g} is not possible; write more than 0 and at most 86400")
        self._began = wall_ms()
        self._start = self._began if start_ms is None else float(start_ms)
        self._speed = speed

    def now_ms(self) -> int:
        return int(self._start + (wall_ms() - self._began) * self._speed)
