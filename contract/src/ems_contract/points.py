"""Points: one typed signal each. Units and signs are declared here once and never travel in a sample.

Signs: grid + is import; generation >= 0; battery + is discharge.
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

MAX_KEY_LENGTH = 96
_KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+\Z")

UNITS = (
    "",
    "W",
    "VA",
    "var",
    "Wh",
    "VAh",
    "varh",
    "V",
    "A",
    "Ah",
    "Hz",
    "%",
    "°C",
    "W/m²",
    "Wh/m²",
    "m³",
    "m³/h",
    "m/s",
    "Pa",
    "ppm",
    "s",
    "h",
    "g/kWh",
)
"""Base units only: the reader scales (12.4 kW), the store does not."""


class Kind(StrEnum):
    GAUGE = "gauge"
    """A value at an instant: power, voltage, temperature."""
    REGISTER = "register"
    """A cumulative counter: energy. Consumption is a difference, never a sum."""
    STATE = "state"
    """One of a few numbers with a meaning: off, running, fault."""


class Point(msgspec.Struct, frozen=True, omit_defaults=True):
    """A point as its edge reports it, made from the device and its profile.

    `key` is `<device>.<name in the profile>`; `minimum` and `maximum` are in `unit`; `states` names the numbers
    of a state point.
    """

    key: str
    name: str
    unit: str
    kind: Kind
    device: str
    writable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    states: dict[str, str] | None = None
    default: float | None = None
    """Of a writable point: what it is given back to when nobody holds it. None: the last value stays."""


class Quality(StrEnum):
    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


class Reason(StrEnum):
    """Why a sample is not good. A bad sample has value null; an uncertain one keeps its value."""

    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection_lost"
    DEVICE_EXCEPTION = "device_exception"
    NO_VALUE = "no_value"
    """The device itself says that it has none (a sentinel such as 0x8000 or NaN)."""
    GARBLED = "garbled"
    """The answer could not be understood."""
    OUT_OF_RANGE = "out_of_range"
    NOT_POLLED = "not_polled"
    UNSYNCHRONISED_CLOCK = "unsynchronised_clock"
    FUTURE = "future"
    STUCK = "stuck"
    OTHER = "other"


_UNCERTAIN = {Reason.UNSYNCHRONISED_CLOCK: 1, Reason.FUTURE: 2, Reason.STUCK: 3, Reason.OTHER: 63}
_BAD = {
    Reason.TIMEOUT: 64,
    Reason.CONNECTION_LOST: 65,
    Reason.DEVICE_EXCEPTION: 66,
    Reason.NO_VALUE: 67,
    Reason.GARBLED: 68,
    Reason.OUT_OF_RANGE: 69,
    Reason.NOT_POLLED: 70,
    Reason.OTHER: 127,
}
GOOD_CODE = 0
_REASONS = {reason.value: reason for reason in Reason}
_NAMES = {code: reason for table in (_UNCERTAIN, _BAD) for reason, code in table.items()}


def quality_code(value: float | None, reason: str | None) -> int:
    """The stored code (0 good, 1-63 uncertain, 64-127 bad); a reason this version does not know becomes other."""
    if value is not None and reason is None:
        return GOOD_CODE
    table = _BAD if value is None else _UNCERTAIN
    return table.get(_REASONS.get(reason or "", Reason.OTHER), table[Reason.OTHER])


def quality_of(code: int) -> tuple[Quality, Reason | None]:
    """The inverse of `quality_code`."""
    if code == GOOD_CODE:
        return Quality.GOOD, None
    return (Quality.UNCERTAIN if code < 64 else Quality.BAD), _NAMES.get(code, Reason.OTHER)


def is_point_key(key: str) -> bool:
    """`grid_meter.active_power`: at least two lower-case words joined by dots, at most 96 characters."""
    return len(key) <= MAX_KEY_LENGTH and _KEY.match(key) is not None
