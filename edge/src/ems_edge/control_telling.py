"""What a rule says about itself: events for people, few enough to be read. Pure: time is given."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from ems_contract.control import ControlAction, ControlEvent

ADJUSTED_SHARE = 0.1
"""A move of this share of the output's range is told soon, a smaller one later."""
ADJUSTED_SOON, ADJUSTED_LATER = 10.0, 60.0
BURST = 10
REFILL = 30.0
"""A rule that flutters tells `BURST` events, then one each `REFILL` s, and how many it kept to itself."""


@dataclass(frozen=True, slots=True)
class Moment:
    """`now` in s, monotonic; `ts` in ms. `output` and `input` as they are then."""

    now: float
    ts: int
    output: float | None
    input: float | None


class Telling:
    """The events of one rule."""

    def __init__(self, rule: str, point: str, tell: Callable[[ControlEvent], None]) -> None:
        self.span = 0.0
        """How far its output can move."""
        self._rule = rule
        self._point = point
        self._tell = tell
        self._output: float | None = None
        self._told_at = -ADJUSTED_LATER
        self._left = float(BURST)
        self._refilled = 0.0
        self._kept = 0

    def moved(self, moment: Moment) -> None:
        """The output is now this; tells what is worth telling, and whatever else was held back until now."""
        before, now = self._output, moment.output
        if now == before:
            return
        if before is None or now is None:
            self._output = now
            self.say(ControlAction.STARTED if before is None else ControlAction.STOPPED, moment)
            return
        passed = moment.now - self._told_at
        if passed >= ADJUSTED_LATER or (passed >= ADJUSTED_SOON and abs(now - before) >= self.span * ADJUSTED_SHARE):
            self._output = now
            self.say(ControlAction.ADJUSTED, moment)

    def say(self, action: ControlAction, moment: Moment, detail: str = "") -> None:
        self._left = min(self._left + (moment.now - self._refilled) / REFILL, BURST)
        self._refilled = self._told_at = moment.now
        if self._left < 1:
            self._kept += 1
            return
        self._left -= 1
        if self._kept:
            detail = f"{detail + '; ' if detail else ''}{self._kept} more in between"
            self._kept = 0
        self._tell(
            ControlEvent(
                v=1,
                id=str(uuid.uuid4()),
                rule=self._rule,
                point=self._point,
                action=action,
                ts=moment.ts,
                value=moment.output,
                input=moment.input,
                detail=detail or None,
            )
        )
