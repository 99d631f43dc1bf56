"""BACnet's values on the wire -> a value in the point's unit, and back. Pure: no I/O.

Values are read by the tag that they carry, whatever the object's type would have: an analog value that comes as an
unsigned number is a number all the same.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Protocol

from ems_contract.points import Reason

from ems_edge.decode import Value
from ems_edge.drivers.bacnet_plan import BINARY, MEASURED, MULTI_STATE, OBJECT_TYPES, ObjectId, ObjectSource

NULL, BOOLEAN, UNSIGNED, INTEGER, REAL, DOUBLE, TEXT, BITS, ENUMERATED, OBJECT = 0, 1, 2, 3, 4, 5, 7, 8, 9, 12
FAULT, OUT_OF_SERVICE = 0x40, 0x10
"""Of the status flags."""
_CHARSETS = {0: "utf-8", 3: "utf-32-be", 4: "utf-16-be", 5: "latin-1"}
_WRITTEN_AS = {
    OBJECT_TYPES["large-analog-value"]: DOUBLE,
    OBJECT_TYPES["integer-value"]: INTEGER,
    OBJECT_TYPES["positive-integer-value"]: UNSIGNED,
    **dict.fromkeys(BINARY, ENUMERATED),
    **dict.fromkeys(MULTI_STATE, UNSIGNED),
}
"""How a present value is written; all others are reals."""


class Tag(Protocol):
    """As bacpypes3 has it: `tag_class` 0 is an application tag."""

    tag_class: int
    tag_number: int
    tag_lvt: int
    tag_data: bytes


type Item = float | str | ObjectId | bytes | None
"""A number, a text, the name of an object, bits (without their count), or Null."""


def items(tags: Iterable[Tag]) -> list[Item]:
    """What stands in a property. Raises ValueError for what no device should send, and for what is not read here."""
    return [_item(tag) for tag in tags]


def _item(tag: Tag) -> Item:
    if tag.tag_class != 0:
        raise ValueError("a constructed value")
    data = bytes(tag.tag_data)
    match tag.tag_number:
        case 0:
            return None
        case 1:
            return float(tag.tag_lvt)
        case 2 | 9 if 1 <= len(data) <= 8:
            return float(int.from_bytes(data))
        case 3 if 1 <= len(data) <= 8:
            return float(int.from_bytes(data, signed=True))
        case 4 if len(data) == 4:
            return float(struct.unpack(">f", data)[0])
        case 5 if len(data) == 8:
            return float(struct.unpack(">d", data)[0])
        case 7 if data:
            return data[1:].decode(_CHARSETS.get(data[0], "ascii"), "replace")
        case 8 if data:
            return data[1:]
        case 12 if len(data) == 4:
            number = int.from_bytes(data)
            return number >> 22, number & 0x3FFFFF
        case _:
            raise ValueError(f"{len(data)} bytes under tag {tag.tag_number}")


def number(tags: Iterable[Tag]) -> float | Reason:
    """The one number of a property: Null is no value, anything else is garbled."""
    try:
        (item,) = items(tags)
    except ValueError:
        return Reason.GARBLED
    if item is None:
        return Reason.NO_VALUE
    return item if isinstance(item, float) else Reason.GARBLED


def flags(tags: Iterable[Tag]) -> int:
    """Status flags as one byte; 0 where they cannot be read."""
    try:
        (item,) = items(tags)
    except ValueError:
        return 0
    return item[0] if isinstance(item, bytes) and item else 0


def value_of(source: ObjectSource, raw: float | Reason, status: int = 0) -> Value:
    """The point's value, from its property and its object's status flags.

    A fault, and an input or output that is out of service (its value is then anyone's, not the plant's), is no value.
    """
    if isinstance(raw, Reason):
        return raw
    if source.is_present_value:
        decoupled = status & OUT_OF_SERVICE and source.object[0] in MEASURED
        if status & FAULT or decoupled:
            return Reason.NO_VALUE
    return source.scaling.value(raw)


def encode(source: ObjectSource, value: float) -> tuple[int, float]:
    """The application tag's number, and the number to write. Raises ValueError where the object cannot hold it."""
    raw = source.scaling.raw_number(value)
    tag = _WRITTEN_AS.get(source.object[0], REAL) if source.is_present_value else REAL
    if tag == DOUBLE:
        return tag, raw
    if tag == REAL:
        try:
            return tag, float(struct.unpack(">f", struct.pack(">f", raw))[0])
        except OverflowError:
            raise ValueError(f"{value} does not fit in a 32-bit float") from None
    whole = round(raw)
    if source.scaling.states and whole not in source.scaling.states:
        raise ValueError(f"{value} is none of the states {sorted(source.scaling.states)}")
    if source.object[0] in BINARY and whole not in (0, 1):
        raise ValueError(f"{value} is not 0 or 1")
    least, most = _range(source.object[0], tag)
    if not least <= whole <= most:
        raise ValueError(f"{value} is not between {least} and {most}")
    return tag, whole


def _range(kind: int, tag: int) -> tuple[int, int]:
    if tag == INTEGER:
        return -(1 << 31), (1 << 31) - 1
    return int(kind in MULTI_STATE), (1 << 32) - 1
