"""What an edge computes, reports and controls by itself: does it fit together, and to the points that are there.

The shapes are checked where the body is read; here is what only the site knows. The edge checks all of it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from rest_framework.exceptions import ValidationError

from ems_contract.control import STRONGEST, WEAKEST, ControlRule, HysteresisRule, LimitRule, ScheduleRule
from ems_contract.points import UNITS, Kind, is_point_key
from ems_contract.processing import DerivedPoint, ReportPolicy
from sites.expressions import points_of
from sites.models import Device, Edge, Point, Site

LISTS = ("derived", "reporting", "rules")
Complaints = Iterator[tuple[str, str]]
"""(field, sentence)"""
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z|24:00\Z")
_PATTERN = re.compile(r"[a-z0-9_.*]{1,96}\Z")
_LONGEST_NAME = 200
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def check_local(site: Site, edge: Edge | None, changes: Mapping[str, Any]) -> None:
    """`changes` of `derived`, `reporting` and `rules`; without an edge: of one that is being made.

    Raises ValidationError naming each field.
    """
    if not changes.keys() & set(LISTS):
        return
    place = _Place(site, edge, changes)
    complaints = {
        **{f"derived.{number}": place.derivation(each) for number, each in enumerate(place.derived)},
        **{f"reporting.{number}": _policy(each) for number, each in enumerate(place.reporting)},
        **{f"rules.{number}": place.rule(each) for number, each in enumerate(place.rules)},
    }
    errors = {f"{where}.{field}": why for where, each in complaints.items() for field, why in each}
    if errors:
        raise ValidationError(errors)


def check_key(site: Site, key: str) -> None:
    """A new device's: a rule or a derived point that has it would write to the same points. Raises ValidationError."""
    if key in _words(Edge.objects.opened("of the same site").filter(site=site)):
        raise ValidationError({"key": "A rule or a derived point of this site has this key; choose another one."})


def _words(edges: Any) -> set[str]:
    """The first words of the keys that these edges' rules and derived points write."""
    rows = list(edges.values_list("derived", "rules"))
    derived = {each["key"].partition(".")[0] for first, _ in rows for each in first}
    return derived | {each["key"] for _, second in rows for each in second}


class _Place:
    """The site as the edge will find it. What is not changed stays as it is."""

    def __init__(self, site: Site, edge: Edge | None, changes: Mapping[str, Any]) -> None:
        said: dict[str, Any] = {name: changes.get(name, getattr(edge, name) if edge else []) for name in LISTS}
        self.derived: list[DerivedPoint] = msgspec.convert(said["derived"], list[DerivedPoint])
        self.reporting: list[ReportPolicy] = msgspec.convert(said["reporting"], list[ReportPolicy])
        self.rules: list[ControlRule] = msgspec.convert(said["rules"], list[ControlRule])
        points = Point.objects.opened("of the edge's own devices").filter(device__edge=edge) if edge else ()
        self._points = {point.key: point for point in points}
        self._devices = set(Device.objects.opened("of the same site").filter(site=site).values_list("key", flat=True))
        others = Edge.objects.opened("of the same site").filter(site=site)
        self._others = _words(others.exclude(pk=edge.pk) if edge else others)
        self._derived_keys = [each.key for each in self.derived]
        self._rule_keys = [rule.key for rule in self.rules]

    def derivation(self, point: DerivedPoint) -> Complaints:
        first = point.key.partition(".")[0]
        if not is_point_key(point.key):
            yield "key", "Write a point key such as site.load."
        elif self._derived_keys.count(point.key) > 1:
            yield "key", "Two derived points have this key."
        elif first in self._devices or first in self._others or first in self._rule_keys:
            yield "key", f"{first!r} is a device, a rule or another edge's; begin the key with another word."
        if point.unit not in UNITS:
            yield "unit", f"Not a unit; use one of {', '.join(filter(None, UNITS))}."
        yield from _name(point.name)
        try:
            needed = points_of(point.expression)
        except ValueError as error:
            yield "expression", str(error)
            return
        yield from (("expression", self._missing(key)) for key in needed if not self._is_known(key))

    def rule(self, rule: ControlRule) -> Complaints:
        if not _KEY.match(rule.key):
            yield "key", "Write a lower-case word: letters, digits and _, starting with a letter."
        elif self._rule_keys.count(rule.key) > 1:
            yield "key", "Two rules have this key."
        elif rule.key in self._devices or rule.key in self._others:
            yield "key", "A device or another edge's rule has this key; choose another one."
        yield from _name(rule.name)
        if not STRONGEST <= rule.priority <= WEAKEST:
            yield "priority", f"From {STRONGEST}, the strongest, to {WEAKEST}."
        point = self._points.get(rule.point)
        if point is None:
            yield "point", self._missing(rule.point)
        elif not point.writable:
            yield "point", f"{rule.point} is read-only."
        match rule:
            case ScheduleRule():
                yield from _schedule(rule, point)
            case HysteresisRule():
                yield from self._input(rule)
                yield from _hysteresis(rule, point)
            case LimitRule():
                yield from self._input(rule)
                yield from _limit(rule, point)

    def _input(self, rule: HysteresisRule | LimitRule) -> Complaints:
        if not self._is_known(rule.input):
            yield "input", self._missing(rule.input)
        for field in ("minimum_on", "minimum_off", "stale_after"):
            if getattr(rule, field) < 0:
                yield field, "Not less than 0 s."

    def _is_known(self, key: str) -> bool:
        return key in self._points or key in self._derived_keys

    def _missing(self, key: str) -> str:
        return f"This edge has no point {key[:96]!r}."


