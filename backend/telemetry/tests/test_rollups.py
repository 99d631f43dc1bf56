"""Rollups against a reference that integrates millisecond spans one by one."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.rollups import CARRY, MINUTE, RESOLUTIONS, roll_up
from telemetry.samples import HOUR, Samples

Row = tuple[int, int, float, int]


def samples(rows: list[Row]) -> Samples:
    point, ts, value, code = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Samples(
        np.array(point, np.int64), np.array(ts, np.int64), np.array(value, np.float64), np.array(code, np.uint8)
    )


def reference(rows: list[Row], width: int) -> dict[tuple[int, int], tuple[object, ...]]:
    """One bucket at a time, with nothing clever."""
    answer: dict[tuple[int, int], tuple[object, ...]] = {}
    for point in {row[0] for row in rows}:
        series = [row for row in rows if row[0] == point]
        spans = [
            (ts, min(following, ts + CARRY), value)
            for (_, ts, value, _), following in zip(series, [*(row[1] for row in series[1:]), math.inf], strict=True)
            if not math.isnan(value)
        ]
        for start in {ts // width * width for _, ts, _, _ in series}:
            inside = [row for row in series if start <= row[1] < start + width]
            known = [row[2] for row in inside if not math.isnan(row[2])]
            parts = [
                (max(begin, start), min(end, start + width), value)
                for begin, end, value in spans
                if begin < start + width and end > start
            ]
            weight = sum(end - begin for begin, end, _ in parts)
            mean = math.fsum(value * ((end - begin) / weight) for begin, end, value in parts) if known else None
            answer[point, start] = (
                min(known, default=None),
                max(known, default=None),
                mean,
                known[0] if known else None,
                known[-1] if known else None,
                len(inside),
                sum(row[3] == 0 for row in inside),
            )
    return answer


@st.composite
def series(draw: st.DrawFn) -> list[Row]:
    rows: list[Row] = []
    for point in range(1, draw(st.integers(1, 3)) + 1):
        ts = 1_767_225_600_000 + draw(st.integers(0, HOUR))
        for step in draw(st.lists(st.sampled_from([1, 999, 5_000, MINUTE, 7 * MINUTE, CARRY, HOUR]), max_size=25)):
            ts += step
            value = draw(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)))
            rows.append((point, ts, value, 64 if math.isnan(value) else draw(st.sampled_from([0, 0, 1]))))
    return rows


@given(series(), st.sampled_from([resolution.width for resolution in RESOLUTIONS]))
def test_rollups_equal_the_reference(rows: list[Row], width: int) -> None:
    rolled = roll_up(samples(rows), width)
    expected = reference(rows, width)
    assert list(zip(rolled.point.tolist(), rolled.start.tolist(), strict=True)) == sorted(expected)
    columns = (rolled.low, rolled.high, rolled.mean, rolled.first, rolled.last, rolled.n, rolled.good)
    for name, *found in zip(sorted(expected), *(column.tolist() for column in columns), strict=True):
        for got, wanted in zip(found, expected[name], strict=True):
            if wanted is None:
                assert math.isnan(got)
            else:
                assert got == pytest.approx(wanted, rel=1e-9, abs=1e-6)


def test_a_value_holds_until_the_next_sample() -> None:
    rolled = roll_up(samples([(1, 0, 10.0, 0), (1, 45_000, 30.0, 0)]), MINUTE)
    assert rolled.mean.tolist() == [15.0]


def test_a_value_is_carried_into_the_next_bucket() -> None:
    rolled = roll_up(samples([(1, 30_000, 10.0, 0), (1, 90_000, 30.0, 0)]), MINUTE)
    assert rolled.mean.tolist() == [10.0, 20.0]


def test_a_value_is_not_carried_further_than_a_quarter_of_an_hour() -> None:
    rolled = roll_up(samples([(1, 0, 10.0, 0), (1, HOUR + 30_000, 30.0, 0)]), HOUR)
    assert rolled.mean.tolist() == [10.0, 30.0]


def test_a_sample_without_value_ends_the_one_before() -> None:
    rolled = roll_up(samples([(1, 0, 10.0, 0), (1, 15_000, math.nan, 64), (1, 45_000, 20.0, 0)]), MINUTE)
    assert (rolled.mean.tolist(), rolled.n.tolist(), rolled.good.tolist()) == ([15.0], [3], [2])


def test_one_point_does_not_carry_into_another() -> None:
    rolled = roll_up(samples([(1, 30_000, 10.0, 0), (2, 90_000, 30.0, 0)]), MINUTE)
    assert rolled.mean.tolist() == [10.0, 30.0]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_a_mean_lies_between_the_values_however_large_they_are(values: list[float]) -> None:
    rolled = roll_up(samples([(1, 1_000 * index, value, 0) for index, value in enumerate(values)]), MINUTE)
    assert min(values) <= rolled.mean[0] <= max(values)


def test_every_bucket_lies_inside_one_hour() -> None:
    assert all(HOUR % resolution.width == 0 and resolution.chunk % HOUR == 0 for resolution in RESOLUTIONS)
    assert all(coarse.width % fine.width == 0 for fine, coarse in pairwise(RESOLUTIONS))
    assert CARRY <= HOUR
