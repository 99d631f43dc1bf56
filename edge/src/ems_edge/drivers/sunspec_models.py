"""What the SunSpec models say: where in a model each point is, its type, its scale factor and what it is called.

The facts are the SunSpec Alliance's own, as its `pysunspec2` carries them (`docs/adr/0014-sunspec-facts.md`); of that
package only the JSON files are read. A point is named as there: `W`, in a group `PFWInj.PF`, in a group that is
repeated `module[1].DCW`, counted from 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

import msgspec

from ems_edge.decode import Codec, Type

HEADER = 2
"""Registers of ID and length, which the length does not count."""
_STEP = re.compile(r"([\w-]+)(?:\[(\d+)\])?\Z")

CODECS: dict[str, Codec] = {
    "int16": Codec(Type.INT16, sentinels=(0x8000,)),
    "uint16": Codec(Type.UINT16, sentinels=(0xFFFF,)),
    "acc16": Codec(Type.UINT16, sentinels=(0,)),
    "enum16": Codec(Type.UINT16, sentinels=(0xFFFF,)),
    "bitfield16": Codec(Type.UINT16, sentinels=(0xFFFF,)),
    "sunssf": Codec(Type.INT16, sentinels=(0x8000,), minimum=-10, maximum=10),
    "count": Codec(Type.UINT16, sentinels=(0xFFFF,)),
    "int32": Codec(Type.INT32, sentinels=(0x80000000,)),
    "uint32": Codec(Type.UINT32, sentinels=(0xFFFFFFFF,)),
    "acc32": Codec(Type.UINT32, sentinels=(0,)),
    "enum32": Codec(Type.UINT32, sentinels=(0xFFFFFFFF,)),
    "bitfield32": Codec(Type.UINT32, sentinels=(0xFFFFFFFF,)),
    "int64": Codec(Type.INT64, sentinels=(0x8000000000000000,)),
    "uint64": Codec(Type.UINT64, sentinels=(0xFFFFFFFFFFFFFFFF,)),
    "acc64": Codec(Type.UINT64, sentinels=(0,)),
    "float32": Codec(Type.FLOAT32),
    "float64": Codec(Type.FLOAT64),
}
"""Of every type that is a number; the sentinels are SunSpec's "not implemented" (Information Model Specification)."""


class Symbol(msgspec.Struct, frozen=True):
    name: str
    value: int
    label: str = ""


class ModelPoint(msgspec.Struct, frozen=True):
    """`sf` names the point that holds the scale factor, or is the exponent itself; `size` in registers."""

    name: str
    type: str
    size: int
    sf: str | int | None = None
    units: str = ""
    access: str = "R"
    label: str = ""
    mandatory: str = "O"
    symbols: list[Symbol] = []

    @property
    def writable(self) -> bool:
        return self.access == "RW"

    @property
    def bits(self) -> bool:
        return self.type.startswith("bitfield")


class Group(msgspec.Struct, frozen=True):
    """`count`: how often it is there; 0 or a point's name where only the device knows."""

    name: str
    label: str = ""
    count: int | str = 1
    points: list[ModelPoint] = []
    groups: list[Group] = []

    def size(self) -> int | None:
        """Registers of one of it; None where only the device knows."""
        size = sum(point.size for point in self.points)
        for group in self.groups:
            inner = group.size()
            if inner is None or not isinstance(group.count, int) or group.count == 0:
                return None
            size += inner * group.count
        return size


class Model(msgspec.Struct, frozen=True):
    id: int
    group: Group


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point is: `offset` counts registers from the model's ID; `factor` is the offset of its scale factor."""

    path: str
    point: ModelPoint
    offset: int
    factor: int | None
    exponent: int

    @property
    def codec(self) -> Codec:
        return CODECS[self.point.type]

    @property
    def end(self) -> int:
        return max(self.offset + self.point.size, 0 if self.factor is None else self.factor + 1)


@cache
def model(number: int) -> Model | None:
    """None for a model that is not known, such as a maker's own."""
    try:
        text = (resources.files("sunspec2") / "models" / "json" / f"model_{number}.json").read_bytes()
    except FileNotFoundError:
        return None
    return msgspec.json.decode(text, type=Model)


@cache
def place(number: int, path: str) -> Place:
    """Raises LookupError, with a sentence, where the model has no such point, or none that is a number."""
    found = model(number)
    if found is None:
        raise LookupError(f"SunSpec has no model {number}")
    *groups, last = path.split(".")
    group, offset, factors = found.group, 0, _factors(found.group, 0)
    for step in groups:
        group, offset = _enter(group, offset, step)
        factors |= _factors(group, offset)
    for point in group.points:
        if point.name == last:
            return _placed(path, point, offset, factors)
        offset += point.size
    raise LookupError(f"model {number} has no point {path!r}")


def names(number: int) -> list[str]:
    """The points of a model that are not in a group, for a hint at what was meant."""
    found = model(number)
    return [point.name for point in found.group.points] if found else []


def places(number: int, length: int) -> Iterator[Place]:
    """Every number of a model that has `length` registers on the device, as far as its repeated groups can be told."""
    found = model(number)
    if found is not None:
        yield from _all(found.group, "", 0, {}, length + HEADER)


def _placed(path: str, point: ModelPoint, offset: int, factors: dict[str, int]) -> Place:
    if point.type not in CODECS:
        raise LookupError(f"{path!r} is a {point.type} and no number")
    if isinstance(point.sf, str):
        return Place(path, point, offset, factors[point.sf], 0)
    return Place(path, point, offset, None, point.sf or 0)


def _factors(group: Group, offset: int) -> dict[str, int]:
    """Offsets of the scale factors that the points of a group, and of those in it, may name."""
    found: dict[str, int] = {}
    for point in group.points:
        if point.type == "sunssf":
            found[point.name] = offset
        offset += point.size
    return found


def _enter(group: Group, offset: int, step: str) -> tuple[Group, int]:
    """The group that one step of a path names, and where it begins."""
    parts = _STEP.match(step)
    name, index = (parts[1], int(parts[2] or 1)) if parts else (step, 1)
    known = [inner.name for inner in group.groups]
    if name not in known:
        raise LookupError(f"there is no group {name!r}; use one of {', '.join(known) or 'its points'}")
    at = offset + sum(point.size for point in group.points)
    for inner in group.groups:
        size = inner.size()
        if inner.name == name:
            if index < 1 or (isinstance(inner.count, int) and 0 < inner.count < index):
                raise LookupError(f"there is no {step}; it is counted from 1")
            if size is None and index > 1:
                raise LookupError(f"only the device knows where {step} is")
            return inner, at + (index - 1) * (size or 0)
        if size is None or not isinstance(inner.count, int) or inner.count == 0:
            raise LookupError(f"only the device knows where {step} is, behind {inner.name}")
        at += size * inner.count
    raise AssertionError("its name is known")


def _all(group: Group, prefix: str, offset: int, factors: dict[str, int], end: int) -> Iterator[Place]:
    factors = factors | _factors(group, offset)
    for point in group.points:
        if point.type in CODECS and point.type != "sunssf" and offset + point.size <= end:
            yield _placed(prefix + point.name, point, offset, factors)
        offset += point.size
    for inner in group.groups:
        size = inner.size()
        if size is None:
            return
        open_ended = not isinstance(inner.count, int) or inner.count == 0
        count = max(end - offset, 0) // size if open_ended else int(inner.count)
        for index in range(1, count + 1):
            name = inner.name if inner.count == 1 else f"{inner.name}[{index}]"
            yield from _all(inner, f"{prefix}{name}.", offset, factors, end)
            offset += size
