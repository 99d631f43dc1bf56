"""Register maps, as data: `data/registers/*.yaml`. Addresses are 0-based, a register has 16 bits.

Raises DataFileError for a map that is wrong.
"""

from __future__ import annotations

from functools import cache, cached_property
from importlib import resources
from typing import Literal

import msgspec
from ems_contract.points import UNITS, Kind

from ems_simulator.datafile import DataFileError, load

Type = Literal["uint16", "int16", "uint32", "int32", "uint64", "float32"]
WordOrder = Literal["big", "little"]
WIDTH: dict[Type, int] = {"uint16": 1, "int16": 1, "uint32": 2, "int32": 2, "uint64": 4, "float32": 2}
READS = "reads"
"""The register by which a device counts the reads it answered."""


class RegisterPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One point in consecutive registers: value = raw x scale, in `unit`. `sentinel` is the raw bits for "no value"."""

    name: str
    address: int
    type: Type
    unit: str
    kind: Kind
    scale: float = 1.0
    sentinel: int | None = None
    writable: bool = False

    @property
    def width(self) -> int:
        return WIDTH[self.type]

    @property
    def end(self) -> int:
        """The address after the last register."""
        return self.address + self.width


class Bank(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A range of registers that the read functions in `functions` answer (3 holding, 4 input)."""

    functions: tuple[Literal[3, 4], ...]
    points: tuple[RegisterPoint, ...]

    @property
    def size(self) -> int:
        return max(point.end for point in self.points)


class RegisterMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """What a device of this profile answers. `word_order` big: most significant register first."""

    profile: str
    word_order: WordOrder
    banks: tuple[Bank, ...]

    @cached_property
    def points(self) -> dict[str, RegisterPoint]:
        return {point.name: point for bank in self.banks for point in bank.points}


@cache
def register_map(profile: str) -> RegisterMap:
    """The map of this profile. Raises DataFileError."""
    source = resources.files("ems_simulator") / "data" / "registers" / f"{profile}.yaml"
    found = load(source, RegisterMap)
    check(found, source.name)
    return found


def check(found: RegisterMap, file: str) -> None:
    """What the types cannot say: no overlap, known units, scales and sentinels that fit. Raises DataFileError."""
    names = [point.name for bank in found.banks for point in bank.points]
    for name in names:
        if names.count(name) > 1:
            raise DataFileError(f"{file}: points.{name}: the name is used twice; names are unique in a map")
    if not found.banks:
        raise DataFileError(f"{file}: banks: there is none; write at least one, with functions and points")
    for number, bank in enumerate(found.banks):
        for field in ("functions", "points"):
            if not getattr(bank, field):
                raise DataFileError(f"{file}: banks[{number}].{field}: there is none; write at least one")
        end = 0
        for point in sorted(bank.points, key=lambda point: point.address):
            where = f"{file}: points.{point.name}"
            if point.address < 0:
                raise DataFileError(f"{where}.address: {point.address} is no register; use 0 or more")
            if point.address < end:
                raise DataFileError(f"{where}.address: {point.address} overlaps the point before; use {end} or more")
            if point.end > 65_536:
                raise DataFileError(f"{where}.address: {point.address} is beyond the last register, 65535")
            if point.unit not in UNITS:
                raise DataFileError(f"{where}.unit: {point.unit!r} is unknown; write one of {', '.join(UNITS[1:])}")
            if point.scale <= 0 or (point.scale != 1 and point.type == "float32"):
                raise DataFileError(f"{where}.scale: {point.scale} is not possible; floats have 1, integers a positive")
            if point.sentinel is not None and not 0 <= point.sentinel < 1 << (16 * point.width):
                raise DataFileError(f"{where}.sentinel: {point.sentinel:#x} does not fit {point.type}; write raw bits")
            end = point.end
