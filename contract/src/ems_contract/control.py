"""Local control: rules that the edge follows by itself, with or without a network, and what it says about them.

A rule claims a writable point (its `point`) at a priority from 1 to 16, of which the lower number wins, as in BACnet;
commands of people hold theirs at COMMAND_PRIORITY. Where nobody claims a point any more its default is restored.
All durations are in s, all values in the unit of their point, times of day in the site's time zone.

Each rule is itself a device in the telemetry: `<key>.active` (1 while it claims its point, else 0) and `<key>.output`
(what it asks for).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

COMMAND_PRIORITY = 8
STRONGEST, WEAKEST = 1, 16


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """From `start` to `end` ("07:00", "24:00"; an end at or before the start is on the next day) on these weekdays.

    Monday is 0; the day is the one on which the window starts. The times are what a clock on the site's wall shows, so
    a window in the hour that a change to winter time repeats is there twice.
    """

    start: str
    end: str
    value: float
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)


class _Rule(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """`key` is a word like a device's, unique among the edge's devices and rules."""

    key: str
    name: str
    point: str
    priority: int = 10
    enabled: bool = True


class ScheduleRule(_Rule, frozen=True, omit_defaults=True, tag="schedule"):
    """Claims the value of the first window that holds now; outside of all, claims nothing."""

    windows: list[Window] = []


class HysteresisRule(_Rule, frozen=True, omit_defaults=True, tag="hysteresis"):
    """Claims `on_value` from when `input` passes `on_at` until it passes `off_at`, else `off_value` (None: nothing).

    On above: `on_at` > `off_at` (cooling). On below: `on_at` < `off_at` (heating, charging). Once on it stays so for
    `minimum_on` s, once off for `minimum_off` s, which also pass after a start of the edge.
    """

    input: str = ""
    on_at: float = 0.0
    off_at: float = 0.0
    on_value: float = 1.0
    off_value: float | None = None
    minimum_on: float = 0.0
    minimum_off: float = 0.0
    stale_after: float = 60.0
    """Without a good sample of `input` for so long the rule lets go."""


class LimitRule(_Rule, frozen=True, omit_defaults=True, tag="limit"):
    """Holds `input` at or below `maximum`, or at or above `minimum`, by moving `point`; it aims `margin` within them.

    `effect` is by how much the input changes when the output rises by one: a battery's setpoint (+ is discharge) on the
    grid's power (+ is import) has −1, a load's enable of 4 kW has 4000. Peak shaving is a `maximum` on the grid's
    import, an export limit a `minimum` below 0.

    The output stays within `low`..`high`, as near to `rest` as the limits allow. It moves at most `ramp` a second, away
    from rest as fast as that allows and back to it slowly. `response` is how many s it takes until a move is seen in
    the input: until then the move is counted on, not repeated. The point of a state moves in whole steps.

    Once the rule claims its point it does so for `minimum_on` s (in whole steps: away from rest), and lets go when it
    is back at rest; once it let go it claims nothing for `minimum_off` s, whatever the input is.
    """

    input: str = ""
    maximum: float | None = None
    minimum: float | None = None
    effect: float = -1.0
    low: float = 0.0
    high: float = 0.0
    rest: float = 0.0
    margin: float = 0.0
    ramp: float | None = None
    response: float = 3.0
    minimum_on: float = 30.0
    minimum_off: float = 0.0
    stale_after: float = 15.0
    when_stale: Literal["hold", "release"] = "hold"
    """`hold` keeps the last output while the input is not known; `release` lets go of the point."""


ControlRule = ScheduleRule | HysteresisRule | LimitRule


class ControlAction(StrEnum):
    STARTED = "started"
    """The rule claims its point."""
    ADJUSTED = "adjusted"
    """It asks for another value; said when the value moved much or some time has passed."""
    STOPPED = "stopped"
    """It lets go."""
    STALE = "stale"
    """Its input is not known; what it does then is its `when_stale`."""
    OVERRULED = "overruled"
    """Someone of higher priority holds the point."""
    FAILED = "failed"
    """The device did not take the value."""


class ControlEvent(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="control"):
    """One thing that a rule did, at `ts`; `id` is unique, so that a repeated event is known. `input` as it was then."""

    v: int
    id: str
    rule: str
    point: str
    action: ControlAction
    ts: int
    value: float | None = None
    input: float | None = None
    detail: str | None = None
