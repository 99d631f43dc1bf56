"""Schedule: the value of the first window that holds now. Pure.

A window is compared with what a clock on the site's wall shows, so daylight saving needs no arithmetic: a window that
begins in the hour that is skipped begins with the hour after it, and one in the hour that comes twice is there twice.
"""

from __future__ import annotations

import re
from datetime import datetime

from ems_contract.control import ScheduleRule, Window

from ems_edge.control_rules import Sight, Step

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z")
DAY = 24 * 60


def minute_of_day(text: str) -> int:
    """ "07:30" -> 450, and "24:00" -> 1440. Raises ValueError."""
    if text == "24:00":
        return DAY
    found = _TIME.match(text)
    if found is None:
        raise ValueError(f"{text!r} is no time of day")
    return int(found[1]) * 60 + int(found[2])


class Schedule:
    """Keeps nothing: after a restart it knows as much as before."""

    def __init__(self, rule: ScheduleRule) -> None:
        self._windows = [(window, minute_of_day(window.start), minute_of_day(window.end)) for window in rule.windows]

    def begin(self, _now: float) -> None:
        return None

    def take_over(self, _state: None, _held: float, _now: float) -> None:
        return None

    def step(self, _state: None, sight: Sight) -> Step[None]:
        holds = (window.value for window, start, end in self._windows if _holds(window, start, end, sight.local))
        return Step(None, next(holds, None))


def _holds(window: Window, start: int, end: int, local: datetime) -> bool:
    minute, day = local.hour * 60 + local.minute, local.weekday()
    if start < end:
        return day in window.days and start <= minute < end
    return (day in window.days and minute >= start) or ((day - 1) % 7 in window.days and minute < end)
