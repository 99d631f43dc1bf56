"""Rollups: what a bucket of time says about a point. Pure numpy.

The mean is weighted by time: a value holds until the next sample, at most CARRY; a sample without a value ends the
one before it; time for which no value is known does not count. A bucket exists only if it holds a sample. Low, high,
first, last and mean look at samples that have a value (uncertain ones too) and are NaN when there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from telemetry.samples import HOUR, Samples, hour_keys

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MINUTE = 60_000
DAY = 24 * HOUR
CARRY = 15 * MINUTE


class Resolution(NamedTuple):
    """`width` of a bucket and `chunk`, what one stored row spans, both in ms."""

    name: str
    width: int
    chunk: int

    @property
    def table(self) -> str:
        return f"rollup_{self.name}"


RESOLUTIONS = (
    Resolution("1m", MINUTE, HOUR),
    Resolution("15m", 15 * MINUTE, DAY),
    Resolution("1h", HOUR, DAY),
)
"""Finest first. Every bucket lies inside one hour, so a touched hour can be rolled up alone."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """Columns of equal length, ascending by point and start. `n` counts samples, `good` the good ones."""

    point: Ints
    start: Ints
    low: Floats
    high: Floats
    mean: Floats
    first: Floats
    last: Floats
    n: Ints
    good: Ints

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def empty(cls) -> Self:
        whole, real = np.empty(0, np.int64), np.empty(0)
        return cls(whole, whole, real, real, real, real, real, whole, whole)

    def take(self, which: NDArray[Any] | slice) -> Buckets:
        return Buckets(*(getattr(self, column.name)[which] for column in fields(self)))

    def in_hours(self, keys: Ints) -> NDArray[np.bool_]:
        """Which buckets begin in one of these (point, hour) keys."""
        return np.isin(hour_keys(self.point, self.start), keys)


def join(parts: Sequence[Buckets]) -> Buckets:
    """Sets of buckets that do not overlap -> one, in order."""
    columns = [np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Buckets)]
    whole = Buckets(*columns)
    return whole.take(np.lexsort((whole.start, whole.point)))


def roll_up(samples: Samples, width: int, carry: int = CARRY) -> Buckets:
    """`samples` ascending by point and time, each instant once (as `samples.merge` answers)."""
    if not len(samples):
        return Buckets.empty()
    point, ts, value = samples.point, samples.ts, samples.value
    bucket = ts // width * width
    known = ~np.isnan(value)

    begins = np.append(True, (np.diff(point) != 0) | (np.diff(bucket) != 0))
    starts = np.flatnonzero(begins)
    n = np.diff(starts, append=len(ts))
    bucket_start = bucket[starts]
    some_known = np.logical_or.reduceat(known, starts)

    low = np.minimum.reduceat(np.where(known, value, np.inf), starts)
    high = np.maximum.reduceat(np.where(known, value, -np.inf), starts)
    position = np.arange(len(ts))
    first = value[np.minimum.reduceat(np.where(known, position, len(ts) - 1), starts)]
    last = value[np.maximum.reduceat(np.where(known, position, 0), starts)]

    # How long each value holds inside its own bucket: to the next sample of the point, the bucket's end or the carry.
    following = np.append(ts[1:], np.iinfo(np.int64).max)
    following[np.append(np.diff(point) != 0, True)] = np.iinfo(np.int64).max
    held = np.minimum(np.minimum(following, bucket + width), ts + carry) - ts
    # What the sample before the bucket carries in.
    before = np.maximum(starts - 1, 0)
    carried_in = (starts > 0) & (point[before] == point[starts]) & known[before]
    carried = np.minimum(ts[before] + carry, ts[starts]) - bucket_start
    carried = np.where(carried_in, np.maximum(carried, 0), 0)

    # Relative to the first known value, so that a huge value in a bucket loses no digits of a steady one.
    base = np.where(some_known, first, np.where(carried_in, value[before], 0.0))
    mean = _weighted_mean(
        np.where(known, value, np.repeat(base, n)),
        np.where(known, held, 0),
        starts,
        np.where(carried_in, value[before], base),
        carried,
        base,
    )
    # The mean of values lies between them; rounding must not put it outside.
    span_low = np.where(carried > 0, np.minimum(low, np.where(carried_in, value[before], np.inf)), low)
    span_high = np.where(carried > 0, np.maximum(high, np.where(carried_in, value[before], -np.inf)), high)
    mean = np.clip(mean, span_low, span_high)

    nothing = ~some_known
    for column in (low, high, first, last):
        column[nothing] = np.nan
    mean[nothing] = np.nan
    good = np.add.reduceat((samples.code == 0).astype(np.int64), starts)
    return Buckets(point[starts], bucket_start, low, high, mean, first, last, n.astype(np.int64), good)


def _weighted_mean(
    value: Floats, weight: Ints, starts: Ints, carried_value: Floats, carried_weight: Ints, base: Floats
) -> Floats:
    """base + sum((value - base) * weight) / sum(weight), for each bucket; a value may be as large as 1e308."""
    counts = np.diff(starts, append=len(value))
    total = np.add.reduceat(weight, starts) + carried_weight
    share = weight / np.repeat(np.maximum(total, 1), counts)
    with np.errstate(over="ignore", invalid="ignore"):
        near = np.add.reduceat((value - np.repeat(base, counts)) * share, starts)
        near += (carried_value - base) * (carried_weight / np.maximum(total, 1))
        mean = base + near
    wide = ~np.isfinite(mean)  # the difference of two huge values overflows: weigh the values themselves
    if wide.any():
        plain = np.add.reduceat(value * share, starts) + carried_value * (carried_weight / np.maximum(total, 1))
        mean[wide] = plain[wide]
    return np.asarray(mean)
