"""Batches become columns; whatever the layout of their readings, each instant is there once."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ems_contract.points import quality_code
from ems_contract.telemetry import Batch, Reading, decode_batch
from telemetry.samples import HOUR, Samples, from_batches, hour_keys, hour_runs, merge, split_hour_keys
from telemetry.tests.ledger import NOON, Ledger, reading

KEYS = ["a.one", "a.two", "b.one", "b.two"]
IDS = {key: 10 + index for index, key in enumerate(KEYS)}

reasons = st.sampled_from(["timeout", "stuck", "no_value", "something_new"])


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True))
    values = {key: draw(st.one_of(st.none(), st.floats(-1e9, 1e9))) for key in keys}
    quality = {key: draw(reasons) for key in draw(st.lists(st.sampled_from(KEYS), unique=True))}
    return Reading(NOON + draw(st.integers(0, 20)), values, quality or None)


def as_dict(samples: Samples) -> dict[tuple[int, int], tuple[float | None, int]]:
    rows = zip(*(getattr(samples, name).tolist() for name in ("point", "ts", "value", "code")), strict=True)
    return {(point, ts): (None if math.isnan(value) else value, code) for point, ts, value, code in rows}


def decoded(ledger: Ledger, batches: list[list[Reading]]) -> list[Batch]:
    return [decode_batch(ledger.batch(*batch).payload) for batch in batches]


@given(st.lists(st.lists(readings(), max_size=6), max_size=6))
def test_columns_hold_what_the_ledger_holds(batches: list[list[Reading]]) -> None:
    ledger = Ledger()
    samples = from_batches(decoded(ledger, batches), IDS)
    assert as_dict(samples) == {(IDS[key], ts): sample for (key, ts), sample in ledger.samples.items()}
    order = list(zip(samples.point.tolist(), samples.ts.tolist(), strict=True))
    assert order == sorted(set(order))


@given(st.lists(st.lists(readings(), max_size=4), max_size=6), st.integers(0, 6))
def test_merging_in_two_steps_is_the_same(batches: list[list[Reading]], cut: int) -> None:
    ledger = Ledger()
    all_of_them = decoded(ledger, batches)
    steps = merge(from_batches(all_of_them[:cut], IDS), from_batches(all_of_them[cut:], IDS))
    assert as_dict(steps) == as_dict(from_batches(all_of_them, IDS))


@given(st.lists(st.lists(readings(), max_size=4), max_size=4))
def test_only_the_wanted_points_are_answered(batches: list[list[Reading]]) -> None:
    ledger = Ledger()
    wanted = {"a.two": 11, "b.one": 12}
    samples = from_batches(decoded(ledger, batches), wanted)
    assert as_dict(samples) == {(wanted[key], ts): s for (key, ts), s in ledger.samples.items() if key in wanted}


def test_a_sample_that_is_not_good_never_replaces_a_good_one() -> None:
    ledger = Ledger()
    batches = decoded(ledger, [[reading(NOON, {"a.one": 1.0})], [reading(NOON, {"a.one": 2.0}, a_one="stuck")]])
    assert as_dict(from_batches(batches, IDS)) == {(10, NOON): (1.0, 0)}


def test_the_last_written_of_two_good_ones_wins() -> None:
    batches = decoded(Ledger(), [[reading(NOON, {"a.one": 1.0})], [reading(NOON, {"a.one": 2.0})]])
    assert as_dict(from_batches(batches, IDS)) == {(10, NOON): (2.0, 0)}


def test_a_missing_value_without_a_reason_is_bad() -> None:
    batches = decoded(Ledger(), [[reading(NOON, {"a.one": None})]])
    assert as_dict(from_batches(batches, IDS)) == {(10, NOON): (None, quality_code(None, None))}


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=20))
def test_runs_cover_every_hour_and_its_neighbours(numbers: list[int]) -> None:
    hours = [number * HOUR for number in numbers]
    runs = hour_runs(split_hour_keys(hour_keys(np.ones(len(hours), np.int64), np.array(hours, np.int64)))[1])
    for hour in hours:
        assert any(since <= hour - HOUR and hour + 2 * HOUR <= until for since, until in runs)
    assert all(first[1] < second[0] for first, second in pairwise(runs))
