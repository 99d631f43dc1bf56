"""Profiles: a device's register map, as data. A new kind of device is a new file of about 35 lines, and no code.

    profile: stl_battery            # the name that configurations use, and the file's name
    name: SimTestLab battery
    driver: modbus
    function: holding               # for points that do not say otherwise: holding, input, coil or discrete
    word_order: little
    points:
      - {key: active_power, name: Active power, unit: W, address: 0, type: int32}
      - {key: status, name: Status, unit: "", kind: state, address: 7, type: enum, states: {0: off, 1: idle}}

A value outside `minimum`..`maximum`, and an enum value without a name in `states`, is bad with reason out_of_range.
"""

from __future__ import annotations

import math
import re
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec
from ems_contract.points import UNITS, Kind, Point

from ems_edge.decode import Codec, Order, Type
from ems_edge.driver import DeviceSpec, PointSource
from ems_edge.problems import ConfigError, Document, did_you_mean, parse_yaml, read_yaml

Function = Literal["holding", "input", "coil", "discrete"]

_WORD = re.compile(r"[a-z][a-z0-9_]{0,47}\Z")
_BIT_FUNCTIONS = frozenset({"coil", "discrete"})
_READ_ONLY_FUNCTIONS = frozenset({"input", "discrete"})


class ProfilePoint(msgspec.Struct, frozen=True):
    """One point of a profile; `key` becomes the second word of the point's key."""

    key: str
    name: str
    unit: str
    address: int
    type: Type
    kind: Kind = Kind.GAUGE
    function: Function | None = None
    word_order: Order | None = None
    byte_order: Order | None = None
    scale: float = 1.0
    offset: float = 0.0
    sentinels: list[int | float] = []
    bit: int = 0
    states: dict[int, str] = {}
    minimum: float | None = None
    maximum: float | None = None
    writable: bool = False


class Profile(msgspec.Struct, frozen=True):
    profile: str
    name: str
    driver: Literal["modbus"]
    points: list[ProfilePoint]
    function: Function = "holding"
    word_order: Order = Order.BIG
    byte_order: Order = Order.BIG

    def source(self, point: ProfilePoint) -> PointSource:
        """Raises ValueError where scale, offset or limits make no sense."""
        codec = Codec(
            type=point.type,
            word_order=point.word_order or self.word_order,
            byte_order=point.byte_order or self.byte_order,
            scale=point.scale,
            offset=point.offset,
            sentinels=tuple(point.sentinels),
            bit=point.bit,
            states=frozenset(point.states),
            minimum=-math.inf if point.minimum is None else point.minimum,
            maximum=math.inf if point.maximum is None else point.maximum,
        )
        return PointSource(point.key, point.function or self.function, point.address, codec)

    def spec(self, device: str, connection: dict[str, str | int | float | bool], interval: float) -> DeviceSpec:
        return DeviceSpec(device, connection, interval, tuple(self.source(point) for point in self.points))

    def contract_points(self, device: str) -> list[Point]:
        """The points of one device, as its edge reports them."""
        return [
            Point(
                key=f"{device}.{point.key}",
                name=point.name,
                unit=point.unit,
                kind=point.kind,
                device=device,
                writable=point.writable,
                minimum=point.minimum,
                maximum=point.maximum,
                states={str(number): name for number, name in point.states.items()} or None,
            )
            for point in self.points
        ]


