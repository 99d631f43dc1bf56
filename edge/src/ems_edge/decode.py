"""Register words -> a value in the point's unit, and back. Pure: no I/O, no clock.

A device keeps a number as one to four 16-bit words; which word comes first (word order), which byte of a word (byte
order), which scale and which raw numbers mean "none" (sentinels) is data in its profile.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from operator import itemgetter

from ems_contract.points import Reason

Value = float | Reason
"""A number in the point's unit, or why there is none."""


class Type(StrEnum):
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BIT = "bit"
    """One bit of a register, or a coil: 0 or 1."""
    ENUM = "enum"
    """A uint16 of which only the declared states are a value."""


class Order(StrEnum):
    BIG = "big"
    LITTLE = "little"


_BITS = {Type.INT16: 16, Type.UINT16: 16, Type.INT32: 32, Type.UINT32: 32, Type.INT64: 64, Type.UINT64: 64}
_BITS |= {Type.FLOAT32: 32, Type.FLOAT64: 64, Type.BIT: 16, Type.ENUM: 16}
_SIGNED = frozenset({Type.INT16, Type.INT32, Type.INT64})
_FLOATS = {Type.FLOAT32: ">f", Type.FLOAT64: ">d"}
_FORMATS = {Type.INT16: "h", Type.UINT16: "H", Type.INT32: "i", Type.UINT32: "I", Type.INT64: "q", Type.UINT64: "Q"}
_FORMATS |= {Type.FLOAT32: "f", Type.FLOAT64: "d", Type.BIT: "H", Type.ENUM: "H"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """From a device's number to the point's unit, for every protocol: value = raw * scale + offset.

    `sentinels` are raw numbers by which the device says "no value"; with `states` only those raw numbers are a value;
    outside `minimum`..`maximum`, in the point's unit, it is out of range.
    """

    scale: float = 1.0
    offset: float = 0.0
    sentinels: tuple[float, ...] = ()
    states: frozenset[int] = frozenset()
    minimum: float = -math.inf
    maximum: float = math.inf
    factors: tuple[int, int, int] = field(init=False, repr=False, compare=False)
    """value = (raw * a + b) / c in whole numbers, so that it is rounded once."""
    none: frozenset[float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ValueError for a scale that is 0, or a number that is not finite."""
        if not math.isfinite(self.scale) or not math.isfinite(self.offset) or self.scale == 0:
            raise ValueError("scale must be finite and not 0, offset finite")
        # repr, not the binary value: 0.1 means a tenth, and 234 tenths are 23.4 and not 23.400000000000002.
        scale, offset = Fraction(repr(self.scale)), Fraction(repr(self.offset))
        common = scale.denominator * offset.denominator
        object.__setattr__(self, "factors", (int(scale * common), int(offset * common), common))
        object.__setattr__(self, "none", frozenset(self._as_raw(number) for number in self.sentinels))

    def _as_raw(self, number: float) -> float:
        return number

    def _names(self) -> frozenset[int] | None:
        """The only raw numbers that are a value; None: all are."""
        return self.states or None

    def value(self, raw: int | float) -> Value:
        """What a raw number means. NaN is no value; never raises."""
        if isinstance(raw, float) and math.isnan(raw):
            return Reason.NO_VALUE
        if raw in self.none:
            return Reason.NO_VALUE
        if (named := self._names()) is not None and raw not in named:
            return Reason.OUT_OF_RANGE
        value = self._scaled(raw)
        if not math.isfinite(value) or not self.minimum <= value <= self.maximum:
            return Reason.OUT_OF_RANGE
        return value

    def _scaled(self, raw: int | float) -> float:
        if isinstance(raw, float):
            plain = self.scale == 1.0 and self.offset == 0.0
            return raw if plain else raw * self.scale + self.offset  # -0.0 + 0.0 would be 0.0
        a, b, c = self.factors
        try:
            return (raw * a + b) / c
        except OverflowError:
            return math.inf

    def converter(self) -> Callable[[int | float], Value]:
        """`value`, made for many calls: the same answer for every raw number, several times as fast.

        It knows the good values by itself; what is not good is looked at again, for the reason.
        """
        slow, none, named = self.value, self.none, self._names()
        low, high = max(self.minimum, -sys.float_info.max), min(self.maximum, sys.float_info.max)
        scale, offset = self.scale, self.offset
        (a, b, c), plain = self.factors, scale == 1.0 and offset == 0.0

        def convert(raw: int | float) -> Value:
            try:
                value = (raw * a + b) / c if isinstance(raw, int) else raw if plain else raw * scale + offset
            except OverflowError:
                return slow(raw)
            good = low <= value <= high and raw not in none and (named is None or raw in named)
            return value if good else slow(raw)

        return convert

    def raw_number(self, value: float) -> float:
        """The device's number for a value; the inverse of `value`. Raises ValueError where it is not finite."""
        if not math.isfinite(value):
            raise ValueError(f"{value} is not a number")
        return (value - self.offset) / self.scale


@dataclass(frozen=True, slots=True)
class Codec(Scaling):
    """How one point is kept in registers.

    `sentinels` may be given as the device's manual does: for an int16, 0x8000 and -32768 are the same.
    """

    type: Type
    word_order: Order = Order.BIG
    byte_order: Order = Order.BIG
    bit: int = 0

    def _as_raw(self, number: float) -> float:
        bits = _BITS[self.type]
        return number - (1 << bits) if self.type in _SIGNED and number >= 1 << (bits - 1) else number

    def _names(self) -> frozenset[int] | None:
        return self.states if self.type is Type.ENUM else self.states or None

    def from_slot(self) -> Callable[[int | float], Value]:
        """A converter of the number as it stands in its registers: of a bit, the whole register."""
        convert, bit = self.converter(), self.bit
        if self.type is not Type.BIT:
            return convert
        return lambda register: convert(int(register) >> bit & 1)

    @property
    def words(self) -> int:
        """How many registers it takes."""
        return _BITS[self.type] // 16

    @property
    def resolution(self) -> float:
        """By how much the value changes when the number in the registers does by one; 0 for a float."""
        return 0.0 if self.type in _FLOATS else abs(self.scale)


def decode(words: Sequence[int], codec: Codec) -> Value:
    """Never raises for what a device may have sent: the wrong number of words, or no words at all, is `garbled`."""
    if len(words) != codec.words or not all(0 <= word <= 0xFFFF for word in words):
        return Reason.GARBLED
    return codec.value(_raw(words, codec))


def _raw(words: Sequence[int], codec: Codec) -> int | float:
    ordered = words if codec.word_order is Order.BIG else words[::-1]
    data = b"".join(word.to_bytes(2, codec.byte_order.value) for word in ordered)
    if layout := _FLOATS.get(codec.type):
        return float(struct.unpack(layout, data)[0])
    number = int.from_bytes(data, "big", signed=codec.type in _SIGNED)
    return number >> codec.bit & 1 if codec.type is Type.BIT else number


class Block:
    """Several points of one answer, decoded together: one unpacking for all of them, planned once.

    `places` are (name, register counted from the block's first, codec); the block is `words` registers long.
    """

    def __init__(self, places: Sequence[tuple[str, int, Codec]], words: int) -> None:
        self._size = 2 * words
        self._parts = [_Part(part, words) for part in _side_by_side(places)]
        self._names = tuple(name for name, _, _ in places)

    def decode(self, data: bytes) -> dict[str, Value]:
        """Every point; where `data` is not as long as the block, they are `garbled`."""
        if len(data) != self._size:
            return dict.fromkeys(self._names, Reason.GARBLED)
        values: dict[str, Value] = {}
        for part in self._parts:
            part.decode(data, values)
        return values


class _Part:
    """Points that share no register, except for the bits of one."""

    def __init__(self, places: Sequence[tuple[str, int, Codec]], words: int) -> None:
        layout, order, at = ">", list(range(2 * words)), 0
        slots: list[int] = []
        found = 0
        for _, start, codec in places:
            if start < at:  # another bit of the same register
                slots.append(found - 1)
                continue
            layout += f"{2 * (start - at)}x{_FORMATS[codec.type]}"
            order[2 * start : 2 * (start + codec.words)] = _byte_places(start, codec)
            at = start + codec.words
            slots.append(found)
            found += 1
        self._unpack = struct.Struct(f"{layout}{2 * (words - at)}x").unpack
        self._ordered = None if order == sorted(order) else itemgetter(*order)
        self._slots = itemgetter(*slots) if slots != list(range(found)) else None
        self._points = [(name, codec.from_slot()) for name, _, codec in places]

    def decode(self, data: bytes, values: dict[str, Value]) -> None:
        if self._ordered is not None:
            data = bytes(self._ordered(data))
        raws = self._unpack(data)
        if self._slots is not None:
            raws = self._slots(raws)
        for (name, convert), raw in zip(self._points, raws, strict=True):
            values[name] = convert(raw)


def _byte_places(start: int, codec: Codec) -> list[int]:
    """Where each byte of a number is, the most significant first."""
    words = range(start, start + codec.words)
    first, second = (0, 1) if codec.byte_order is Order.BIG else (1, 0)
    ordered = words if codec.word_order is Order.BIG else reversed(words)
    return [2 * word + byte for word in ordered for byte in (first, second)]


def _side_by_side(places: Sequence[tuple[str, int, Codec]]) -> list[list[tuple[str, int, Codec]]]:
    """As few parts as needed, in each of which no two numbers overlap."""
    parts: list[list[tuple[str, int, Codec]]] = []
    for place in sorted(places, key=lambda place: place[1]):
        _, start, codec = place
        for part in parts:
            _, last, other = part[-1]
            bits = codec.type is other.type is Type.BIT and codec.byte_order is other.byte_order
            if start >= last + other.words or (start == last and bits):
                part.append(place)
                break
        else:
            parts.append([place])
    return parts


def encode(value: float, codec: Codec) -> list[int]:
    """The words that decode to the closest value the type can hold. Raises ValueError where it cannot hold it.

    A bit is encoded as a whole word with only that bit; whoever writes it must keep the others.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number that {codec.type.value} can hold")
    if layout := _FLOATS.get(codec.type):
        try:
            data = struct.pack(layout, (value - codec.offset) / codec.scale)
        except OverflowError:
            raise ValueError(f"{value} does not fit in {codec.type.value}") from None
    else:
        a, b, c = codec.factors
        raw = round((Fraction(value) * c - b) / a)
        if (named := codec._names()) is not None and raw not in named:  # noqa: SLF001 -- of this module
            raise ValueError(f"{value} is none of the states {sorted(named)}")
        if codec.type is Type.BIT:
            if raw not in (0, 1):
                raise ValueError(f"{value} is not 0 or 1")
            raw <<= codec.bit
        try:
            data = raw.to_bytes(codec.words * 2, "big", signed=codec.type in _SIGNED)
        except OverflowError:
            raise ValueError(f"{value} does not fit in {codec.type.value}") from None
    words = [int.from_bytes(data[at : at + 2], codec.byte_order.value) for at in range(0, len(data), 2)]
    return words if codec.word_order is Order.BIG else words[::-1]
