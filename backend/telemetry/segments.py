"""The cold store's samples: one row per point and hour. Reads and writes whole hours, knows no Django.

Every function works inside the caller's transaction, on a binary cursor from `store.cursor`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor

from telemetry import encoding, wire
from telemetry.encoding import Encoding
from telemetry.samples import HOUR, Ints, Samples, hour_keys, in_hours, run_starts, split_hour_keys

_ARRAY_TYPES = {
    Encoding.INT2: wire.INT2,
    Encoding.INT4: wire.INT4,
    Encoding.FLOAT4: wire.FLOAT4,
    Encoding.INT8: wire.INT8,
    Encoding.FLOAT8: wire.FLOAT8,
}

_COPY = """
COPY segment (point, start, n, phase, period, offsets, divisor,
              as_int2, as_int4, as_float4, as_int8, as_float8, quality) FROM STDIN (FORMAT binary)
"""

_LOAD = """
SELECT g.point, g.start, g.n, g.phase, g.period, g.offsets, g.divisor,
       g.as_int2, g.as_int4, g.as_float4, g.as_int8, g.as_float8, g.quality
FROM unnest(%(since)s::bigint[], %(until)s::bigint[]) AS span(since, until)
JOIN segment g ON g.point = ANY (%(points)s::integer[]) AND g.start >= span.since AND g.start < span.until
ORDER BY g.point, g.start
"""

_DELETE = """
DELETE FROM segment g USING unnest(%s::integer[], %s::bigint[]) AS t(point, start)
WHERE g.point = t.point AND g.start = t.start
"""


def load(cursor: Cursor[Any], points: Sequence[int], spans: Sequence[tuple[int, int]]) -> Samples:
    """The stored samples of all hours that begin in one of the spans [since, until); merged order."""
    if not spans or not len(points):
        return Samples.empty()
    cursor.execute(
        _LOAD,
        {"points": list(points), "since": [span[0] for span in spans], "until": [span[1] for span in spans]},
    )
    return _decode(cursor.fetchall())


def _decode(rows: Sequence[tuple[Any, ...]]) -> Samples:
    if not rows:
        return Samples.empty()
    point, start, n, phase, period, offsets, divisor, *arrays, quality = zip(*rows, strict=True)
    counts = np.array(n, np.int64)
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    begin = np.array(start, np.int64)
    regular = np.array([step or 0 for step in period], np.int64)
    inside = np.arange(counts.sum()) - np.repeat(starts, counts)
    ts = np.repeat(begin + np.array(phase, np.int64), counts) + inside * np.repeat(regular, counts)
    for row, steps in enumerate(offsets):
        if steps is not None:
            ts[starts[row] : starts[row] + counts[row]] = begin[row] + steps
    stored = [next(array for array in candidates if array is not None) for candidates in zip(*arrays, strict=True)]
    value = encoding.decode(
        np.concatenate(stored, dtype=np.float64, casting="unsafe"), np.repeat(np.array(divisor, np.int64), counts)
    )
    code = np.zeros(len(ts), np.uint8)
    for row, runs in enumerate(quality):
        if runs is not None:
            code[starts[row] : starts[row] + counts[row]] = encoding.expand_runs(runs, int(counts[row]))
    value[code >= 64] = np.nan
    return Samples(np.repeat(np.array(point, np.int64), counts), ts, value, code)


def replace(cursor: Cursor[Any], samples: Samples, hours: Ints) -> int:
    """Write the given (point, hour) keys anew from `samples`, which hold all of them. Returns the rows written."""
    mine = in_hours(samples, hours)
    points, starts = split_hour_keys(hours)
    cursor.execute(_DELETE, (points.tolist(), starts.tolist()))
    if not len(mine):
        return 0
    with cursor.copy(_COPY) as copy:
        for block in wire.copy_rows(_rows(mine)):
            copy.write(block)
    return len(hours)


def _rows(samples: Samples) -> Iterator[list[wire.Field]]:
    keys = hour_keys(samples.point, samples.ts)
    starts = run_starts(keys)
    ends = np.append(starts[1:], len(keys))
    hour = samples.ts[starts] // HOUR * HOUR
    offset = samples.ts - np.repeat(hour, ends - starts)
    value = encoding.fill_missing(samples.value, starts)
    chosen, divisors = encoding.choose(value, starts)
    periods = encoding.periods(samples.ts, starts)
    flawed = np.maximum.reduceat(samples.code, starts) > 0

    stored = _stored(value, chosen, divisors, ends - starts)
    offsets = wire.ArrayFields(wire.INT4, offset) if (periods == encoding.IRREGULAR).any() else None
    columns = (samples.point[starts], hour, starts, ends, offset[starts], periods, divisors, chosen, flawed)
    for point, start, first, end, phase, period, divisor, kind, bad in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        irregular = offsets is not None and period == encoding.IRREGULAR
        row: list[wire.Field] = [
            wire.int4(point),
            wire.int8(start),
            wire.int4(end - first),
            wire.int4(phase),
            None if irregular else wire.int4(period),
            offsets.field(first, end) if offsets is not None and irregular else None,
            wire.int4(divisor),
            None,
            None,
            None,
            None,
            None,
            None,
        ]
        row[7 + kind] = stored[kind].field(first, end)
        runs = encoding.run_lengths(samples.code[first:end]) if bad else None
        row[12] = None if runs is None else wire.array_field(wire.INT2, runs)
        yield row


def _stored(
    value: NDArray[np.float64], chosen: NDArray[np.int8], divisors: Ints, counts: Ints
) -> dict[int, wire.ArrayFields]:
    """For each encoding in use, all values in it; only the segments that chose it are read from there."""
    kinds = np.repeat(chosen, counts)
    divisor = np.repeat(divisors, counts)
    fields: dict[int, wire.ArrayFields] = {}
    for kind in _used(chosen):
        mine = kinds == kind
        stored = encoding.cast(np.where(mine, value, 0.0), kind, divisor)
        fields[kind] = wire.ArrayFields(_ARRAY_TYPES[kind], stored)
    return fields


def _used(chosen: NDArray[np.int8]) -> Iterable[Encoding]:
    return [Encoding(kind) for kind in np.unique(chosen).tolist()]
