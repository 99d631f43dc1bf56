"""Who holds a point, and what may be written to it: pure."""

from __future__ import annotations

import math

import pytest
from edge_support.commanding import POWER
from ems_contract.commands import CommandReason
from ems_contract.points import Kind, Point
from ems_contract.provisioning import EdgeConfig, SetpointLimits
from ems_edge.problems import ConfigError, Document
from ems_edge.setpoints_claims import Claim, Claims
from ems_edge.setpoints_limits import Setpoint, check_setpoints, setpoint
from ems_edge.setpoints_state import CONTRARY_POLLS, REASSERT_EVERY, RETRY_LAST, PointState, Target
from hypothesis import given
from hypothesis import strategies as st

holders = st.sampled_from("abc")
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), holders, st.integers(1, 3), st.integers(0, 2).map(float)),
        st.tuples(st.just("drop"), holders),
    )
)


@given(steps)
def test_the_lowest_number_wins_and_of_equals_the_one_that_came_last(taken: list[tuple[str, str, int, float]]) -> None:
    claims = Claims()
    model: dict[str, tuple[int, int, float]] = {}
    for number, step in enumerate(taken):
        holder = step[1]
        if step[0] == "drop":
            assert (claims.drop(holder) is not None) == (model.pop(holder, None) is not None)
            continue
        _, _, priority, value = step
        before = model.get(holder)
        arrived = before[1] if before is not None and before[0] == priority else number
        model[holder] = (priority, arrived, value)
        assert claims.put(Claim(holder, priority, value)) == (before is None or before[::2] != (priority, value))
    strongest = claims.strongest()
    expected = min(model, key=lambda holder: (model[holder][0], -model[holder][1]), default=None)
    assert (strongest.holder if strongest else None) == expected
    assert bool(claims) == bool(model)


def test_a_holder_that_repeats_itself_does_not_overtake_an_equal() -> None:
    claims = Claims()
    claims.put(Claim("older", 8, 1.0))
    claims.put(Claim("newer", 8, 2.0))
    claims.put(Claim("older", 8, 3.0))
    assert claims.strongest() == Claim("newer", 8, 2.0)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_nothing_outside_of_the_limits_is_ever_let_through(value: float) -> None:
    point = Setpoint("a.b", "a", minimum=-10, maximum=20)
    refused = point.problem(value)
    assert (refused is None) == (math.isfinite(value) and -10 <= value <= 20)


def test_a_state_is_one_of_its_numbers() -> None:
    mode = setpoint(
        Point("a.mode", "Mode", "", Kind.STATE, "a", writable=True, states={"0": "off", "2": "on"}), None, 1
    )
    assert mode.problem(2.0) is None
    assert (mode.problem(1.0) or ("", ""))[0] is CommandReason.NOT_A_STATE


def test_what_people_decided_comes_before_what_the_profile_says_and_0_is_a_decision() -> None:
    point = Point("a.b", "B", "W", Kind.GAUGE, "a", writable=True, minimum=-5.0, maximum=5.0, default=1.0)
    made = setpoint(point, SetpointLimits("a.b", maximum=0.0, default=0.0), 0.1)
    assert (made.minimum, made.maximum, made.default, made.resolution) == (-5.0, 0.0, 0.0, 0.1)


@pytest.mark.parametrize(
    ("wanted", "read", "same"),
    [(23.44, 23.4, True), (23.44, 23.2, False), (1e9, 1e9 + 100, True), (1e9, 1e9 + 10_000, False), (0.0, 0.2, False)],
)
def test_a_read_back_is_the_value_within_a_step_of_the_device_or_a_millionth(
    wanted: float, read: float, same: bool
) -> None:
    assert Setpoint("a.b", "a", resolution=0.1).same(wanted, read) is same


@pytest.mark.parametrize(
    ("limits", "field", "problem"),
    [
        ({"point": "plant.no_such"}, "setpoints[0].point", "is no point of this edge"),
        ({"point": "plant.measured"}, "setpoints[0].point", "is not writable"),
        ({"point": POWER, "minimum": 9_000.0}, "setpoints[0].maximum", "below the minimum"),
        ({"point": POWER, "default": 6_000.0}, "setpoints[0].default", "above the maximum"),
    ],
)
def test_a_mistake_in_the_limits_names_the_field(limits: dict[str, object], field: str, problem: str) -> None:
    config = EdgeConfig("1", [], setpoints=[SetpointLimits(**limits)])  # type: ignore[arg-type]
    points = [
        Point("plant.measured", "Measured", "W", Kind.GAUGE, "plant"),
        Point(POWER, "Power", "W", Kind.GAUGE, "plant", writable=True, minimum=-5000, maximum=5000, default=0),
    ]
    with pytest.raises(ConfigError) as caught:
        check_setpoints(Document("edge.yaml", {"setpoints": [limits]}), config, points)
    assert field in str(caught.value)
    assert problem in str(caught.value)


def test_a_device_that_lost_its_setpoint_is_known_after_two_polls_and_told_seldom() -> None:
    state = PointState(Setpoint("a.b", "a"))
    state.claims.put(Claim("rule:x", 10, 5.0))
    state.in_force(Target("rule:x", 5.0))
    assert [state.polled(value, 0.0) for value in (5.0, 4.0, 5.0, 4.0)] == [False] * 4
    assert state.polled(4.0, 0.0), f"the poll before said so too: {CONTRARY_POLLS}"
    state.in_force(Target("rule:x", 5.0))
    assert not any(state.polled(4.0, REASSERT_EVERY - 1) for _ in range(5))
    assert state.polled(4.0, REASSERT_EVERY)


def test_a_write_that_fails_is_tried_again_ever_more_seldom() -> None:
    state = PointState(Setpoint("a.b", "a"))
    pauses = [state.retry() for _ in range(10)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == RETRY_LAST
