"""What people write about derived points and reporting, checked whole. Everything here raises ConfigError.

The first word of a derived point's key names a device that nobody wired; it may not be the name of one that somebody
did, nor of a rule.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from ems_contract.points import UNITS, Kind, Point, is_point_key
from ems_contract.processing import DerivedPoint, ReportPolicy
from ems_contract.telemetry import MAX_READINGS

from ems_edge.expression import ExpressionError, parse
from ems_edge.problems import Document, did_you_mean
from ems_edge.processing import Derived

HEARTBEAT_LEAST, HEARTBEAT_MOST = 1.0, 600.0
"""History lets a value hold for 15 min: a heartbeat and a read are well within."""
WINDOW_LEAST, WINDOW_MOST = 1.0, 600.0
_PATTERN = re.compile(r"[a-z0-9_.*]+\Z")


def check_derived(
    document: Document, derived: Sequence[DerivedPoint], points: Iterable[Point], taken: Collection[str]
) -> tuple[tuple[Derived, ...], list[Point]]:
    """What is to be computed, in that order, and the points that come of it. `taken`: keys of devices and rules."""
    known = {point.key for point in points}
    own: dict[str, int] = {}
    for number, one in enumerate(derived):
        _check_key(document, f"derived[{number}].key", one.key, known, taken)
        if one.key in own:
            remedy = "give each derived point its own key"
            raise document.error(f"derived[{number}].key", f"{one.key!r} is also derived[{own[one.key]}]", remedy)
        own[one.key] = number
        _check_rest(document, f"derived[{number}]", one)
    parsed = {one.key: _parse(document, number, one, known | own.keys()) for number, one in enumerate(derived)}
    order = _order(document, parsed, own)
    made = [Point(key=one.key, name=one.name, unit=one.unit, kind=one.kind, device="") for one in derived]
    return tuple(parsed[key] for key in order), made


def _check_key(document: Document, at: str, key: str, known: Collection[str], taken: Collection[str]) -> None:
    if not is_point_key(key):
        raise document.error(at, f"{key!r:.120} is not a point's key", "write lower-case words and dots: site.load")
    word = key.partition(".")[0]
    if key in known or word in taken:
        raise document.error(at, f"{word!r} is a device or a rule", "begin with a word of its own: site.load")


def _check_rest(document: Document, at: str, one: DerivedPoint) -> None:
    if not one.name.strip():
        raise document.error(f"{at}.name", "is empty", "write what people should read")
    if one.unit not in UNITS:
        remedy = did_you_mean(one.unit, (unit for unit in UNITS if unit))
        raise document.error(f"{at}.unit", f"{one.unit!r} is not a unit of this system", remedy)
    if one.kind is Kind.STATE:
        raise document.error(f"{at}.kind", "a derived state has no names for its numbers", "write kind: gauge")


def _parse(document: Document, number: int, one: DerivedPoint, known: Collection[str]) -> Derived:
    at = f"derived[{number}].expression"
    try:
        expression = parse(one.expression)
    except ExpressionError as error:
        raise document.error(at, error.problem, error.remedy) from None
    for point in expression.points:
        if point not in known:
            raise document.error(at, f"there is no point {point!r}", did_you_mean(point, known))
    if not expression.points:
        raise document.error(at, "mentions no point", "write arithmetic over points: grid_meter.active_power / 1000")
    return Derived(one.key, expression)


def _order(document: Document, parsed: Mapping[str, Derived], own: Mapping[str, int]) -> list[str]:
    """Each after those that it is made of."""
    sorter = TopologicalSorter({key: [p for p in one.expression.points if p in own] for key, one in parsed.items()})
    try:
        return list(sorter.static_order())
    except CycleError as error:
        circle: list[str] = error.args[1][::-1]
        first = min(circle, key=lambda key: own[key])
        problem = f"is made of itself: {' -> '.join(circle)}"
        raise document.error(f"derived[{own[first]}].expression", problem, "take one of them out") from None


def check_reporting(document: Document, policies: Sequence[ReportPolicy], points: Sequence[Point]) -> None:
    if policies and len(points) > MAX_READINGS:
        problem = f"{len(points)} points, of which each may carry a time of its own in the current image"
        raise document.error("reporting", problem, f"have at most {MAX_READINGS} at an edge that reports by exception")
    for number, policy in enumerate(policies):
        _check_policy(document, f"reporting[{number}]", policy, points)


def _check_policy(document: Document, at: str, policy: ReportPolicy, points: Sequence[Point]) -> None:
    if not policy.points:
        raise document.error(f"{at}.points", "is empty", "write keys, or '*' for all")
    for place, pattern in enumerate(policy.points):
        where = f"{at}.points[{place}]"
        if not _PATTERN.match(pattern):
            raise document.error(where, f"{pattern!r:.120} is no key", "write a point's key, with * for any characters")
        if "*" not in pattern and pattern not in {point.key for point in points}:
            remedy = did_you_mean(pattern, (point.key for point in points))
            raise document.error(where, f"there is no point {pattern!r}", remedy)
    for name in ("deadband", "deadband_percent"):
        value = getattr(policy, name)
        if value is not None and not 0 <= value < math.inf:
            raise document.error(f"{at}.{name}", f"{value} is no distance", "write 0 or more")
    _check_seconds(document, f"{at}.heartbeat", policy.heartbeat, HEARTBEAT_LEAST, HEARTBEAT_MOST)
    if policy.window is not None:
        _check_seconds(document, f"{at}.window", policy.window, WINDOW_LEAST, WINDOW_MOST)


def _check_seconds(document: Document, at: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise document.error(at, f"{value:g} s is out of range", f"write {least:g} to {most:g} seconds")
