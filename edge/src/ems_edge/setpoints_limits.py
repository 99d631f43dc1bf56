"""What a writable point may be set to: its profile's limits, or those that people decided for it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ems_contract.commands import CommandReason
from ems_contract.points import Point
from ems_contract.provisioning import EdgeConfig, SetpointLimits

from ems_edge.problems import Document

RELATIVE = 1e-6
"""How far a value that was read back may be off: this share of it, or one step of the device's number."""


@dataclass(frozen=True, slots=True)
class Setpoint:
    """A writable point; everything in its unit. `default` None: where the last claim goes, the protocol gives it up.

    `resolution` is one step of the device's number.
    """

    key: str
    device: str
    minimum: float = -math.inf
    maximum: float = math.inf
    states: frozenset[float] = frozenset()
    default: float | None = None
    resolution: float = 0.0

    @property
    def name(self) -> str:
        """The point's word in its device's profile."""
        return self.key.removeprefix(f"{self.device}.")

    def problem(self, value: float) -> tuple[CommandReason, str] | None:
        """Why `value` must not be written."""
        if not math.isfinite(value):
            return CommandReason.NOT_A_STATE, f"{value} is not a number"
        if self.states and value not in self.states:
            return CommandReason.NOT_A_STATE, f"{value:g} is none of the states {_listed(self.states)} of {self.key}"
        if value < self.minimum:
            return CommandReason.BELOW_MINIMUM, f"{value:g} is below the minimum {self.minimum:g} of {self.key}"
        if value > self.maximum:
            return CommandReason.ABOVE_MAXIMUM, f"{value:g} is above the maximum {self.maximum:g} of {self.key}"
        return None

    def same(self, wanted: float, read: float) -> bool:
        """Whether what was read back is what was written."""
        return abs(wanted - read) <= max(self.resolution, RELATIVE * max(abs(wanted), abs(read)))


def _listed(numbers: Iterable[float]) -> str:
    return ", ".join(f"{number:g}" for number in sorted(numbers))


def setpoint(point: Point, decided: SetpointLimits | None, resolution: float) -> Setpoint:
    """`decided` is what the configuration says of it; where that is silent the profile's word stands."""

    def pick(name: str) -> float | None:
        given: float | None = getattr(decided, name, None)
        profiles: float | None = getattr(point, name)
        return profiles if given is None else given

    low, high = pick("minimum"), pick("maximum")
    return Setpoint(
        key=point.key,
        device=point.device,
        minimum=-math.inf if low is None else low,
        maximum=math.inf if high is None else high,
        states=frozenset(map(float, point.states or ())),
        default=pick("default"),
        resolution=resolution,
    )


def check_setpoints(document: Document, config: EdgeConfig, points: Iterable[Point]) -> None:
    """What people decided for writable points. Raises ConfigError."""
    known = {point.key: point for point in points}
    seen: set[str] = set()
    for number, decided in enumerate(config.setpoints):
        at = f"setpoints[{number}]"
        point = known.get(decided.point)
        if point is None or not point.writable:
            problem = "is not writable" if point else "is no point of this edge"
            remedy = "name a writable point of one of the devices, or leave it out"
            raise document.error(f"{at}.point", f"{decided.point!r} {problem}", remedy)
        if decided.point in seen:
            raise document.error(f"{at}.point", f"{decided.point!r} is there twice", "leave one out")
        seen.add(decided.point)
        for name in ("minimum", "maximum", "default"):
            value = getattr(decided, name)
            if value is not None and not math.isfinite(value):
                raise document.error(f"{at}.{name}", f"{value} is no limit", "leave it out where there is none")
        made = setpoint(point, decided, 0.0)
        if made.minimum > made.maximum:
            problem = f"{made.maximum:g} is below the minimum {made.minimum:g}"
            raise document.error(f"{at}.maximum", problem, "exchange them")
        if made.default is not None and (refused := made.problem(made.default)) is not None:
            raise document.error(f"{at}.default", refused[1], "give a value within the limits")
