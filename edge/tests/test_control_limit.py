"""The limit rule against plants that answer late: the limit is held, and nothing moves that must not."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from edge_support.plant import NOON, Plant
from ems_contract.control import LimitRule
from ems_edge.control_limit import STEPS, Limit
from ems_edge.control_rules import Reading, Sight
from hypothesis import given, settings
from hypothesis import strategies as st

RULE: dict[str, Any] = {
    "key": "shave",
    "name": "Shave",
    "point": "battery.setpoint",
    "input": "grid.power",
    "maximum": 100.0,
    "effect": -1.0,
    "low": -50.0,
    "high": 200.0,
    "margin": 2.0,
    "response": 3.0,
    "minimum_on": 0.0,
}
MANY = settings(max_examples=60)


def _rule(**changes: Any) -> LimitRule:
    return LimitRule(**(RULE | changes))


def _outputs(rows: list[Any], rest: float = 0.0) -> list[float]:
    return [rest if row.output is None else row.output for row in rows]


loads = st.lists(st.floats(-150, 280), min_size=1, max_size=4)
plants = st.tuples(st.floats(0, 1.8), st.floats(0, 0.3))
"""Delay and lag that are over within the rule's response, s; a lag is over after four times its length."""


def _held(loads: list[float], each: float) -> Any:
    return lambda t: loads[min(int(t / each), len(loads) - 1)]


@MANY
@given(loads, plants, st.sampled_from([0.5, 1.0, 2.0]))
def test_a_maximum_is_held_once_the_plant_has_had_time_to_answer(
    loads: list[float], plant: tuple[float, float], every: float
) -> None:
    rows = Plant(_held(loads, 30.0), *plant).run(_rule(), 30.0 * len(loads), every=every)
    settled = 3 * every + 2 * 3.0
    for row in rows:
        if row.t % 30.0 > settled:
            assert row.input <= 100.0 + 1e-6


@MANY
@given(loads, plants)
def test_a_battery_holds_import_and_export_limits_together(loads: list[float], plant: tuple[float, float]) -> None:
    rule = _rule(minimum=-80.0, low=-200.0)
    rows = Plant(_held(loads, 30.0), *plant).run(rule, 30.0 * len(loads))
    for row in rows:
        if row.t % 30.0 > 9.0:
            assert -80.0 - 1e-6 <= row.input <= 100.0 + 1e-6


@MANY
@given(loads, plants, st.floats(0.5, 40))
def test_the_output_stays_in_its_range_and_never_moves_faster_than_its_ramp(
    loads: list[float], plant: tuple[float, float], ramp: float
) -> None:
    rule = _rule(ramp=ramp, high=120.0)
    rows = Plant(_held(loads, 20.0), *plant).run(rule, 20.0 * len(loads))
    assert all(-50.0 <= output <= 120.0 for output in _outputs(rows))
    for (before, after), (one, other) in zip(itertools.pairwise(rows), itertools.pairwise(_outputs(rows)), strict=True):
        if after.output is not None:
            assert abs(other - one) <= ramp * (after.t - before.t) + 1e-6


@MANY
@given(loads, plants)
def test_under_a_steady_load_the_output_comes_to_rest(loads: list[float], plant: tuple[float, float]) -> None:
    rows = Plant(lambda t: loads[-1], *plant).run(_rule(), 150.0)
    last = [output for row, output in zip(rows, _outputs(rows), strict=True) if row.t > 140.0]
    assert max(last) - min(last) <= 250.0 / STEPS + 1e-9
    needed = max(0.0, min(loads[-1] - 98.0, 200.0))
    assert last[-1] == pytest.approx(needed, abs=2 * 250.0 / STEPS)


@MANY
@given(st.lists(st.floats(80, 130), min_size=5, max_size=30), st.floats(0, 20), st.floats(0, 20))
def test_it_never_lets_go_or_starts_again_sooner_than_its_times(loads: list[float], on: float, off: float) -> None:
    rows = Plant(_held(loads, 4.0)).run(_rule(minimum_on=on, minimum_off=off), 4.0 * len(loads))
    turns = [after.t for before, after in itertools.pairwise(rows) if (before.output is None) != (after.output is None)]
    starts = rows[0].output is not None
    for number, (turn, following) in enumerate(itertools.pairwise(turns)):
        held = (number % 2 == 0) != starts
        assert following - turn >= (on if held else off) - 1e-6


