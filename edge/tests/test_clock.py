"""Times only ever grow, and one that cannot be relied on says so."""

from __future__ import annotations

from ems_contract.points import Reason
from ems_edge.clock import MAX_ERROR_MS, Clock
from hypothesis import given
from hypothesis import strategies as st

NOON = 1_790_000_000_000
HOUR = 3_600_000


@given(st.lists(st.integers(0, 2**42)), st.integers(0, 2**42))
def test_no_ts_is_at_or_below_an_earlier_one(wanted: list[int], last: int) -> None:
    clock = Clock(last)
    issued = [clock.issue(ms)[0] for ms in wanted]
    assert all(earlier < later for earlier, later in zip([last, *issued], issued, strict=False))


def test_a_clock_that_agrees_with_redis_is_good() -> None:
    clock = Clock()
    clock.measure(NOON + 20, asked=NOON, answered=NOON + 10)
    assert clock.offset == 15
    assert clock.issue(NOON) == (NOON, None)


def test_before_redis_was_ever_reached_the_system_clock_is_believed() -> None:
    assert Clock().issue(NOON) == (NOON, None)


def test_a_clock_an_hour_behind_is_uncertain() -> None:
    clock = Clock()
    clock.measure(NOON + HOUR, asked=NOON, answered=NOON)
    assert clock.issue(NOON) == (NOON, Reason.UNSYNCHRONISED_CLOCK)


def test_a_clock_a_day_ahead_is_from_the_future() -> None:
    clock = Clock()
    clock.measure(NOON, asked=NOON + 24 * HOUR, answered=NOON + 24 * HOUR)
    assert clock.issue(NOON + 24 * HOUR)[1] is Reason.FUTURE


def test_a_clock_that_was_set_back_grows_by_a_millisecond_and_is_in_doubt() -> None:
    clock = Clock()
    assert clock.issue(NOON + 30_000) == (NOON + 30_000, None)
    assert clock.issue(NOON) == (NOON + 30_001, Reason.UNSYNCHRONISED_CLOCK)
    assert clock.issue(NOON + 30_000) == (NOON + 30_002, None)


def test_a_clock_behind_its_own_store_is_in_doubt_even_without_redis() -> None:
    assert Clock(last=NOON).issue(NOON - HOUR) == (NOON + 1, Reason.FUTURE)
    assert Clock(last=NOON).issue(NOON - MAX_ERROR_MS - 1) == (NOON + 1, Reason.UNSYNCHRONISED_CLOCK)


def test_a_slow_answer_says_nothing_about_the_offset() -> None:
    clock = Clock()
    clock.measure(NOON + HOUR, asked=NOON, answered=NOON + 2_001)
    assert clock.offset is None
