"""How an hour of one point is stored: the smallest encoding that gives every value back bit for bit. Pure numpy.

A value is a whole number divided by a power of ten (int2, int4, int8) or a float (float4, float8). The test is the
way back: `cast` then `decode` must give the very same bits, so -0.0, denormals, 1e308 and a float32 that travelled
as a decimal all survive. NaN means "no value" and is never stored: the quality says so.

Many segments are encoded at once: `values` are the samples of all of them, one after the other, and `starts` the
index of each segment's first sample.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DIVISORS = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
IRREGULAR = -1


class Encoding(IntEnum):
    """In the order in which they are tried: by size."""

    INT2 = 0
    INT4 = 1
    FLOAT4 = 2
    INT8 = 3
    FLOAT8 = 4


_INT_LIMITS = ((Encoding.INT2, 2.0**15), (Encoding.INT4, 2.0**31), (Encoding.INT8, 2.0**63))
_DTYPES = {
    Encoding.INT2: np.int16,
    Encoding.INT4: np.int32,
    Encoding.FLOAT4: np.float32,
    Encoding.INT8: np.int64,
    Encoding.FLOAT8: np.float64,
}


def same_bits(left: Floats, right: Floats) -> NDArray[np.bool_]:
    """Elementwise; unlike ==, tells -0.0 from 0.0 and finds NaN equal to itself."""
    return np.asarray(left.view(np.int64) == right.view(np.int64))


def choose(values: Floats, starts: Ints) -> tuple[NDArray[np.int8], Ints]:
    """For each segment its Encoding and divisor. `values` must be finite (see `fill_missing`)."""
    count = len(starts)
    chosen = np.full(count, Encoding.FLOAT8, np.int8)
    divisors = np.ones(count, np.int64)
    lengths = np.diff(starts, append=len(values))
    with np.errstate(over="ignore"):
        as_float4 = (
            np.logical_and.reduceat(same_bits(values.astype(np.float32).astype(np.float64), values), starts)
            if count
            else np.empty(0, np.bool_)
        )
    chosen[as_float4] = Encoding.FLOAT4

    open_segments = np.arange(count)
    for divisor in DIVISORS:
        if not len(open_segments):
            break
        picked, inner = _gather(values, starts[open_segments], lengths[open_segments])
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = np.rint(picked * divisor)
            exact = same_bits((scaled + 0.0) / divisor, picked)
        exact_segments = np.logical_and.reduceat(exact, inner)
        largest = np.maximum.reduceat(np.abs(scaled), inner)
        taken = np.zeros(len(open_segments), np.bool_)
        for encoding, limit in _INT_LIMITS:
            fits = exact_segments & ~taken & (largest < limit)
            better = fits & (encoding < chosen[open_segments])
            chosen[open_segments[better]] = encoding
            divisors[open_segments[better]] = divisor
            taken |= fits
        open_segments = open_segments[~taken]
    return chosen, divisors


def _gather(values: Floats, starts: Ints, lengths: Ints) -> tuple[Floats, Ints]:
    """The samples of some segments, one after the other, and where each begins among them."""
    inner = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    if lengths.sum() == len(values):
        return values, inner
    index = np.arange(lengths.sum()) + np.repeat(starts - inner, lengths)
    return values[index], inner


def cast(values: Floats, encoding: Encoding, divisor: NDArray[Any] | int = 1) -> NDArray[Any]:
    """Values -> what is stored. Exact only for the encoding that `choose` has found."""
    if encoding in (Encoding.FLOAT4, Encoding.FLOAT8):
        with np.errstate(over="ignore"):
            return values.astype(_DTYPES[encoding])
    with np.errstate(over="ignore", invalid="ignore"):
        return np.rint(values * divisor).astype(_DTYPES[encoding])


def decode(stored: NDArray[Any], divisor: NDArray[Any] | int) -> Floats:
    """What is stored -> values; the same arithmetic as the SQL function samples()."""
    return np.asarray(stored.astype(np.float64) / divisor)


def fill_missing(values: Floats, starts: Ints) -> Floats:
    """NaN replaced by the value before it in its segment, else the one after, else 0: whatever spoils no encoding."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    index = np.where(missing, -1, np.arange(len(values)))
    segment = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(values)))
    before = np.maximum.accumulate(index)
    first_real = np.full(len(starts), len(values))
    np.minimum.at(first_real, segment[~missing], np.flatnonzero(~missing))
    source = np.where(before >= starts[segment], before, first_real[segment])
    return np.append(values, 0.0)[source]


def periods(ts: Ints, starts: Ints) -> Ints:
    """For each segment the one distance between its samples, IRREGULAR if they differ, 0 for a single sample."""
    lengths = np.diff(starts, append=len(ts))
    found = np.zeros(len(starts), np.int64)
    several = lengths > 1
    if not several.any():
        return found
    steps = np.diff(ts, append=ts[-1])
    ends = starts + lengths - 1
    inside = np.ones(len(ts), np.bool_)
    inside[ends] = False  # the step out of a segment is not its own
    low = np.minimum.reduceat(np.where(inside, steps, np.iinfo(np.int64).max), starts)
    high = np.maximum.reduceat(np.where(inside, steps, np.iinfo(np.int64).min), starts)
    found[several] = np.where(low == high, low, IRREGULAR)[several]
    return found


def run_lengths(codes: NDArray[np.uint8]) -> NDArray[np.int16] | None:
    """Quality codes -> {code, n, code, n, ...}, None when all are good."""
    if not codes.any():
        return None
    edges = np.flatnonzero(np.diff(codes.astype(np.int16), prepend=-1))
    lengths = np.diff(edges, append=len(codes))
    runs: list[int] = []
    for code, length in zip(codes[edges].tolist(), lengths.tolist(), strict=True):
        for first in range(0, length, _LONGEST_RUN):
            runs += (code, min(_LONGEST_RUN, length - first))
    return np.array(runs, np.int16)


_LONGEST_RUN = 32_767


def expand_runs(runs: NDArray[np.int16] | None, n: int) -> NDArray[np.uint8]:
    if runs is None:
        return np.zeros(n, np.uint8)
    return np.repeat(runs[0::2].astype(np.uint8), runs[1::2])
