"""What an edge computes, reports and controls by itself: does it fit together, and to the points that are there.

The shapes are checked where the body is read, each rule by itself in `sites.local_checks`; here is what only the site
knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

import msgspec
from rest_framework.exceptions import ValidationError

from ems_contract.control import ControlRule, ScheduleRule
from ems_contract.points import UNITS, Kind, is_point_key
from ems_contract.processing import DerivedPoint, ReportPolicy
from sites.expressions import points_of
from sites.local_checks import Complaints, Target, check_name, check_policy, check_rule
from sites.models import Device, Edge, EdgeRow, Point, Site, TenantQuerySet

LISTS = ("derived", "reporting", "rules")


def check_local(site: Site, edge: Edge | None, changes: Mapping[str, Any]) -> None:
    """`changes` of `derived`, `reporting` and `rules`; without an edge: of one that is being made.

    Raises ValidationError naming each field.
    """
    if not changes.keys() & set(LISTS):
        return
    place = _Place(site, edge, changes)
    complaints = {
        **{f"derived.{number}": place.derivation(each) for number, each in enumerate(place.derived)},
        **{f"reporting.{number}": place.policy(each) for number, each in enumerate(place.reporting)},
        **{f"rules.{number}": place.rule(each) for number, each in enumerate(place.rules)},
    }
    errors = {f"{where}.{field}": why for where, each in complaints.items() for field, why in each}
    if errors:
        raise ValidationError(errors)


def check_key(site: Site, key: str) -> None:
    """A new device's: a rule or a derived point that has it would write to the same points. Raises ValidationError."""
    if key in _words(_of_site(Edge, site)):
        raise ValidationError({"key": "A rule or a derived point of this site has this key; choose another one."})


def _of_site[M: EdgeRow | Edge](model: type[M], site: Site) -> TenantQuerySet[M]:
    rows: TenantQuerySet[M] = model._default_manager.all()  # type: ignore[assignment]  # a TenantRow's manager
    return rows.opened("of the same site").filter(site=site)


def _words(edges: TenantQuerySet[Edge]) -> set[str]:
    """The first words of the keys that these edges' rules and derived points write."""
    rows = list(edges.values_list("derived", "rules"))
    derived = {each["key"].partition(".")[0] for first, _ in rows for each in first}
    return derived | {each["key"] for _, second in rows for each in second}


class _Place:
    """The site as the edge will find it. What is not changed stays as it is."""

    def __init__(self, site: Site, edge: Edge | None, changes: Mapping[str, Any]) -> None:
        said: dict[str, Any] = {name: changes.get(name, getattr(edge, name) if edge else []) for name in LISTS}
        self.derived = msgspec.convert(said["derived"], list[DerivedPoint])
        self.reporting = msgspec.convert(said["reporting"], list[ReportPolicy])
        self.rules = msgspec.convert(said["rules"], list[ControlRule])
        points = Point.objects.opened("of the edge's own devices").filter(device__edge=edge) if edge else ()
        self._points = {point.key: point for point in points}
        self._derived_keys = [each.key for each in self.derived]
        self._rule_keys = [rule.key for rule in self.rules]
        self._derived_words = {key.partition(".")[0] for key in self._derived_keys}
        self._inputs = self._points.keys() | set(self._derived_keys)
        self._made = {f"{key}.{point}" for key in self._rule_keys for point in ("active", "output")}
        others = _of_site(Edge, site)
        self._taken = set(_of_site(Device, site).values_list("key", flat=True)) | _words(
            others.exclude(pk=edge.pk) if edge else others
        )
        self._circle = self._find_circle()

    def derivation(self, point: DerivedPoint) -> Complaints:
        word = point.key.partition(".")[0]
        if not is_point_key(point.key):
            yield "key", "Write a point key such as site.load."
        elif self._derived_keys.count(point.key) > 1:
            yield "key", "Two derived points have this key."
        elif word in self._taken or word in self._rule_keys:
            yield "key", f"{word!r} is a device, a rule or another edge's; begin with a word of its own."
        if point.unit not in UNITS:
            yield "unit", f"Not a unit; use one of {', '.join(filter(None, UNITS))}."
        if point.kind is Kind.STATE:
            yield "kind", "A derived state would have no names for its numbers; write gauge."
        yield from check_name(point.name)
        yield from self._expression(point)

    def _expression(self, point: DerivedPoint) -> Complaints:
        try:
            needed = points_of(point.expression)
        except ValueError as error:
            yield "expression", str(error)
            return
        yield from (("expression", _missing(key)) for key in needed if key not in self._inputs)
        if not needed:
            yield "expression", "It mentions no point."
        elif point.key in self._circle:
            yield "expression", f"It is made of itself: {' -> '.join(self._circle)}."

    def _find_circle(self) -> list[str]:
        """Derived points each of which needs the next."""
        needs: dict[str, list[str]] = {}
        for each in self.derived:
            try:
                needs[each.key] = [key for key in points_of(each.expression) if key in self._derived_keys]
            except ValueError:
                continue  # told where it is written
        try:
            TopologicalSorter(needs).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1][::-1]
            return circle
        return []

    def policy(self, policy: ReportPolicy) -> Complaints:
        yield from check_policy(policy)
        for pattern in policy.points:
            if "*" not in pattern and pattern not in self._inputs | self._made:
                yield "points", _missing(pattern)

    def rule(self, rule: ControlRule) -> Complaints:
        point = self._points.get(rule.point)
        yield from check_rule(rule, _target(point) if point else None)
        if self._rule_keys.count(rule.key) > 1:
            yield "key", "Two rules have this key."
        elif rule.key in self._taken or rule.key in self._derived_words:
            yield "key", "A device, a derived point or another edge's rule has this key; choose another one."
        if point is None:
            yield "point", _missing(rule.point)
        elif not point.writable:
            yield "point", f"{rule.point} is read-only."
        if rule.enabled and sum(self._same_claim(rule, other) for other in self.rules) > 1:
            yield "priority", f"Another rule moves {rule.point} at the same priority; the lower number wins."
        if not isinstance(rule, ScheduleRule):
            if rule.input not in self._inputs:
                yield "input", _missing(rule.input)
            elif rule.input == rule.point:
                yield "input", "The point that the rule moves; name what it has to follow."

    def _same_claim(self, rule: ControlRule, other: ControlRule) -> bool:
        return other.enabled and (other.point, other.priority) == (rule.point, rule.priority)


def _target(point: Point) -> Target:
    return Target(point.key, point.kind, point.minimum, point.maximum, frozenset(point.states or ()))


def _missing(key: str) -> str:
    return f"This edge has no point {key[:96]!r}."
