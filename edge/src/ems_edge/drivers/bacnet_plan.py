"""Which requests read a BACnet device's points: as few as fit its messages. Pure.

An object is named by its type and instance (analog-input,3), a property by its standard name (present-value) or its
number. Numbers are those of ASHRAE 135.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ems_edge.decode import Scaling
from ems_edge.driver import PointSource

type ObjectId = tuple[int, int]
"""The number of its type, and its instance."""

OBJECT_TYPES: Mapping[str, int] = {
    "analog-input": 0,
    "analog-output": 1,
    "analog-value": 2,
    "binary-input": 3,
    "binary-output": 4,
    "binary-value": 5,
    "device": 8,
    "loop": 12,
    "multi-state-input": 13,
    "multi-state-output": 14,
    "multi-state-value": 19,
    "accumulator": 23,
    "pulse-converter": 24,
    "integer-value": 45,
    "large-analog-value": 46,
    "positive-integer-value": 48,
    "lighting-output": 54,
}
TYPE_NAMES: Mapping[int, str] = {number: name for name, number in OBJECT_TYPES.items()}
BINARY = frozenset({3, 4, 5})
MULTI_STATE = frozenset({13, 14, 19})
MEASURED = frozenset({0, 1, 3, 4, 13, 14, 23, 24, 54})
"""Inputs and outputs: out of service, their present value is not that of the plant any more."""
LAST_INSTANCE = 4_194_302
ANY_INSTANCE = 4_194_303
"""Whoever is asked: a question to the device object that names no device."""

PRESENT_VALUE, STATUS_FLAGS, COV_INCREMENT = 85, 111, 22
PROPERTIES: Mapping[str, int] = {
    "present-value": PRESENT_VALUE,
    "cov-increment": COV_INCREMENT,
    "relinquish-default": 104,
    "reliability": 103,
    "out-of-service": 81,
    "elapsed-active-time": 33,
    "change-of-state-count": 15,
    "setpoint": 108,
    "controlled-variable-value": 21,
    "value-before-change": 190,
    "count": 177,
    "max-pres-value": 65,
    "min-pres-value": 69,
    "system-status": 112,
}

_OBJECT_BYTES, _REFERENCE_BYTES = 7, 2
_RESULT_BYTES = 9
"""A property and a value of four bytes, with the tags around them; an error is as long."""
_HEADER_BYTES = 12
_SEGMENTS = 4
"""How many segments of an answer are worth one request less."""


@dataclass(frozen=True, slots=True)
class ObjectSource(PointSource):
    """A property of an object; value = raw * scale + offset."""

    object: ObjectId
    property_number: int
    scaling: Scaling
    writable: bool = False

    @property
    def is_present_value(self) -> bool:
        return self.property_number == PRESENT_VALUE


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device can take. `apdu` is its longest message in bytes; `multiple`: it knows ReadPropertyMultiple."""

    apdu: int = 480
    segmented: bool = False
    multiple: bool = True

    def smaller(self) -> Limits:
        """After an answer that was too long for it."""
        return replace(self, segmented=False) if self.segmented else replace(self, apdu=max(self.apdu // 2, 50))


type Request = tuple[tuple[ObjectId, tuple[int, ...]], ...]
"""Objects, each with the properties to be read of it."""


def wanted(sources: Iterable[ObjectSource], flagless: frozenset[ObjectId] | set[ObjectId] = frozenset()) -> Request:
    """All that these points need: present values with their status flags, but for objects without (`flagless`)."""
    found: dict[ObjectId, dict[int, None]] = {}
    for source in sources:
        properties = found.setdefault(source.object, {})
        properties[source.property_number] = None
        if source.is_present_value and source.object not in flagless:
            properties[STATUS_FLAGS] = None
    return tuple((name, tuple(properties)) for name, properties in found.items())


def split(request: Request, limits: Limits, alone: frozenset[ObjectId] | set[ObjectId] = frozenset()) -> list[Request]:
    """The same, in as few requests as the device can take; objects `alone` share theirs with none."""
    if not limits.multiple:
        return [((found, (number,)),) for found, numbers in request for number in numbers]
    room = limits.apdu - _HEADER_BYTES
    room_of_answer = room * _SEGMENTS if limits.segmented else room
    parts: list[list[tuple[ObjectId, tuple[int, ...]]]] = []
    asked = answered = 0
    closed = True
    for found, numbers in request:
        asking = _OBJECT_BYTES + _REFERENCE_BYTES * len(numbers)
        answering = _OBJECT_BYTES + _RESULT_BYTES * len(numbers)
        apart = found in alone
        if closed or apart or asked + asking > room or answered + answering > room_of_answer:
            parts.append([])
            asked = answered = 0
        parts[-1].append((found, numbers))
        asked, answered, closed = asked + asking, answered + answering, apart
    return [tuple(part) for part in parts]
