"""What people write about rules, checked whole. Everything here raises ConfigError."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from ems_contract.control import STRONGEST, WEAKEST, ControlRule, HysteresisRule, LimitRule, ScheduleRule
from ems_contract.points import Kind, Point

from ems_edge.control import Task
from ems_edge.control_schedule import minute_of_day
from ems_edge.problems import ConfigError, Document, did_you_mean
from ems_edge.profile_common import WORD
from ems_edge.setpoints_limits import Setpoint

MOST_SECONDS = 86_400.0
SPAN_LEAST, SPAN_MOST = 1e-6, 1e15


class RuleBook:
    """`points`: all that a rule may look at, by key. `setpoints`: what it may move. `taken`: keys of devices.

    `intervals`: how often the device of a point is read, s, by the first word of the point's key; a derived point's is
    the longest of those it is made of.
    """

    def __init__(
        self,
        document: Document,
        points: Iterable[Point],
        setpoints: Iterable[Setpoint],
        taken: Collection[str],
        interval_of: Mapping[str, float],
    ) -> None:
        self._document = document
        self._points = {point.key: point for point in points}
        self._setpoints = {setpoint.key: setpoint for setpoint in setpoints}
        self._taken = taken
        self._interval_of = interval_of

    def check(self, rules: Sequence[ControlRule]) -> tuple[list[Task], list[Point]]:
        """The rules that are to be run, and the points that all of them make."""
        keys: dict[str, int] = {}
        claims: dict[tuple[str, int], int] = {}
        for number, rule in enumerate(rules):
            self._check_key(f"rules[{number}].key", rule.key, keys)
            keys[rule.key] = number
            if not rule.name.strip():
                raise self._wrong(f"rules[{number}].name", "is empty", "write what people should read")
            _Check(self._document.part(f"rules[{number}]"), self._setpoint(number, rule)).check(rule)
            self._check_input(number, rule)
            other = claims.setdefault((rule.point, rule.priority), number) if rule.enabled else number
            if other != number:
                problem = f"{rule.priority} is also that of rules[{other}], which moves {rule.point} too"
                raise self._wrong(f"rules[{number}].priority", problem, "say who wins: the lower number does")
        tasks = [Task(rule, self._setpoints[rule.point], self._is_whole(rule)) for rule in rules if rule.enabled]
        return tasks, [point for rule in rules for point in _own_points(rule, self._points[rule.point])]

    def _check_key(self, at: str, key: str, keys: Mapping[str, int]) -> None:
        if not WORD.match(key):
            raise self._wrong(
                at, f"{key!r:.60} is not a rule's key", "use lower-case letters, digits and _: peak_limit"
            )
        if key in keys:
            raise self._wrong(at, f"{key!r} is also rules[{keys[key]}]", "give each rule its own key")
        if key in self._taken or any(point.startswith(f"{key}.") for point in self._points):
            raise self._wrong(at, f"{key!r} is a device, or the first word of a derived point", "use another word")

    def _setpoint(self, number: int, rule: ControlRule) -> Setpoint:
        at = f"rules[{number}].point"
        if rule.point not in self._points:
            raise self._wrong(at, f"there is no point {rule.point!r}", did_you_mean(rule.point, self._setpoints))
        if rule.point not in self._setpoints:
            remedy = did_you_mean(rule.point, self._setpoints) if self._setpoints else "no point here can be written"
            raise self._wrong(at, f"{rule.point!r} is not writable", remedy)
        return self._setpoints[rule.point]

    def _check_input(self, number: int, rule: ControlRule) -> None:
        if isinstance(rule, ScheduleRule):
            return
        at = f"rules[{number}]"
        if not rule.input:
            raise self._wrong(f"{at}.input", "is missing", "name the point that the rule looks at")
        if rule.input not in self._points:
            remedy = did_you_mean(rule.input, self._points)
            raise self._wrong(f"{at}.input", f"there is no point {rule.input!r}", remedy)
        if rule.input == rule.point:
            raise self._wrong(f"{at}.input", "is the point that the rule moves", "name what it has to follow")
        interval = self._interval_of.get(rule.input, 0.0)
        if rule.stale_after <= interval:
            problem = f"{rule.stale_after:g} s is not more than the {interval:g} s from one read to the next"
            raise self._wrong(f"{at}.stale_after", problem, f"write {3 * interval:g} or more, or read it more often")

    def _is_whole(self, rule: ControlRule) -> bool:
        return self._points[rule.point].kind is Kind.STATE

    def _wrong(self, at: str, problem: str, remedy: str) -> ConfigError:
        return self._document.error(at, problem, remedy)


class _Check:
    """One rule against its point. Fields are named from the rule on."""

    def __init__(self, document: Document, setpoint: Setpoint) -> None:
        self._document = document
        self._setpoint = setpoint

    def check(self, rule: ControlRule) -> None:
        if not STRONGEST <= rule.priority <= WEAKEST:
            remedy = f"use {STRONGEST} (the strongest) to {WEAKEST}"
            raise self._wrong("priority", f"{rule.priority} is no priority", remedy)
        match rule:
            case ScheduleRule():
                self._schedule(rule)
            case HysteresisRule():
                self._hysteresis(rule)
            case LimitRule():
                self._limit(rule)

    def _schedule(self, rule: ScheduleRule) -> None:
        if not rule.windows:
            raise self._wrong("windows", "is empty", "add at least one: {start: '07:00', end: '19:00', value: 1}")
        for number, window in enumerate(rule.windows):
            at = f"windows[{number}]"
            for field in ("start", "end"):
                text = getattr(window, field)
                try:
                    if minute_of_day(text) == 1440 and field == "start":
                        raise ValueError("'24:00' is no time at which a day begins")
                except ValueError as error:
                    raise self._wrong(f"{at}.{field}", str(error), "write hours and minutes: '07:30'") from None
            if not window.days:
                raise self._wrong(f"{at}.days", "is empty", "leave it out for every day, or write 0 (Monday) to 6")
            if wrong := next((day for day in window.days if not 0 <= day <= 6), None):
                raise self._wrong(f"{at}.days", f"{wrong} is no weekday", "write 0 (Monday) to 6 (Sunday)")
            self._value(f"{at}.value", window.value)

    def _hysteresis(self, rule: HysteresisRule) -> None:
        self._finite(rule, "on_at", "off_at")
        if rule.on_at == rule.off_at:
            remedy = "write the value at which it turns on and another one at which it turns off"
            raise self._wrong("off_at", f"{rule.off_at:g} is on_at too: it would turn on and off at once", remedy)
        self._value("on_value", rule.on_value)
        if rule.off_value is not None:
            self._value("off_value", rule.off_value)
            if rule.off_value == rule.on_value:
                raise self._wrong("off_value", "is on_value too", "write another value, or leave it out")
        self._seconds(rule, "minimum_on", "minimum_off", "stale_after")

    def _limit(self, rule: LimitRule) -> None:
        if rule.maximum is None and rule.minimum is None:
            raise self._wrong("maximum", "is missing, and so is minimum", "write the limit that the input has to keep")
        self._finite(rule, "maximum", "minimum", "effect", "margin", "ramp")
        self._seconds(rule, "minimum_on", "minimum_off", "stale_after", "response")
        if rule.effect == 0:
            remedy = "write by how much the input changes when the output rises by 1"
            raise self._wrong("effect", "is 0: nothing that the rule does would be seen in its input", remedy)
        if rule.margin < 0:
            raise self._wrong("margin", f"{rule.margin:g} would be beyond the limit", "write 0 or more")
        if rule.ramp is not None and rule.ramp <= 0:
            raise self._wrong("ramp", f"{rule.ramp:g} is no speed", "write the most that it may move in a second")
        for field in ("low", "high", "rest"):
            self._value(field, getattr(rule, field))
        if not rule.low < rule.high:
            raise self._wrong("high", f"{rule.high:g} is not above low ({rule.low:g})", "exchange them")
        if not SPAN_LEAST <= rule.high - rule.low <= SPAN_MOST:
            problem = f"{rule.low:g} to {rule.high:g} is no range that a device has"
            raise self._wrong("high", problem, f"let them be {SPAN_LEAST:g} to {SPAN_MOST:g} apart")
        if not rule.low <= rule.rest <= rule.high:
            raise self._wrong("rest", f"{rule.rest:g} is not in {rule.low:g} to {rule.high:g}", "put it within")
        self._check_room(rule)

    def _check_room(self, rule: LimitRule) -> None:
        least = -math.inf if rule.minimum is None else rule.minimum + rule.margin
        most = math.inf if rule.maximum is None else rule.maximum - rule.margin
        if least >= most:
            problem = f"{rule.minimum} leaves no room below the maximum {rule.maximum}, margins taken off"
            raise self._wrong("minimum", problem, "lower it, or the margin")
        for limit, lowers in (("maximum", True), ("minimum", False)):
            rises = (rule.effect < 0) == lowers
            field, end = ("high", rule.high) if rises else ("low", rule.low)
            if getattr(rule, limit) is not None and end == rule.rest:
                problem = f"{end:g} is where the output rests: it could do nothing about the {limit}"
                raise self._wrong(field, problem, "give it room, or turn the sign of effect")

    def _value(self, field: str, value: float) -> None:
        refused = self._setpoint.problem(value)
        if refused is not None:
            raise self._wrong(field, refused[1], "write a value that the point takes")

    def _finite(self, rule: ControlRule, *fields: str) -> None:
        for field in fields:
            value = getattr(rule, field)
            if value is not None and not math.isfinite(value):
                raise self._wrong(field, f"{value} is not a number", "write a finite one")

    def _seconds(self, rule: ControlRule, *fields: str) -> None:
        for field in fields:
            value = getattr(rule, field)
            if not 0 <= value <= MOST_SECONDS:
                raise self._wrong(field, f"{value:g} is no time", f"write 0 to {MOST_SECONDS:g} seconds")

    def _wrong(self, field: str, problem: str, remedy: str) -> ConfigError:
        return self._document.error(field, problem, remedy)


def _own_points(rule: ControlRule, target: Point) -> list[Point]:
    return [
        Point(
            key=f"{rule.key}.active",
            name=f"{rule.name}: active",
            unit="",
            kind=Kind.STATE,
            device="",
            states={"0": "at rest", "1": "active"},
        ),
        Point(
            key=f"{rule.key}.output",
            name=f"{rule.name}: output",
            unit=target.unit,
            kind=target.kind,
            device="",
            states=target.states,
        ),
    ]
