"""Lists of BACnet objects, as data: `data/objects/*.yaml`. The BACnet counterpart of `registers`.

Raises DataFileError for a list that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from importlib import resources
from typing import Literal

import msgspec
from ems_contract.points import UNITS, Kind

from ems_simulator.datafile import DataFileError, load
from ems_simulator.registers import Type

ObjectType = Literal[
    "analog-input", "analog-value", "binary-input", "binary-value", "multi-state-value", "accumulator",
    "positive-integer-value",
]  # fmt: skip
ANALOG = frozenset({"analog-input", "analog-value"})
STATED = frozenset({"binary-input", "binary-value", "multi-state-value"})


class ObjectPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One point in the present value of one object. `increment` None: nobody can subscribe to it.

    `states` are the texts of a binary object's 0 and 1, or of a multi-state object's 1, 2, ...
    """

    name: str
    label: str
    object: ObjectType
    instance: int
    unit: str
    kind: Kind
    units: str = "no-units"
    increment: float | None = None
    states: tuple[str, ...] = ()
    writable: bool = False

    @property
    def type(self) -> Type:
        """What the wire carries: a 32-bit float, or a whole number."""
        return "float32" if self.object in ANALOG else "uint32"

    @property
    def scale(self) -> float:
        """The wire carries the point's unit."""
        return 1.0


class ObjectMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """What a device of this profile shows."""

    profile: str
    model: str
    objects: tuple[ObjectPoint, ...]

    @cached_property
    def points(self) -> Mapping[str, ObjectPoint]:
        return {point.name: point for point in self.objects}


@cache
def object_map(profile: str) -> ObjectMap:
    """The list of this profile. Raises DataFileError."""
    source = resources.files("ems_simulator") / "data" / "objects" / f"{profile}.yaml"
    found = load(source, ObjectMap)
    check(found, source.name)
    return found


def check(found: ObjectMap, file: str) -> None:
    """What the types cannot say. Raises DataFileError."""
    names = [point.name for point in found.objects]
    places = [(point.object, point.instance) for point in found.objects]
    for point in found.objects:
        where = f"{file}: objects.{point.name}"
        if names.count(point.name) > 1:
            raise DataFileError(f"{where}: the name is used twice; names are unique in a list")
        if places.count((point.object, point.instance)) > 1:
            raise DataFileError(f"{where}.instance: there is another {point.object},{point.instance}; use a free one")
        if not 0 <= point.instance < 4_194_303:
            raise DataFileError(f"{where}.instance: {point.instance} is none; use 0 to 4194302")
        if point.unit not in UNITS:
            raise DataFileError(f"{where}.unit: {point.unit!r} is unknown; write one of {', '.join(UNITS[1:])}")
        if (point.object in STATED) != bool(point.states):
            raise DataFileError(f"{where}.states: binary and multi-state objects have texts, others have none")
        if point.object.startswith("binary") and len(point.states) != 2:
            raise DataFileError(f"{where}.states: a binary object has two; write the texts of 0 and 1")
