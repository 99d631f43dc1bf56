"""Every encoding gives back the very bits, and the smallest one that does is taken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry import encoding
from telemetry.encoding import IRREGULAR, Encoding

finite = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.builds(lambda whole, places: whole / 10**places, st.integers(-(2**40), 2**40), st.integers(0, 6))
singles = st.floats(width=32, allow_nan=False, allow_infinity=False)
hours = st.lists(
    st.one_of(*(st.lists(one, min_size=1, max_size=30) for one in (finite, decimals, singles))), min_size=1, max_size=8
)


def flatten(segments: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    lengths = [len(segment) for segment in segments]
    return np.array([value for segment in segments for value in segment]), np.cumsum([0, *lengths[:-1]])


@given(hours)
def test_every_value_comes_back_bit_for_bit(segments: list[list[float]]) -> None:
    values, starts = flatten(segments)
    kinds, divisors = encoding.choose(values, starts)
    for segment, kind, divisor in zip(segments, kinds.tolist(), divisors.tolist(), strict=True):
        original = np.array(segment)
        back = encoding.decode(encoding.cast(original, Encoding(kind), divisor), divisor)
        assert back.tobytes() == original.tobytes()


@given(hours)
def test_a_segment_is_encoded_as_if_it_were_alone(segments: list[list[float]]) -> None:
    values, starts = flatten(segments)
    together = list(zip(*(column.tolist() for column in encoding.choose(values, starts)), strict=True))
    alone = [
        tuple(column.tolist()[0] for column in encoding.choose(np.array(segment), np.array([0])))
        for segment in segments
    ]
    assert together == alone


@pytest.mark.parametrize(
    ("values", "kind", "divisor"),
    [
        ([0.0, 1.0, -32_768.0 + 1], Encoding.INT2, 1),
        ([21.5, 21.6, -3.1], Encoding.INT2, 10),
        ([2_147_483_647.0], Encoding.INT4, 1),
        ([2_147_483_648.0], Encoding.FLOAT4, 1),
        ([2_147_483_649.0], Encoding.INT8, 1),
        ([230.10000610351562, 231.5], Encoding.FLOAT4, 1),
        ([0.1 + 0.2], Encoding.FLOAT8, 1),
        ([-0.0, 1.0], Encoding.FLOAT4, 1),
        ([1e308, -1e308], Encoding.FLOAT8, 1),
        ([5e-324], Encoding.FLOAT8, 1),
        ([float(2**63)], Encoding.FLOAT4, 1),
        ([float(2**53 + 2), 1.0], Encoding.INT8, 1),
        ([12_345.678901], Encoding.INT8, 1_000_000),
    ],
)
def test_the_smallest_encoding_is_taken(values: list[float], kind: Encoding, divisor: int) -> None:
    kinds, divisors = encoding.choose(np.array(values), np.array([0]))
    assert (Encoding(kinds[0]), divisors[0]) == (kind, divisor)


@given(st.lists(st.lists(st.one_of(st.none(), decimals), min_size=1, max_size=20), min_size=1, max_size=6))
def test_missing_values_are_filled_from_their_own_segment(segments: list[list[float | None]]) -> None:
    flat, starts = flatten([[np.nan if value is None else value for value in segment] for segment in segments])
    filled = encoding.fill_missing(flat, starts)
    assert np.array_equal(filled[~np.isnan(flat)], flat[~np.isnan(flat)])
    for segment, first in zip(segments, starts.tolist(), strict=True):
        mine = filled[first : first + len(segment)]
        known = [value for value in segment if value is not None] or [0.0]
        assert all(value in known for value in mine.tolist())


@given(st.lists(st.lists(st.integers(1, 5_000), max_size=20), min_size=1, max_size=6))
def test_a_regular_segment_is_known_by_its_period(steps: list[list[int]]) -> None:
    segments = [np.cumsum([index * 3_600_000, *some]) for index, some in enumerate(steps)]
    starts = np.cumsum([0, *(len(segment) for segment in segments[:-1])])
    found = encoding.periods(np.concatenate(segments), starts).tolist()
    expected = [0 if not some else some[0] if len(set(some)) == 1 else IRREGULAR for some in steps]
    assert found == expected


@given(st.lists(st.sampled_from([0, 1, 64, 127]), min_size=1, max_size=200))
def test_quality_comes_back_from_its_run_lengths(codes: list[int]) -> None:
    array = np.array(codes, np.uint8)
    runs = encoding.run_lengths(array)
    assert (runs is None) == (not any(codes))
    assert encoding.expand_runs(runs, len(codes)).tolist() == codes


def test_a_run_longer_than_an_int2_is_split() -> None:
    codes = np.full(70_000, 64, np.uint8)
    runs = encoding.run_lengths(codes)
    assert runs is not None
    assert len(runs) == 6
    assert encoding.expand_runs(runs, 70_000).tolist() == codes.tolist()
