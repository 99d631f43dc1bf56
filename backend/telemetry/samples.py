"""Samples as columns: what batches decode to, what segments load to, how both become one series. Pure numpy.

A good sample is never replaced by one that is not good; otherwise the last written wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ems_contract.points import quality_code
from ems_contract.telemetry import Batch

Ints = NDArray[np.int64]
HOUR = 3_600_000

BAD_WITHOUT_REASON = quality_code(None, None)


@dataclass(frozen=True, slots=True)
class Samples:
    """Columns of equal length. `ts` in ms; `value` is NaN where there is none; `code` as stored (0 is good)."""

    point: Ints
    ts: Ints
    value: NDArray[np.float64]
    code: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.ts)

    @classmethod
    def empty(cls) -> Self:
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8))

    def take(self, which: NDArray[Any] | slice) -> Samples:
        return Samples(self.point[which], self.ts[which], self.value[which], self.code[which])

    def between(self, since: int, until: int) -> Samples:
        """Those with since <= ts < until."""
        return self.take((self.ts >= since) & (self.ts < until))


def concatenate(parts: Sequence[Samples]) -> Samples:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Samples.empty()
    return Samples(
        np.concatenate([part.point for part in parts]),
        np.concatenate([part.ts for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.code for part in parts]),
    )


@dataclass(slots=True)
class _Layout:
    """The readings that carry the same keys in the same order: rows of one matrix."""

    columns: dict[str, int]
    """Key -> column, of the keys that are wanted."""
    points: list[int]
    pick: itemgetter[Any] | None
    """None when every key is wanted."""
    ts: list[int] = field(default_factory=list)
    arrival: list[int] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)
    reasons: list[tuple[int, int, float | None, str]] = field(default_factory=list)
    """(row, column, value, reason) of what is not good."""


def from_batches(batches: Iterable[Batch], ids: Mapping[str, int]) -> Samples:
    """The samples of the points in `ids` (key -> id), merged; `batches` in the order of arrival."""
    layouts: dict[tuple[str, ...], _Layout | None] = {}
    arrival = 0
    for batch in batches:
        for reading in batch.readings:
            keys = tuple(reading.values)
            if keys not in layouts:
                layouts[keys] = _layout(keys, ids)
            layout = layouts[keys]
            if layout is None:
                continue
            arrival += 1
            if reading.quality:
                row = len(layout.ts)
                for key, reason in reading.quality.items():
                    if key in layout.columns:
                        layout.reasons.append((row, layout.columns[key], reading.values[key], reason))
            layout.ts.append(reading.ts)
            layout.arrival.append(arrival)
            if layout.pick is None:
                layout.values.extend(reading.values.values())
            elif len(layout.points) == 1:
                layout.values.append(layout.pick(reading.values))
            else:
                layout.values.extend(layout.pick(reading.values))
    filled = [layout for layout in layouts.values() if layout is not None]
    if not filled:
        return Samples.empty()
    order = np.concatenate([np.tile(np.array(layout.arrival), len(layout.points)) for layout in filled])
    return _unique(concatenate([_columns(layout) for layout in filled]), order)


def _layout(keys: tuple[str, ...], ids: Mapping[str, int]) -> _Layout | None:
    wanted = [key for key in keys if key in ids]
    if not wanted:
        return None
    columns = {key: column for column, key in enumerate(wanted)}
    pick = None if len(wanted) == len(keys) else itemgetter(*wanted)
    return _Layout(columns, [ids[key] for key in wanted], pick)


def _columns(layout: _Layout) -> Samples:
    """Point after point, each in the order of arrival."""
    rows, columns = len(layout.ts), len(layout.points)
    values = np.array(layout.values, np.float64).reshape(rows, columns)
    codes = np.where(np.isnan(values), np.uint8(BAD_WITHOUT_REASON), np.uint8(0))
    for row, column, value, reason in layout.reasons:
        codes[row, column] = quality_code(value, reason)
    return Samples(
        np.repeat(np.array(layout.points, np.int64), rows),
        np.tile(np.array(layout.ts, np.int64), columns),
        values.T.reshape(-1),
        codes.T.reshape(-1),
    )


def merge(older: Samples, newer: Samples) -> Samples:
    """One series per point, ascending, each instant once."""
    if not len(older) and not len(newer):
        return older
    both = concatenate([older, newer])
    return _unique(both, np.arange(len(both)))


def _unique(samples: Samples, order: NDArray[Any]) -> Samples:
    """Sorted by point and time; of several at one instant the good one, then the one with the highest order."""
    first = np.lexsort((samples.ts, samples.point)) if not _ascending(samples) else None
    if first is not None:
        samples, order = samples.take(first), order[first]
    same = (np.diff(samples.ts) == 0) & (np.diff(samples.point) == 0)
    if not same.any():
        return samples
    ranked = np.lexsort((order, samples.code == 0, samples.ts, samples.point))
    return samples.take(ranked).take(np.append(~same, True))


def _ascending(samples: Samples) -> bool:
    step = np.diff(samples.point)
    return bool(np.all((step > 0) | ((step == 0) & (np.diff(samples.ts) >= 0))))


# Hours -------------------------------------------------------------------------------------------------------------

_HOURS = 1 << 32


def hour_keys(point: Ints, ts: Ints) -> Ints:
    """One number for each (point, hour), ordered as they are."""
    return np.asarray(point * _HOURS + ts // HOUR)


def split_hour_keys(keys: Ints) -> tuple[Ints, Ints]:
    """The inverse: points, and starts of the hours in ms."""
    return keys // _HOURS, keys % _HOURS * HOUR


def touched_hours(samples: Samples) -> Ints:
    """The (point, hour) keys that hold a sample, ascending; of merged samples, which are in that order already."""
    keys = hour_keys(samples.point, samples.ts)
    return keys[run_starts(keys)]


def run_starts(keys: Ints) -> Ints:
    """Where each run of equal keys begins."""
    return np.flatnonzero(np.diff(keys, prepend=-1))


def in_hours(samples: Samples, hours: Ints) -> Samples:
    """Those of the given (point, hour) keys; of merged samples."""
    keys = hour_keys(samples.point, samples.ts)
    starts = run_starts(keys)
    wanted = np.isin(keys[starts], hours)
    if wanted.all():
        return samples
    return samples.take(np.repeat(wanted, np.diff(starts, append=len(keys))))


def hour_runs(hours: Ints, around: int = HOUR) -> list[tuple[int, int]]:
    """Starts of hours -> spans [since, until) that cover each of them and `around` it, far ones apart."""
    distinct = np.unique(hours)
    if not len(distinct):
        return []
    cuts = np.flatnonzero(np.diff(distinct) > 2 * around + HOUR) + 1
    return [(int(run[0]) - around, int(run[-1]) + HOUR + around) for run in np.split(distinct, cuts)]
