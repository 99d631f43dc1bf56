"""Times only ever grow, and one that cannot be relied on says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from ems_contract.points import Reason
from ems_edge.clock import MAX_ERROR_MS, Clock
from hypothesis import given
from hypothesis import strategies as st

NOON = 1_790_000_000_000
SECOND, HOUR, DAY = 1_000, 3_600_000, 86_400_000


@dataclass
class Machine:
    """A machine whose clock may be wrong, and the true time."""

    true: int = NOON
    wrong: int = 0

    def clock(self, last: int | None = None) -> Clock:
        return Clock(last, lambda: self.wall, lambda: self.true - NOON)

    @property
    def wall(self) -> int:
        return self.true + self.wrong

    def sample(self, clock: Clock, after: int = 5 * SECOND) -> tuple[int, Reason | None]:
        """How far its ts is from the truth, and the doubt about it."""
        self.true += after
        ts, doubt = clock.issue(self.wall)
        return ts - self.true, doubt

    def look_at_redis(self, clock: Clock) -> None:
        clock.measure(self.true, self.wall, self.wall)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@given(st.lists(st.integers(0, 2**42)), st.integers(0, 2**42))
def test_no_ts_is_at_or_below_an_earlier_one(wanted: list[int], last: int) -> None:
    clock = Clock(last)
    issued = [clock.issue(ms)[0] for ms in wanted]
    assert all(earlier < later for earlier, later in zip([last, *issued], issued, strict=False))


@given(st.lists(st.tuples(st.integers(1, HOUR), st.integers(-2 * DAY, 2 * DAY), st.booleans()), max_size=30))
def test_whatever_the_clock_is_set_to_no_two_samples_share_a_time_that_is_not_in_doubt(
    steps: list[tuple[int, int, bool]],
) -> None:
    """Once Redis is known: what is said without a doubt is right to 5 s, and in order."""
    machine = Machine()
    clock = machine.clock()
    machine.look_at_redis(clock)
    sure = [0]
    for after, wrong, looks in steps:
        machine.wrong = wrong
        if looks:
            machine.look_at_redis(clock)
        off, doubt = machine.sample(clock, after)
        if doubt is None:
            assert abs(off) <= MAX_ERROR_MS
            assert machine.true + off > sure[-1]
            sure.append(machine.true + off)
        if abs(off) > MAX_ERROR_MS:
            assert doubt is not None
        assert clock.last <= machine.true + 60 * SECOND


def test_a_clock_that_agrees_with_redis_is_good(machine: Machine) -> None:
    clock = machine.clock()
    clock.measure(NOON + 20, asked=NOON, answered=NOON + 10)
    assert clock.offset == 15
    assert clock.issue(NOON) == (NOON, None)


def test_before_redis_was_ever_reached_the_system_clock_is_believed(machine: Machine) -> None:
    assert machine.clock().issue(NOON) == (NOON, None)


def test_a_clock_an_hour_behind_is_uncertain(machine: Machine) -> None:
    machine.wrong = -HOUR
    clock = machine.clock()
    machine.look_at_redis(clock)
    assert machine.sample(clock) == (-HOUR, Reason.UNSYNCHRONISED_CLOCK)


def test_a_clock_a_day_ahead_is_from_the_future(machine: Machine) -> None:
    machine.wrong = DAY
    clock = machine.clock()
    machine.look_at_redis(clock)
    assert machine.sample(clock) == (DAY, Reason.FUTURE)


def test_a_clock_that_was_a_day_ahead_and_is_put_right_is_good_at_once(machine: Machine) -> None:
    clock = machine.clock()
    machine.look_at_redis(clock)
    machine.wrong = DAY
    assert machine.sample(clock) == (DAY, Reason.FUTURE)
    machine.wrong = 0
    assert machine.sample(clock) == (0, None)


def test_a_jump_is_seen_without_redis_once_it_was_known(machine: Machine) -> None:
    clock = machine.clock()
    machine.look_at_redis(clock)
    machine.sample(clock, HOUR)
    machine.wrong = DAY
    assert machine.sample(clock) == (DAY, Reason.FUTURE)
    machine.wrong = -HOUR
    machine.sample(clock)
    assert machine.sample(clock)[1] is Reason.UNSYNCHRONISED_CLOCK


def test_redis_frees_a_clock_that_was_a_day_ahead_and_believed(machine: Machine) -> None:
    """Never reached before: what was said then cannot be taken back, what follows is right."""
    machine.wrong = DAY
    clock = machine.clock()
    assert machine.sample(clock) == (DAY, None)
    machine.wrong = 0
    assert machine.sample(clock)[1] is Reason.FUTURE
    machine.look_at_redis(clock)
    assert machine.sample(clock) == (0, None)


def test_the_next_life_goes_on_from_the_time_that_was_stood_by(machine: Machine) -> None:
    clock = machine.clock()
    machine.look_at_redis(clock)
    machine.sample(clock)
    machine.wrong = DAY
    machine.sample(clock)
    machine.wrong = 0
    assert clock.last == NOON + 5 * SECOND
    assert machine.sample(machine.clock(clock.last)) == (0, None)


def test_a_clock_that_was_set_back_an_hour_grows_by_a_millisecond_and_is_in_doubt(machine: Machine) -> None:
    clock = machine.clock()
    assert machine.sample(clock) == (0, None)
    machine.wrong = -HOUR
    assert machine.sample(clock) == (-5 * SECOND + 1, Reason.FUTURE)  # by its own clock, the only one there is
    machine.look_at_redis(clock)
    assert machine.sample(clock) == (-10 * SECOND + 2, Reason.UNSYNCHRONISED_CLOCK)
    machine.wrong = 0
    assert machine.sample(clock) == (0, None)


def test_a_clock_behind_its_own_store_is_in_doubt_even_without_redis(machine: Machine) -> None:
    assert machine.clock(NOON).issue(NOON - HOUR) == (NOON + 1, Reason.FUTURE)
    assert machine.clock(NOON).issue(NOON - MAX_ERROR_MS - 1) == (NOON + 1, Reason.UNSYNCHRONISED_CLOCK)


def test_a_slow_answer_says_nothing_about_the_offset(machine: Machine) -> None:
    clock = machine.clock()
    clock.measure(NOON + HOUR, asked=NOON, answered=NOON + 2_001)
    assert clock.offset is None


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("change", [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)])
@pytest.mark.usefixtures("berlin")
def test_a_change_to_and_from_summer_time_is_no_jump(change: datetime) -> None:
    machine = Machine(true=round(change.timestamp()) * SECOND - 12_500)
    clock = Clock(None, lambda: machine.true, lambda: machine.true)
    machine.look_at_redis(clock)
    assert [machine.sample(clock) for _ in range(5)] == [(0, None)] * 5
    assert datetime.fromtimestamp(clock.last / SECOND, UTC) > change
