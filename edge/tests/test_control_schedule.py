"""The schedule rule: what the clock on the site's wall says, also where it is turned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from ems_contract.control import ScheduleRule, Window
from ems_edge.control_rules import Sight
from ems_edge.control_schedule import Schedule, minute_of_day
from hypothesis import given
from hypothesis import strategies as st

BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = (0, 1, 2, 3, 4)


def _output(windows: Sequence[Window], at: datetime) -> float | None:
    rule = ScheduleRule(key="day", name="Day", point="hvac.setpoint", windows=list(windows))
    return Schedule(rule).step(None, Sight(0.0, at)).output


def _minutes_of(windows: Sequence[Window], day: datetime) -> int:
    """How many minutes of a local day a window holds, by the clock of the world."""
    moment = day.astimezone(UTC)
    held = 0
    while (local := moment.astimezone(BERLIN)).date() == day.date():
        held += _output(windows, local) is not None
        moment += timedelta(minutes=1)
    return held


@pytest.mark.parametrize(
    ("time", "value"),
    [("06:59", 16.0), ("07:00", 20.0), ("18:59", 20.0), ("19:00", 16.0), ("23:59", 16.0), ("00:00", 16.0)],
)
def test_the_first_window_that_holds_decides(time: str, value: float) -> None:
    windows = [Window("07:00", "19:00", 20.0), Window("00:00", "24:00", 16.0)]
    assert _output(windows, datetime.fromisoformat(f"2026-01-14T{time}").replace(tzinfo=BERLIN)) == value


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_starts() -> None:
    friday_night = [Window("22:00", "06:00", 1.0, days=(4,))]
    friday = datetime(2026, 1, 16, tzinfo=BERLIN)
    held = [hour for hour in range(72) if _output(friday_night, friday + timedelta(hours=hour)) is not None]
    assert held == list(range(22, 30))


def test_outside_of_its_windows_and_days_it_asks_for_nothing() -> None:
    office = [Window("07:00", "19:00", 20.0, days=WEEKDAYS)]
    assert _output(office, datetime(2026, 1, 16, 12, tzinfo=BERLIN)) == 20.0
    assert _output(office, datetime(2026, 1, 17, 12, tzinfo=BERLIN)) is None


def test_an_end_at_its_start_is_a_whole_day_later() -> None:
    monday = [Window("06:00", "06:00", 1.0, days=(0,))]
    assert _output(monday, datetime(2026, 1, 13, 5, 59, tzinfo=BERLIN)) == 1.0
    assert _output(monday, datetime(2026, 1, 13, 6, 0, tzinfo=BERLIN)) is None


@pytest.mark.parametrize(
    ("day", "start", "end", "minutes"),
    [
        ((2026, 3, 29), "01:30", "03:30", 60),  # 02:00 to 03:00 is not there
        ((2026, 3, 29), "02:15", "02:45", 0),
        ((2026, 3, 29), "02:30", "04:00", 60),
        ((2026, 3, 29), "00:00", "24:00", 23 * 60),
        ((2026, 10, 25), "01:30", "03:30", 180),  # 02:00 to 03:00 is there twice
        ((2026, 10, 25), "02:15", "02:45", 60),
        ((2026, 10, 25), "00:00", "24:00", 25 * 60),
        ((2026, 6, 1), "01:30", "03:30", 120),
    ],
)
def test_daylight_saving_is_what_the_clock_on_the_wall_does(
    day: tuple[int, int, int], start: str, end: str, minutes: int
) -> None:
    assert _minutes_of([Window(start, end, 1.0)], datetime(*day, tzinfo=BERLIN)) == minutes


minutes_of_day = st.integers(0, 1439)


@given(minutes_of_day, minutes_of_day, st.integers(0, 6), st.integers(0, 7 * 1440 - 1))
def test_a_week_has_a_window_exactly_from_its_start_to_its_end(start: int, end: int, day: int, at: int) -> None:
    window = Window(f"{start // 60:02}:{start % 60:02}", f"{end // 60:02}:{end % 60:02}", 1.0, days=(day,))
    length = (end - start) % 1440 or 1440
    since = (at - day * 1440 - start) % (7 * 1440)
    monday = datetime(2026, 6, 1, tzinfo=BERLIN)
    assert (_output([window], monday + timedelta(minutes=at)) is not None) == (since < length)


@pytest.mark.parametrize("text", ["7:00", "24:01", "25:00", "12:60", "noon", "", "12:00:00", "-1:00", "12:00 "])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no time of day"):
        minute_of_day(text)