def test_loads_are_shed_in_whole_steps_and_return_only_where_there_is_room() -> None:
    rule = _rule(effect=30.0, low=0.0, high=2.0, rest=2.0, margin=0.0, minimum_on=10.0)
    rows = Plant(_held([20.0, 60.0, 75.0, 45.0, 30.0], 20.0)).run(rule, 100.0, whole=True)
    by_load = [
        [int(output) for row, output in zip(rows, _outputs(rows, 2.0), strict=True) if row.t // 20.0 == number]
        for number in range(5)
    ]
    assert [outputs[-1] for outputs in by_load] == [2, 1, 0, 1, 2]
    assert all(len(set(outputs)) <= 2 for outputs in by_load)  # one move for each change, no flutter
    away = [row.t for row in rows if row.output is not None]
    assert away[-1] - away[0] >= 10.0


def test_one_spike_is_answered_at_once_and_given_back_slowly() -> None:
    rows = Plant(lambda t: 150.0 if 10 <= t < 11 else 90.0).run(_rule(), 60.0)
    answered = next(row for row in rows if row.output)
    assert answered.t <= 11.0
    later = {round(row.t): row.output for row in rows}
    assert later[20] is not None
    assert rows[-1].output is None


@pytest.mark.parametrize(("when", "output"), [("hold", 52.0), ("release", None)])
def test_without_a_fresh_sample_it_holds_or_lets_go_as_it_was_told(when: str, output: float | None) -> None:
    core = Limit(_rule(when_stale=when, stale_after=15.0))
    state = core.step(core.begin(0.0), Sight(0.0, NOON, Reading(150.0, 0.0))).state
    fresh = core.step(state, Sight(14.0, NOON, Reading(150.0 - 52.0, 14.0)))
    stale = core.step(fresh.state, Sight(30.0, NOON, Reading(150.0 - 52.0, 14.0)))
    assert (fresh.stale, fresh.output) == (False, 52.0)
    assert (stale.stale, stale.output) == (True, output)


def test_while_someone_stronger_holds_the_point_it_does_not_wind_up() -> None:
    core = Limit(_rule())
    state = core.step(core.begin(0.0), Sight(0.0, NOON, Reading(150.0, 0.0))).state
    for second in range(1, 60):  # the stronger one does nothing about the input
        step = core.step(state, Sight(float(second), NOON, Reading(150.0, float(second)), in_force=False))
        state = step.state
        assert step.output == 52.0


def test_what_an_earlier_life_left_behind_is_held_and_given_back_in_order() -> None:
    core = Limit(_rule())
    state = core.take_over(core.begin(0.0), 60.0, 0.0)
    step = core.step(state, Sight(0.1, NOON, Reading(95.0, 0.1)))
    assert step.output is not None
    assert 50.0 < step.output <= 60.0
    outputs = []
    for second in range(1, 60):
        step = core.step(step.state, Sight(float(second), NOON, Reading(20.0, float(second))))
        outputs.append(step.output)
    assert outputs[-1] is None
    assert outputs == sorted((one for one in outputs if one is not None), reverse=True) + [None] * outputs.count(None)


anything = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(st.tuples(anything, st.booleans(), st.floats(0, 30)), min_size=1, max_size=20),
    anything,
    st.none() | anything,
    st.floats(1e-3, 1e3) | st.floats(-1e6, -1e-6),
    st.booleans(),
)
def test_whatever_the_input_says_the_output_stays_in_its_range(
    seen: list[tuple[float, bool, float]], maximum: float, minimum: float | None, effect: float, whole: bool
) -> None:
    rule = _rule(maximum=maximum, minimum=minimum, effect=effect, low=-3.0, high=4.0, rest=1.0)
    core = Limit(rule, whole=whole)
    state, now = core.begin(0.0), 0.0
    for value, in_force, pause in seen:
        now += pause
        step = core.step(state, Sight(now, NOON, Reading(value, now), in_force))
        state = step.state
        assert step.output is None or -3.0 <= step.output <= 4.0
        assert not whole or step.output is None or step.output.is_integer()
