"""Profiles of Modbus devices: a register map.

profile: stl_battery            # the name that configurations use, and the file's name
name: SimTestLab battery
driver: modbus
function: holding               # for points that do not say otherwise: holding, input, coil or discrete
word_order: little
max_words: 50                   # registers in one request, where the device takes fewer than 125
points:
  - {key: active_power, name: Active power, unit: W, address: 0, type: int32}
  - {key: status, name: Status, unit: "", kind: state, address: 7, type: enum, states: {0: off, 1: idle}}
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from ems_edge.decode import Codec, Order, Type
from ems_edge.driver import DeviceSpec
from ems_edge.drivers.modbus_plan import MAX_WORDS, RegisterSource
from ems_edge.problems import ConfigError, Document
from ems_edge.profile_common import CommonPoint, CommonProfile

Function = Literal["holding", "input", "coil", "discrete"]

_BIT_FUNCTIONS = frozenset({"coil", "discrete"})
_READ_ONLY_FUNCTIONS = frozenset({"input", "discrete"})


class ModbusPoint(CommonPoint, frozen=True, kw_only=True):
    address: int
    type: Type
    function: Function | None = None
    word_order: Order | None = None
    byte_order: Order | None = None
    bit: int = 0


class ModbusProfile(CommonProfile, frozen=True, kw_only=True):
    driver: Literal["modbus"]
    points: list[ModbusPoint]
    function: Function = "holding"
    word_order: Order = Order.BIG
    byte_order: Order = Order.BIG
    max_words: Annotated[int, msgspec.Meta(ge=4, le=MAX_WORDS)] = MAX_WORDS

    def all_points(self) -> list[ModbusPoint]:
        return self.points

    def spec(self, device: str, connection: dict[str, str | int | float | bool], interval: float) -> DeviceSpec:
        own = {"max_words": self.max_words} if self.max_words < MAX_WORDS else {}
        return super().spec(device, {**own, **connection}, interval)

    def sources(self) -> tuple[RegisterSource, ...]:
        return tuple(self.register(point) for point in self.points)

    def register(self, point: ModbusPoint) -> RegisterSource:
        codec = Codec(
            type=point.type,
            word_order=point.word_order or self.word_order,
            byte_order=point.byte_order or self.byte_order,
            bit=point.bit,
            **point.scaling(),
        )
        return RegisterSource(point.key, point.function or self.function, point.address, codec, point.writable)

    def check(self, document: Document) -> None:
        for number, point in enumerate(self.points):
            _check_point(document, self, point, f"points[{number}]")
        _check_overlaps(document, self)


def _check_point(document: Document, profile: ModbusProfile, point: ModbusPoint, at: str) -> None:
    source = profile.register(point)
    function = source.function

    def wrong(field: str, problem: str, remedy: str) -> ConfigError:
        return document.error(f"{at}.{field}", problem, remedy)

    if not 0 <= point.address <= 65536 - source.codec.words:
        raise wrong("address", f"{point.address} is no register address", "use the 0-based address, 0 to 65535")
    if function in _BIT_FUNCTIONS and point.type is not Type.BIT:
        raise wrong("type", f"a {function} holds one bit, not {point.type.value}", "write type: bit")
    if point.bit and (point.type is not Type.BIT or function in _BIT_FUNCTIONS):
        raise wrong("bit", "is for type bit in a holding or input register", "leave it out")
    if not 0 <= point.bit <= 15:
        raise wrong("bit", f"{point.bit} is not in a 16-bit register", "use 0 (the lowest) to 15")
    if point.type is Type.ENUM and not point.states:
        raise wrong("states", "an enum has no states", "name them: {0: off, 1: running}")
    if point.writable and function in _READ_ONLY_FUNCTIONS:
        raise wrong(
            "writable", f"nothing can be written to {function} registers", "leave it out, or use holding or coil"
        )


def _check_overlaps(document: Document, profile: ModbusProfile) -> None:
    """Two points share a register only where both are bits of it."""
    taken: dict[tuple[str, int], int] = {}
    for number, point in enumerate(profile.points):
        source = profile.register(point)
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
                f"{rival.key} takes {profile.register(rival).codec.words} from {rival.address}; correct one of the two",
            )