def _name(name: str) -> Complaints:
    if not 0 < len(name.strip()) <= _LONGEST_NAME or _UNPRINTABLE.search(name):
        yield "name", f"One line of 1 to {_LONGEST_NAME} characters."


def _policy(policy: ReportPolicy) -> Complaints:
    if not 0 < len(policy.points) <= _LONGEST_NAME or not all(_PATTERN.match(pattern) for pattern in policy.points):
        yield "points", "Point keys, in which * stands for any characters."
    for field in ("deadband", "deadband_percent"):
        if (getattr(policy, field) or 0) < 0:
            yield field, "Not less than 0."
    if policy.heartbeat <= 0:
        yield "heartbeat", "More than 0 s."
    if policy.window is not None and policy.window <= 0:
        yield "window", "More than 0 s."


def _schedule(rule: ScheduleRule, point: Point | None) -> Complaints:
    if not rule.windows:
        yield "windows", "Write at least one window."
    for number, window in enumerate(rule.windows):
        for field in ("start", "end"):
            if not _TIME.match(getattr(window, field)):
                yield f"windows.{number}.{field}", "A time of day such as 07:00; the day ends at 24:00."
        if not window.days or not set(window.days) <= set(range(7)):
            yield f"windows.{number}.days", "Weekdays from 0, Monday, to 6."
        yield from _takes(point, **{f"windows.{number}.value": window.value})


def _hysteresis(rule: HysteresisRule, point: Point | None) -> Complaints:
    if rule.on_at == rule.off_at:
        yield "off_at", "Another number than on_at: between the two nothing is switched."
    yield from _takes(point, on_value=rule.on_value, off_value=rule.off_value)


def _limit(rule: LimitRule, point: Point | None) -> Complaints:
    if rule.maximum is None and rule.minimum is None:
        yield "maximum", "Write a maximum, a minimum or both."
    elif rule.maximum is not None and rule.minimum is not None and rule.minimum + 2 * rule.margin > rule.maximum:
        yield "minimum", "With the margin, nothing is left between minimum and maximum."
    if rule.effect == 0:
        yield "effect", "Not 0: how much the input changes when the output rises by one."
    if not rule.low < rule.high:
        yield "high", "More than low."
    elif not rule.low <= rule.rest <= rule.high:
        yield "rest", "From low to high."
    if rule.ramp is not None and rule.ramp <= 0:
        yield "ramp", "More than 0 a second."
    for field in ("margin", "response"):
        if getattr(rule, field) < 0:
            yield field, "Not less than 0."
    yield from _takes(point, low=rule.low, high=rule.high)


def _takes(point: Point | None, **values: float | None) -> Complaints:
    """Whether the point may be set to these."""
    if point is None:
        return
    for field, value in values.items():
        if value is None:
            continue
        if point.minimum is not None and value < point.minimum:
            yield field, f"Below the minimum of {point.key}, {point.minimum:.10g}."
        if point.maximum is not None and value > point.maximum:
            yield field, f"Above the maximum of {point.key}, {point.maximum:.10g}."
        if point.kind == Kind.STATE and point.states and f"{value:.10g}" not in point.states:
            yield field, f"Not a state of {point.key}."
