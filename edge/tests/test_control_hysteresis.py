"""The hysteresis rule: on and off at its values, and never more often than its times allow."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from ems_contract.control import HysteresisRule
from ems_edge.control_hysteresis import Hysteresis
from ems_edge.control_rules import Reading, Sight
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)
COOLING: dict[str, Any] = {
    "key": "cooling",
    "name": "Cooling",
    "point": "fan.enable",
    "input": "room.temperature",
    "on_at": 25.0,
    "off_at": 23.0,
    "on_value": 1.0,
    "off_value": 0.0,
}
HEATING = COOLING | {"on_at": 19.0, "off_at": 21.0}


def _run(fields: dict[str, Any], values: list[float], every: float = 1.0) -> list[float | None]:
    core = Hysteresis(HysteresisRule(**fields))
    state, outputs = core.begin(0.0), []
    for number, value in enumerate(values):
        now = number * every
        step = core.step(state, Sight(now, NOON, Reading(value, now)))
        state = step.state
        outputs.append(step.output)
    return outputs


def test_it_cools_from_one_value_until_another() -> None:
    assert _run(COOLING, [24.0, 25.0, 24.0, 23.1, 23.0, 24.9, 25.0]) == [0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0]


def test_it_heats_where_on_lies_below_off() -> None:
    assert _run(HEATING, [20.0, 19.0, 20.0, 20.9, 21.0, 19.1, 18.0]) == [0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0]


def test_without_a_value_for_off_it_lets_go() -> None:
    assert _run(COOLING | {"off_value": None}, [24.0, 26.0, 22.0]) == [None, 1.0, None]


@pytest.mark.parametrize(("age", "stale", "output"), [(60.0, False, 1.0), (61.0, True, None)])
def test_without_a_fresh_sample_it_lets_go(age: float, stale: bool, output: float | None) -> None:
    core = Hysteresis(HysteresisRule(**(COOLING | {"minimum_on": 1_000.0})))
    state = core.step(core.begin(0.0), Sight(0.0, NOON, Reading(26.0, 0.0))).state
    step = core.step(state, Sight(age, NOON, Reading(26.0, 0.0)))
    assert (step.stale, step.output) == (stale, output)


def test_after_a_restart_what_was_on_stays_on_and_what_was_off_waits_its_time() -> None:
    core = Hysteresis(HysteresisRule(**(COOLING | {"minimum_off": 300.0})))
    was_on = core.take_over(core.begin(0.0), 1.0, 0.0)
    assert core.step(was_on, Sight(1.0, NOON, Reading(24.0, 1.0))).output == 1.0
    was_off = core.take_over(core.begin(0.0), 0.0, 0.0)
    assert core.step(was_off, Sight(1.0, NOON, Reading(30.0, 1.0))).output == 0.0
    assert core.step(was_off, Sight(300.0, NOON, Reading(30.0, 300.0))).output == 1.0


@given(
    st.sampled_from([COOLING, HEATING]),
    st.lists(st.floats(15, 30), min_size=2, max_size=80),
    st.floats(0, 20),
    st.floats(0, 20),
)
def test_it_is_never_on_or_off_for_less_than_its_times(
    fields: dict[str, Any], values: list[float], on: float, off: float
) -> None:
    outputs = _run(fields | {"minimum_on": on, "minimum_off": off}, values)
    turned = [(0, 0.0)] + [
        (at, one) for at, (before, one) in enumerate(itertools.pairwise(outputs), 1) if one != before
    ]
    for (since, output), (until, _) in itertools.pairwise(turned):
        assert until - since >= (on if output else off)


@given(st.lists(st.floats(15, 30), min_size=1, max_size=80))
def test_beyond_its_values_there_is_no_doubt_and_between_them_nothing_changes(values: list[float]) -> None:
    outputs = _run(COOLING, values)
    for number, (value, output) in enumerate(zip(values, outputs, strict=True)):
        if value >= 25:
            assert output == 1.0
        elif value <= 23:
            assert output == 0.0
        else:
            assert output == (outputs[number - 1] if number else 0.0)
