"""Windows: the samples of some seconds drawn together into one. Pure; times in ms.

Windows lie on the clock: one of 60 s ends at every full minute. Its sample carries the time of its end and comes out
when the first sample of the next one goes in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ems_contract.points import Kind, Reason
from ems_contract.processing import ReportPolicy

from ems_edge.decode import Value

LATE = 1_000
"""A window is closed without a further sample so long after its end: the read at its end may be under way."""
TOO_LATE = 2_000
"""Past that, its sample carries the time at which it is closed: a time in the past would look like a wrong clock."""


@dataclass(frozen=True, slots=True)
class Sample:
    """`doubt`: why a value is uncertain."""

    ts: int
    value: Value
    doubt: Reason | None = None


@dataclass(slots=True)
class _Open:
    """What a window has seen so far. `since` is up to when the mean was weighed, over `weight` ms in which a value was
    known; `last` None: no value was."""

    end: int
    since: int
    count: int = 0
    weight: int = 0
    mean: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    last: float | None = None
    doubt: Reason | None = None

    def note(self, value: float) -> None:
        self.last = value
        self.low, self.high = min(self.low, value), max(self.high, value)

    def hold(self, value: float | None, until: int) -> None:
        """`value` was in force since the last sample, or since the window began."""
        span = until - self.since
        if value is not None and span > 0:
            self.weight += span
            share = span / self.weight
            self.mean = self.mean * (1 - share) + value * share  # no difference, which might overflow
            self.note(value)
        self.since = max(self.since, until)


class Window:
    """The open window of one point."""

    def __init__(self, policy: ReportPolicy, kind: Kind) -> None:
        self._width = round((policy.window or 0) * 1000)
        self._aggregate = policy.aggregate if kind is Kind.GAUGE else "last"
        self._held: float | None = None
        self._open = _Open(0, 0)

    def add(self, sample: Sample) -> Sample | None:
        """What the window before this sample's comes to, where this one opens another."""
        end = (sample.ts // self._width + 1) * self._width
        closed = None
        if end != self._open.end:
            closed = self.close(sample.ts)
            if end != self._open.end + self._width:
                self._held = None  # nothing was read meanwhile, or the clock was set back
            self._open = _Open(end, end - self._width)
        self._open.hold(self._held, sample.ts)
        self._open.count += 1
        if isinstance(sample.value, Reason):
            self._held, self._open.doubt = None, sample.value
        else:
            self._held, self._open.doubt = sample.value, sample.doubt or self._open.doubt
            self._open.note(sample.value)
        return closed

    def close_late(self, now: int) -> Sample | None:
        return self.close(now) if now >= self._open.end + LATE else None

    def close(self, now: int) -> Sample | None:
        """The window's sample, once; None where nothing was read in it."""
        seen = self._open
        if not seen.count:
            return None
        seen.hold(self._held, min(now, seen.end))
        seen.count = 0
        ts = seen.end if 0 <= now - seen.end <= TOO_LATE else now
        if seen.last is None:
            return Sample(ts, seen.doubt or Reason.NO_VALUE)
        return Sample(ts, self._result(seen, seen.last), seen.doubt)

    def _result(self, seen: _Open, last: float) -> float:
        match self._aggregate:
            case "minimum":
                return seen.low
            case "maximum":
                return seen.high
            case "mean" if seen.weight:
                return min(max(seen.mean, seen.low), seen.high)
        return last