class Profiles:
    """All profiles by name: those of `directory`, then those that come with the edge. Each is read once."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._loaded: dict[str, Profile] = {}

    def names(self) -> list[str]:
        own = self._directory.glob("*.yaml") if self._directory else ()
        return sorted({*(path.stem for path in own), *_built_in()})

    def get(self, name: str) -> Profile:
        """Raises KeyError for a name that no file has, ConfigError for a file that is no profile."""
        if name not in self._loaded:
            self._loaded[name] = check_profile(self._document(name))
        return self._loaded[name]

    def _document(self, name: str) -> Document:
        if not _WORD.match(name):
            raise KeyError(name)
        if self._directory and (path := self._directory / f"{name}.yaml").is_file():
            return read_yaml(path)
        if name in _built_in():
            return parse_yaml(_built_in()[name], f"ems_edge/profiles/{name}.yaml")
        raise KeyError(name)


def _built_in() -> dict[str, str]:
    folder = resources.files("ems_edge") / "profiles"
    return {
        entry.name.removesuffix(".yaml"): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    }


def check_profile(document: Document) -> Profile:
    """Everything that can be known without a device. Raises ConfigError."""
    profile = document.convert(Profile)
    if not _WORD.match(profile.profile):
        raise document.error("profile", f"{profile.profile!r} is not a name", "use lower-case words: stl_meter")
    if not profile.points:
        raise document.error("points", "has no point", "add at least one")
    seen: dict[str, int] = {}
    for number, point in enumerate(profile.points):
        _check_point(document, profile, point, f"points[{number}]")
        if point.key in seen:
            raise document.error(
                f"points[{number}].key",
                f"{point.key!r} is also points[{seen[point.key]}]",
                "give each point its own key",
            )
        seen[point.key] = number
    _check_overlaps(document, profile)
    return profile


def _check_point(document: Document, profile: Profile, point: ProfilePoint, at: str) -> None:
    function = point.function or profile.function

    def wrong(field: str, problem: str, remedy: str) -> ConfigError:
        return document.error(f"{at}.{field}", problem, remedy)

    if not _WORD.match(point.key):
        raise wrong("key", f"{point.key!r} is not a point's word", "use lower-case letters, digits and _: active_power")
    if not point.name.strip():
        raise wrong("name", "is empty", "write what people should read")
    if point.unit not in UNITS:
        raise wrong("unit", f"{point.unit!r} is not a unit of this system", _unit_remedy(point.unit))
    try:
        source = profile.source(point)
    except ValueError as error:
        raise wrong("scale", str(error), "write the factor from raw number to unit, such as 0.1") from None
    if not 0 <= point.address <= 65536 - source.codec.words:
        raise wrong("address", f"{point.address} is no register address", "use the 0-based address, 0 to 65535")
    if function in _BIT_FUNCTIONS and point.type is not Type.BIT:
        raise wrong("type", f"a {function} holds one bit, not {point.type.value}", "write type: bit")
    if point.bit and (point.type is not Type.BIT or function in _BIT_FUNCTIONS):
        raise wrong("bit", "is for type bit in a holding or input register", "leave it out")
    if not 0 <= point.bit <= 15:
        raise wrong("bit", f"{point.bit} is not in a 16-bit register", "use 0 (the lowest) to 15")
    if point.states and point.kind is not Kind.STATE:
        raise wrong("states", "is for points of kind state", "write kind: state, or leave states out")
    if point.type is Type.ENUM and not point.states:
        raise wrong("states", "an enum has no states", "name them: {0: off, 1: running}")
    for number in point.states:
        if not 0 <= number <= 0xFFFF:
            raise wrong("states", f"{number} is no 16-bit number", "use 0 to 65535")
    for limit in ("minimum", "maximum"):
        value = getattr(point, limit)
        if value is not None and not math.isfinite(value):
            raise wrong(limit, f"{value} is no limit", "leave it out where there is none")
    if not source.codec.minimum < source.codec.maximum:
        raise wrong("maximum", f"{point.maximum} is not above the minimum {point.minimum}", "exchange them")
    if point.writable and function in _READ_ONLY_FUNCTIONS:
        raise wrong(
            "writable", f"nothing can be written to {function} registers", "leave it out, or use holding or coil"
        )


def _unit_remedy(unit: str) -> str:
    factor = {"k": "1000", "M": "1000000", "m": "0.001"}.get(unit[:1])
    if factor and unit[1:] in UNITS and unit[1:]:
        return f"use the base unit {unit[1:]!r} and multiply the scale by {factor}"
    return did_you_mean(unit, (known for known in UNITS if known))


def _check_overlaps(document: Document, profile: Profile) -> None:
    """Two points share a register only where both are bits of it."""
    taken: dict[tuple[str, int], int] = {}
    for number, point in enumerate(profile.points):
        source = profile.source(point)
        for address in range(source.address, source.address + source.codec.words):
            other = taken.setdefault((source.function, address), number)
            if other == number:
                continue
            rival = profile.points[other]
            if point.type is Type.BIT and rival.type is Type.BIT and point.bit != rival.bit:
                continue
            raise document.error(
                f"points[{number}].address",
                f"{source.function} register {address} already belongs to points[{other}] ({rival.key})",
                f"{rival.key} takes {profile.source(rival).codec.words} from {rival.address}; correct one of the two",
            )
