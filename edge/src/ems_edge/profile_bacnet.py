"""Profiles of BACnet devices: a list of objects.

profile: my_ahu                 # the name that configurations use, and the file's name
name: Air handling unit
driver: bacnet
points:
  - {key: supply_temperature, name: Supply temperature, unit: °C, object: "analog-input,1"}
  - {key: fan, name: Fan, unit: "", kind: state, object: "binary-input,1", states: {0: inactive, 1: active}}
  - {key: setpoint, name: Setpoint, unit: °C, object: "analog-value,3", writable: true}

`object` is type and instance, `property` the present value if not said; both may be the standard's numbers. States are
0 and 1 for binary objects, and count from 1 for multi-state objects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from ems_edge.decode import Scaling
from ems_edge.drivers.bacnet_plan import (
    BINARY,
    LAST_INSTANCE,
    MULTI_STATE,
    OBJECT_TYPES,
    PROPERTIES,
    TYPE_NAMES,
    ObjectId,
    ObjectSource,
)
from ems_edge.problems import ConfigError, Document, did_you_mean
from ems_edge.profile_common import CommonPoint, CommonProfile

_OBJECT = re.compile(r"(?P<type>[a-z0-9-]+)\s*[,:]\s*(?P<instance>\d{1,7})\Z")
_LAST_TYPE, _LAST_PROPERTY = 1023, 4_194_303
_INPUTS = frozenset({0, 3, 13, 23, 24})


class BacnetPoint(CommonPoint, frozen=True, kw_only=True):
    object: str
    property: str | int = "present-value"

    def object_id(self) -> ObjectId:
        """Raises ValueError with what is wrong with it."""
        found = _OBJECT.match(self.object)
        if found is None:
            raise ValueError(f"{self.object!r} is not a type and an instance")
        number = _number(found["type"], OBJECT_TYPES)
        if number is None or number > _LAST_TYPE:
            raise ValueError(f"{found['type']!r} is not an object type")
        if int(found["instance"]) > LAST_INSTANCE:
            raise ValueError(f"{found['instance']} is not an instance")
        return number, int(found["instance"])

    def property_number(self) -> int | None:
        number = _number(str(self.property), PROPERTIES)
        return number if number is not None and number <= _LAST_PROPERTY else None


class BacnetProfile(CommonProfile, frozen=True, kw_only=True):
    driver: Literal["bacnet"]
    points: list[BacnetPoint]

    def all_points(self) -> list[BacnetPoint]:
        return self.points

    def sources(self) -> tuple[ObjectSource, ...]:
        return tuple(
            ObjectSource(
                point.key,
                point.object_id(),
                point.property_number() or 0,
                Scaling(**point.scaling()),
                point.writable,
            )
            for point in self.points
        )

    def check(self, document: Document) -> None:
        taken: dict[tuple[ObjectId, int], int] = {}
        for number, point in enumerate(self.points):
            wanted = _check_point(document, point, f"points[{number}]")
            other = taken.setdefault(wanted, number)
            if other != number:
                raise document.error(
                    f"points[{number}].object",
                    f"{point.object} already belongs to points[{other}] ({self.points[other].key})",
                    "correct one of the two",
                )


def _check_point(document: Document, point: BacnetPoint, at: str) -> tuple[ObjectId, int]:
    def wrong(field: str, problem: str, remedy: str) -> ConfigError:
        return document.error(f"{at}.{field}", problem, remedy)

    try:
        kind, instance = point.object_id()
    except ValueError as error:
        remedy = did_you_mean(re.split(r"[,:]", point.object)[0].strip(), OBJECT_TYPES, "write analog-input,3, of")
        raise wrong("object", str(error), remedy) from None
    number = point.property_number()
    if number is None:
        raise wrong("property", f"{point.property!r} is not a property", did_you_mean(point.property, PROPERTIES))
    if point.writable and kind in _INPUTS:
        raise wrong(
            "writable",
            f"nothing can be written to objects of type {TYPE_NAMES[kind]}",
            "leave it out, or use an output",
        )
    if kind in BINARY and any(state not in (0, 1) for state in point.states):
        raise wrong("states", "a binary object is 0 or 1", "name these: {0: inactive, 1: active}")
    if kind in MULTI_STATE and 0 in point.states:
        raise wrong("states", "a multi-state object counts from 1", "shift the numbers: {1: off, 2: on}")
    return (kind, instance), number


def _number(text: str, names: Mapping[str, int]) -> int | None:
    return int(text) if text.isdecimal() else names.get(text)
