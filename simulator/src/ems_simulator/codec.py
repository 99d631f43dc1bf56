"""Values to registers and back. Pure; the edge has its own decoder, written independently."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ems_simulator.noise import Floats
from ems_simulator.objects import ObjectPoint
from ems_simulator.registers import RegisterPoint, WordOrder

_RANGES = {
    "uint16": (0, 0xFFFF),
    "int16": (-0x8000, 0x7FFF),
    "uint32": (0, 0xFFFF_FFFF),
    "int32": (-0x8000_0000, 0x7FFF_FFFF),
    "uint64": (0, 0xFFFF_FFFF_FFFF_FFFF),
}
_NAN = (0x7FC0, 0x0000)


class NotEncodableError(ValueError):
    """The point's registers cannot carry this value; the message names the point and the range."""


def encode(point: RegisterPoint, value: float | None, order: WordOrder) -> tuple[int, ...]:
    """Registers for a value in the point's unit; None is "no value". Raises NotEncodableError."""
    words = _words(point, value)
    return words if order == "big" else words[::-1]


def decode(point: RegisterPoint, words: Sequence[int], order: WordOrder) -> float | None:
    """The value that these registers carry; None for "no value"."""
    if order == "little":
        words = words[::-1]
    if point.type == "float32":
        value: float = struct.unpack(">f", struct.pack(">2H", *words))[0]
        return None if math.isnan(value) else value
    raw = 0
    for word in words:
        raw = raw << 16 | word
    if raw == point.sentinel:
        return None
    if point.type.startswith("int") and raw >> (16 * point.width - 1):
        raw -= 1 << (16 * point.width)
    return _scaled(point, raw)


def quantize(point: RegisterPoint | ObjectPoint, values: NDArray[np.int64] | Floats) -> Floats:
    """What a reader of the registers, or of the object, decodes for these values."""
    if point.type == "float32":
        return values.astype(np.float32).astype(np.float64)
    raw = np.rint(values / point.scale)
    if point.scale >= 1.0:
        return raw * point.scale
    decoded: Floats = raw / round(1.0 / point.scale)
    return decoded


def _scaled(point: RegisterPoint, raw: int) -> float:
    return raw * point.scale if point.scale >= 1.0 else raw / round(1.0 / point.scale)


def _words(point: RegisterPoint, value: float | None) -> tuple[int, ...]:
    """Most significant first."""
    if value is None:
        if point.type == "float32":
            return _NAN
        if point.sentinel is None:
            raise NotEncodableError(f"{point.name}: its registers have no sentinel for no value; send a number")
        raw = point.sentinel
    elif point.type == "float32":
        try:
            packed = struct.pack(">f", value)
        except OverflowError:
            packed = b""
        if not packed or not math.isfinite(value):
            raise NotEncodableError(f"{point.name}: {value} does not fit a 32-bit float; send a finite number")
        high, low = struct.unpack(">2H", packed)
        return high, low
    else:
        raw = _raw(point, value)
    return tuple(raw >> shift & 0xFFFF for shift in range(16 * (point.width - 1), -1, -16))


def _raw(point: RegisterPoint, value: float) -> int:
    low, high = _RANGES[point.type]
    bits = 16 * point.width
    # -0.0 and ints beyond 2^53 must survive: do not divide by a scale of 1.
    scaled = round(value) if point.scale == 1.0 and math.isfinite(value) else value / point.scale
    if math.isfinite(scaled) and low <= (raw := round(scaled)) <= high and raw % (1 << bits) != point.sentinel:
        return raw % (1 << bits)
    raise NotEncodableError(
        f"{point.name}: {value} does not fit {point.type} x {point.scale}; "
        f"send {low * point.scale:g} to {high * point.scale:g}"
        + (" (the sentinel itself excepted)" if point.sentinel is not None else "")
    )
