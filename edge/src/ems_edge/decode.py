"""Register words -> a value in the point's unit, and back. Pure: no I/O, no clock.

A device keeps a number as one to four 16-bit words; which word comes first (word order), which byte of a word (byte
order), which scale and which raw numbers mean "none" (sentinels) is data in its profile.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

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

    def _is_named(self, raw: float) -> bool:
        return not self.states or raw in self.states

    def value(self, raw: int | float) -> Value:
        """What a raw number means. NaN is no value; never raises."""
        if isinstance(raw, float) and math.isnan(raw):
            return Reason.NO_VALUE
        if raw in self.none:
            return Reason.NO_VALUE
        if not self._is_named(raw):
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

    def _is_named(self, raw: float) -> bool:
        return self.type is not Type.ENUM or raw in self.states

    @property
    def words(self) -> int:
        """How many registers it takes."""
        return _BITS[self.type] // 16


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
        if codec.type is Type.BIT:
            if raw not in (0, 1):
                raise ValueError(f"{value} is not 0 or 1")
            raw <<= codec.bit
        if codec.type is Type.ENUM and raw not in codec.states:
            raise ValueError(f"{value} is none of the states {sorted(codec.states)}")
        try:
            data = raw.to_bytes(codec.words * 2, "big", signed=codec.type in _SIGNED)
        except OverflowError:
            raise ValueError(f"{value} does not fit in {codec.type.value}") from None
    words = [int.from_bytes(data[at : at + 2], codec.byte_order.value) for at in range(0, len(data), 2)]
    return words if codec.word_order is Order.BIG else words[::-1]
