"""What is wrong with one rule or one reporting policy by itself, as the edge would say: (field, sentence) each. Pure.

The edge checks all of it again, and more; here the mistake is named where it is made.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ems_contract.control import STRONGEST, WEAKEST, ControlRule, HysteresisRule, LimitRule, ScheduleRule
from ems_contract.points import Kind
from ems_contract.processing import ReportPolicy

Complaints = Iterator[tuple[str, str]]

LONGEST_NAME = 180
"""The points of a rule are called as it is, and what they say."""
MOST_PATTERNS = 200
MOST_SECONDS = 86_400.0
REPORTED_WITHIN = (1.0, 600.0)
"""s of a heartbeat and of a window: history lets a value hold for 15 min."""
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_START = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z")
_END = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z|24:00\Z")
_PATTERN = re.compile(r"[a-z0-9_.*]{1,96}\Z")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Target:
    """The point that a rule moves, as far as it limits what may be asked of it. `states`: the numbers it takes."""

    key: str
    kind: str
    minimum: float | None
    maximum: float | None
    states: frozenset[str]

    def takes(self, field: str, value: float | None) -> Complaints:
        if value is None:
            return
        if self.minimum is not None and value < self.minimum:
            yield field, f"Below the minimum of {self.key}, {self.minimum:.10g}."
        if self.maximum is not None and value > self.maximum:
            yield field, f"Above the maximum of {self.key}, {self.maximum:.10g}."
        if self.kind == Kind.STATE and self.states and f"{value:.10g}" not in self.states:
            yield field, f"Not a state of {self.key}."


def check_name(name: str) -> Complaints:
    if not 0 < len(name.strip()) <= LONGEST_NAME or _UNPRINTABLE.search(name):
        yield "name", f"One line of 1 to {LONGEST_NAME} characters."


def check_policy(policy: ReportPolicy) -> Complaints:
    if not 0 < len(policy.points) <= MOST_PATTERNS or not all(_PATTERN.match(pattern) for pattern in policy.points):
        yield "points", "Point keys, in which * stands for any characters."
    for field in ("deadband", "deadband_percent"):
        if (getattr(policy, field) or 0) < 0:
            yield field, "Not less than 0."
    least, most = REPORTED_WITHIN
    for field in ("heartbeat", "window"):
        value = getattr(policy, field)
        if value is not None and not least <= value <= most:
            yield field, f"From {least:g} to {most:g} s."


def check_rule(rule: ControlRule, target: Target | None) -> Complaints:
    """`target` is None if there is no such point; then its limits are nobody's."""
    if not _KEY.match(rule.key):
        yield "key", "Write a lower-case word: letters, digits and _, starting with a letter."
    yield from check_name(rule.name)
    if not STRONGEST <= rule.priority <= WEAKEST:
        yield "priority", f"From {STRONGEST}, the strongest, to {WEAKEST}."
    for field, value in _asked(rule):
        if target is not None:
            yield from target.takes(field, value)
    for field in ("minimum_on", "minimum_off", "stale_after", "response"):
        if not 0 <= getattr(rule, field, 0) <= MOST_SECONDS:
            yield field, f"From 0 to {MOST_SECONDS:g} s."
    match rule:
        case ScheduleRule():
            yield from _schedule(rule)
        case HysteresisRule():
            yield from _hysteresis(rule)
        case LimitRule():
            yield from _limit(rule)


def _asked(rule: ControlRule) -> Iterator[tuple[str, float | None]]:
    """What it may ask of its point."""
    match rule:
        case ScheduleRule():
            yield from ((f"windows.{number}.value", window.value) for number, window in enumerate(rule.windows))
        case HysteresisRule():
            yield from (("on_value", rule.on_value), ("off_value", rule.off_value))
        case LimitRule():
            yield from (("low", rule.low), ("high", rule.high), ("rest", rule.rest))


def _schedule(rule: ScheduleRule) -> Complaints:
    if not rule.windows:
        yield "windows", "Write at least one window."
    for number, window in enumerate(rule.windows):
        if not _START.match(window.start):
            yield f"windows.{number}.start", "A time of day from 00:00 to 23:59."
        if not _END.match(window.end):
            yield f"windows.{number}.end", "A time of day from 00:00 to 24:00."
        if not window.days or not set(window.days) <= set(range(7)):
            yield f"windows.{number}.days", "Weekdays from 0, Monday, to 6."


def _hysteresis(rule: HysteresisRule) -> Complaints:
    if rule.on_at == rule.off_at:
        yield "off_at", "Another number than on_at: between the two nothing is switched."
    if rule.off_value == rule.on_value:
        yield "off_value", "Another value than on_value, or none."


def _limit(rule: LimitRule) -> Complaints:
    least = -math.inf if rule.minimum is None else rule.minimum + rule.margin
    most = math.inf if rule.maximum is None else rule.maximum - rule.margin
    if rule.maximum is None and rule.minimum is None:
        yield "maximum", "Write a maximum, a minimum or both."
    elif least >= most:
        yield "minimum", "With the margin, nothing is left between minimum and maximum."
    if rule.margin < 0:
        yield "margin", "Not less than 0."
    if rule.ramp is not None and rule.ramp <= 0:
        yield "ramp", "More than 0 a second."
    if rule.effect == 0:
        yield "effect", "Not 0: by how much the input changes when the output rises by 1."
    if not rule.low < rule.high:
        yield "high", "More than low."
    elif not rule.low <= rule.rest <= rule.high:
        yield "rest", "From low to high."
    else:
        yield from _room(rule)


def _room(rule: LimitRule) -> Complaints:
    for limit, lowers in (("maximum", True), ("minimum", False)):
        field = "high" if (rule.effect < 0) == lowers else "low"
        if getattr(rule, limit) is not None and getattr(rule, field) == rule.rest:
            yield field, f"Where the output rests: it could do nothing about the {limit}. Or turn the sign of effect."
