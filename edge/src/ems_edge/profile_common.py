"""What the profiles of every protocol have in common: the points' words, units, scaling and limits.

A value outside `minimum`..`maximum`, and a state without a name in `states`, is bad with reason out_of_range.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import msgspec
from ems_contract.points import UNITS, Kind, Point

from ems_edge.driver import DeviceSpec, PointSource
from ems_edge.problems import ConfigError, Document, did_you_mean

WORD = re.compile(r"[a-z][a-z0-9_]{0,47}\Z")


class CommonPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a profile; `key` becomes the second word of the point's key. value = raw * scale + offset."""

    key: str
    name: str
    unit: str
    kind: Kind = Kind.GAUGE
    scale: float = 1.0
    offset: float = 0.0
    sentinels: list[int | float] = []
    states: dict[int, str] = {}
    minimum: float | None = None
    maximum: float | None = None
    writable: bool = False
    default: float | None = None
    """Of a writable point: what is restored when nobody holds it."""

    def scaling(self) -> dict[str, Any]:
        """The fields of a `Scaling`, which raises ValueError where they make no sense."""
        return {
            "scale": self.scale,
            "offset": self.offset,
            "sentinels": tuple(self.sentinels),
            "states": frozenset(self.states),
            "minimum": -math.inf if self.minimum is None else self.minimum,
            "maximum": math.inf if self.maximum is None else self.maximum,
        }


class CommonProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile for one driver. `source` names the maker's document that the facts are from.

    `verified` is false where that document could not be read: the map is then from elsewhere, and `source` says where.
    """

    profile: str
    name: str
    driver: str
    source: str = ""
    verified: bool = True

    def all_points(self) -> Sequence[CommonPoint]:
        raise NotImplementedError

    def sources(self) -> tuple[PointSource, ...]:
        """Where the driver finds each point. Raises ValueError where scale, offset or limits make no sense."""
        raise NotImplementedError

    def check(self, document: Document) -> None:
        """What only this protocol knows. Raises ConfigError."""
        raise NotImplementedError

    def check_connection(self, document: Document, shape: type[Any]) -> None:
        """A device's `connection`; `shape` is its driver's struct. Raises ConfigError."""
        document.convert(shape)

    def spec(self, device: str, connection: dict[str, str | int | float | bool], interval: float) -> DeviceSpec:
        return DeviceSpec(device, connection, interval, self.sources())

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
                default=point.default,
            )
            for point in self.all_points()
        ]


def check_points(document: Document, points: Sequence[CommonPoint]) -> None:
    """Everything about points that no protocol changes. Raises ConfigError."""
    if not points:
        raise document.error("points", "has no point", "add at least one")
    seen: dict[str, int] = {}
    for number, point in enumerate(points):
        _check_point(document, point, f"points[{number}]")
        if point.key in seen:
            raise document.error(
                f"points[{number}].key",
                f"{point.key!r} is also points[{seen[point.key]}]",
                "give each point its own key",
            )
        seen[point.key] = number


def _check_point(document: Document, point: CommonPoint, at: str) -> None:
    def wrong(field: str, problem: str, remedy: str) -> ConfigError:
        return document.error(f"{at}.{field}", problem, remedy)

    if not WORD.match(point.key):
        raise wrong("key", f"{point.key!r} is not a point's word", "use lower-case letters, digits and _: active_power")
    if not point.name.strip():
        raise wrong("name", "is empty", "write what people should read")
    if point.unit not in UNITS:
        raise wrong("unit", f"{point.unit!r} is not a unit of this system", _unit_remedy(point.unit))
    if not math.isfinite(point.scale) or not math.isfinite(point.offset) or point.scale == 0:
        remedy = "write the factor from raw number to unit, such as 0.1"
        raise wrong("scale", "scale must be finite and not 0, offset finite", remedy)
    if point.states and point.kind is not Kind.STATE:
        raise wrong("states", "is for points of kind state", "write kind: state, or leave states out")
    for number in point.states:
        if not 0 <= number <= 0xFFFF:
            raise wrong("states", f"{number} is no 16-bit number", "use 0 to 65535")
    for limit in ("minimum", "maximum", "default"):
        value = getattr(point, limit)
        if value is not None and not math.isfinite(value):
            raise wrong(limit, f"{value} is no limit", "leave it out where there is none")
    low = -math.inf if point.minimum is None else point.minimum
    high = math.inf if point.maximum is None else point.maximum
    if not low < high:
        raise wrong("maximum", f"{point.maximum} is not above the minimum {point.minimum}", "exchange them")
    if point.default is not None and not point.writable:
        raise wrong("default", "is for writable points", "write writable: true, or leave the default out")
    if point.default is not None and not low <= point.default <= high:
        raise wrong("default", f"{point.default} is outside the limits", "give a value that the device takes")


def _unit_remedy(unit: str) -> str:
    factor = {"k": "1000", "M": "1000000", "m": "0.001"}.get(unit[:1])
    if factor and unit[1:] in UNITS and unit[1:]:
        return f"use the base unit {unit[1:]!r} and multiply the scale by {factor}"
    return did_you_mean(unit, (known for known in UNITS if known))
