"""Report by exception: what is sent, and what can be told of what was not."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fnmatch import fnmatchcase

from ems_contract.points import Kind, Point, Reason
from ems_contract.processing import Aggregate, ReportPolicy
from ems_edge.decode import Value
from ems_edge.poller import Answer
from ems_edge.reporting import PULSE, Reporter, _matches
from hypothesis import given
from hypothesis import strategies as st

KEY = "meter.power"
BEGIN = 1_790_000_000_000
POINTS = [
    Point(KEY, "Power", "W", Kind.GAUGE, "meter"),
    Point("meter.state", "State", "", Kind.STATE, "meter"),
    Point("meter.energy", "Energy", "Wh", Kind.REGISTER, "meter"),
    Point("other.power", "Power", "W", Kind.GAUGE, "other"),
]
Sent = tuple[int, Value, Reason | None]

values = st.one_of(
    st.floats(-1e6, 1e6), st.integers(-20, 20).map(float), st.sampled_from([Reason.TIMEOUT, Reason.NO_VALUE])
)


def _timed(steps: list[tuple[int, Value]]) -> list[tuple[int, Value]]:
    times = itertools.accumulate((step for step, _ in steps), initial=BEGIN)
    return [(ts, value) for ts, (_, value) in zip(times, steps, strict=False)]


series = st.lists(st.tuples(st.integers(1, 9_000), values), min_size=1, max_size=60).map(_timed)


def _policy(**fields: object) -> ReportPolicy:
    return ReportPolicy(["meter.*"], **fields)  # type: ignore[arg-type]


def _sent(policy: ReportPolicy, samples: Sequence[tuple[int, Value]], key: str = KEY) -> list[Sent]:
    reporter = Reporter([policy], POINTS)
    answers = [one for ts, value in samples for one in reporter.take([Answer("meter", ts, {key: value})])]
    answers += reporter.close(samples[-1][0])
    return [(one.wanted, one.values[key], one.doubts.get(key)) for one in answers]


def _held(sent: Sequence[Sent], ts: int) -> Value:
    return next(value for at, value, _ in reversed(sent) if at <= ts)


@given(series, st.floats(0, 1e5), st.integers(1, 600))
def test_the_series_that_is_sent_is_never_a_deadband_from_the_true_one(
    samples: list[tuple[int, Value]], deadband: float, heartbeat: int
) -> None:
    sent = _sent(_policy(deadband=deadband, heartbeat=heartbeat), samples)
    for ts, true in samples:
        held = _held(sent, ts)
        if isinstance(true, Reason) or isinstance(held, Reason):
            assert held is true
        else:
            assert held == true or abs(held - true) < deadband


@given(series, st.floats(0, 1e9), st.integers(1, 600))
def test_no_heartbeat_of_the_clock_in_which_something_was_read_is_silent(
    samples: list[tuple[int, Value]], deadband: float, heartbeat: int
) -> None:
    sent = _sent(_policy(deadband=deadband, heartbeat=heartbeat), samples)
    beats = {ts // (heartbeat * 1000) for ts, _, _ in sent}
    assert beats == {ts // (heartbeat * 1000) for ts, _ in samples}


@given(series, st.floats(0, 1e9))
def test_nothing_is_reordered_invented_or_sent_twice(samples: list[tuple[int, Value]], deadband: float) -> None:
    sent = [(ts, value) for ts, value, _ in _sent(_policy(deadband=deadband), samples)]
    assert len({ts for ts, _ in sent}) == len(sent)
    assert sent == [one for one in samples if one in sent]


def test_of_two_deadbands_the_wider_counts() -> None:
    policy = _policy(deadband=5.0, deadband_percent=10.0, heartbeat=600)
    steps: list[Value] = [0.0, 4.0, 5.0, 9.0, 100.0, 109.0, 110.0]
    sent = _sent(policy, [(BEGIN + 100 * number, value) for number, value in enumerate(steps)])
    assert [value for _, value, _ in sent] == [0.0, 5.0, 100.0, 110.0]


def test_a_state_is_sent_when_it_changes_whatever_the_deadband() -> None:
    policy = _policy(deadband=100.0)
    steps: list[Value] = [1.0, 1.0, 2.0, 2.0, 1.0]
    sent = _sent(policy, [(BEGIN + 100 * number, value) for number, value in enumerate(steps)], "meter.state")
    assert [value for _, value, _ in sent] == [1.0, 2.0, 1.0]


def test_a_doubt_that_comes_or_goes_is_sent() -> None:
    reporter = Reporter([_policy(deadband=100.0)], POINTS)
    doubts = [None, Reason.STUCK, Reason.STUCK, None]
    sent = [
        reporter.take([Answer("meter", BEGIN + number, {KEY: 1.0}, {KEY: doubt} if doubt else {})])
        for number, doubt in enumerate(doubts)
    ]
    assert [len(one) for one in sent] == [1, 1, 0, 1]
    assert sent[1][0].doubts == {KEY: Reason.STUCK}


def test_the_first_policy_that_matches_counts_and_what_none_matches_goes_with_each_read() -> None:
    reporter = Reporter([ReportPolicy(["*.power"], deadband=1e9), _policy(deadband=0.0)], POINTS)
    read = {KEY: 1.0, "meter.energy": 1.0, "meter.reads": 1.0}
    reporter.take([Answer("meter", BEGIN, dict(read))])
    again = reporter.take([Answer("meter", BEGIN + 1, read | {KEY: 2.0, "meter.energy": 2.0})])
    assert [one.values for one in again] == [{"meter.energy": 2.0, "meter.reads": 1.0}]


def test_an_edge_that_reads_is_never_silent_for_long() -> None:
    reporter = Reporter([ReportPolicy(["*"], deadband=1e9, heartbeat=600)], POINTS)
    read = {KEY: 1.0, "meter.energy": 1.0}
    sent = [one for at in range(0, 60_000, 1_000) for one in reporter.take([Answer("meter", BEGIN + at, dict(read))])]
    assert max(after.wanted - before.wanted for before, after in itertools.pairwise(sent)) <= PULSE
    assert {key for one in sent[1:4] for key in one.values} == set(read)  # each in its turn


# Windows --------------------------------------------------------------------------------------------------------------


def _windows(aggregate: Aggregate, samples: Sequence[tuple[int, Value]], key: str = KEY) -> list[Sent]:
    begin = BEGIN // 10_000 * 10_000
    return _sent(_policy(window=10.0, aggregate=aggregate), [(begin + at, value) for at, value in samples], key)


def test_a_window_is_one_sample_at_its_end() -> None:
    samples: list[tuple[int, Value]] = [(0, 1.0), (5_000, 3.0), (10_000, 8.0), (15_000, 6.0), (20_000, 0.0)]
    begin = BEGIN // 10_000 * 10_000
    for aggregate, wanted in (("mean", [2.0, 7.0]), ("minimum", [1.0, 6.0]), ("maximum", [3.0, 8.0])):
        sent = _windows(aggregate, samples)[:2]  # type: ignore[arg-type]
        assert sent == [(begin + 10_000, wanted[0], None), (begin + 20_000, wanted[1], None)]


def test_the_mean_is_weighted_by_time_and_a_value_holds_into_the_next_window() -> None:
    sent = _windows("mean", [(0, 10.0), (9_000, 0.0), (18_000, 5.0), (20_000, 1.0)])
    assert [value for _, value, _ in sent][:2] == [9.0, 1.0]


def test_registers_and_states_are_never_averaged() -> None:
    samples: list[tuple[int, Value]] = [(0, 1.0), (4_000, 2.0), (10_000, 3.0)]
    for key in ("meter.energy", "meter.state"):
        assert _windows("mean", samples, key)[0][1] == 2.0


@given(st.lists(st.sampled_from(["*", "**", "a", "b.", "ab"]), max_size=8), st.text("ab.", max_size=8))
def test_a_star_stands_for_any_characters(parts: list[str], key: str) -> None:
    pattern = "".join(parts)
    assert _matches(pattern, key) == fnmatchcase(key, pattern)


def test_a_pattern_of_many_stars_takes_no_longer() -> None:
    assert not _matches("*a" * 40 + "*b", "a" * 90)


def test_a_window_with_some_bad_samples_is_uncertain_and_one_without_a_value_is_bad() -> None:
    bad = Reason.TIMEOUT
    sent = _windows("mean", [(0, 4.0), (5_000, bad), (10_000, bad), (15_000, bad), (20_000, 4.0), (30_000, 4.0)])
    assert [(value, doubt) for _, value, doubt in sent[:3]] == [(4.0, bad), (bad, None), (4.0, None)]


def test_a_window_whose_point_answers_no_more_is_closed_by_the_clock() -> None:
    reporter = Reporter([_policy(window=10.0)], POINTS)
    begin = BEGIN // 10_000 * 10_000
    assert reporter.take([Answer("meter", begin, {KEY: 7.0})]) == []
    assert reporter.tick(begin + 10_500) == []
    assert reporter.tick(begin + 11_000) == [Answer("meter", begin + 10_000, {KEY: 7.0})]
    assert reporter.tick(begin + 12_000) == []


@given(series, st.sampled_from(["mean", "minimum", "maximum", "last"]), st.integers(1, 30))
def test_what_a_window_says_lies_between_its_values_and_never_better_than_they_are(
    samples: list[tuple[int, Value]], aggregate: Aggregate, window: int
) -> None:
    sent = _sent(_policy(window=window, aggregate=aggregate, heartbeat=1), samples)
    assert [ts for ts, _, _ in sent] == sorted(ts for ts, _, _ in sent)
    good = [value for _, value in samples if not isinstance(value, Reason)]
    for _, value, _ in sent:
        assert isinstance(value, Reason) or min(good) <= value <= max(good)
    if any(isinstance(value, Reason) for _, value in samples):
        assert any(isinstance(value, Reason) or doubt is not None for _, value, doubt in sent)
