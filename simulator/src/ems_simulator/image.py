"""A device as its clients see it: the physics, overlaid by pins, frozen values and counter resets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ems_contract.points import Kind

from ems_simulator.live import LiveSite
from ems_simulator.registers import READS
from ems_simulator.sites import Device

READS_LIMIT = 1 << 32


@dataclass(slots=True)
class Pin:
    """A point held at `value` (as the wire carries it; None is "no value"), and when that first left the socket.

    `words` are its registers, where the device has registers.
    """

    value: float | None
    words: tuple[int, ...] = ()
    first_answer: float | None = None


class PointRefusedError(ValueError):
    """The point does not exist, or cannot be pinned to this value; the message says why and what can be done."""


class Shown(Protocol):
    """What every kind of point has."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def writable(self) -> bool: ...


class Image[P: Shown]:
    """The points of one device of a live site. `reads` counts the answered reads that covered it."""

    def __init__(self, device: Device, live: LiveSite, points: Mapping[str, P], reads: int) -> None:
        self.device = device
        self.points = points
        self.reads = reads
        self.pins: dict[str, Pin] = {}
        self._live = live
        self._frozen: dict[str, float] | None = None
        self._offsets: dict[str, float] = {}

    def value(self, name: str) -> float:
        """What the point shows without a pin, in its unit."""
        if name == READS:
            return self.reads
        if self._frozen is not None and not self.points[name].writable:
            return self._frozen[name]
        return self._live.value(f"{self.device.key}.{name}") - self._offsets.get(name, 0.0)

    def point(self, name: str) -> P:
        """Raises PointRefusedError."""
        if name not in self.points:
            names = ", ".join(self.points)
            raise PointRefusedError(f"{self.device.key} has no point {name!r}; choose from {names}")
        return self.points[name]

    def pin(self, name: str, value: float | None) -> Pin:
        """Hold a point at a value until `unpin`; None is "no value". Raises PointRefusedError."""
        point = self.point(name)
        if name == READS:
            raise PointRefusedError("reads counts the answers and cannot be pinned; pin another point")
        self.pins[name] = self._pinned(point, value)
        self._changed()
        return self.pins[name]

    def unpin(self, name: str) -> bool:
        """True if it was pinned. Raises PointRefusedError."""
        unpinned = self.pins.pop(self.point(name).name, None) is not None
        self._changed()
        return unpinned

    def freeze(self, frozen: bool) -> None:
        """Hold every value (but `reads` and setpoints) as it is now, or let go."""
        if frozen and self._frozen is None:
            self._frozen = {name: self.value(name) for name in self.points}
            self._changed()
        elif not frozen and self._frozen is not None:
            self._frozen = None
            self._changed()

    def reset_counters(self) -> None:
        """The energy counters begin again at 0."""
        for name, point in self.points.items():
            if point.kind is Kind.REGISTER and name != READS:
                self._offsets[name] = self._live.value(f"{self.device.key}.{name}")
        if self._frozen is not None:
            self._frozen |= dict.fromkeys(self._offsets, 0.0)
        self._changed()

    def left(self, names: Iterable[str], at_ms: float) -> None:
        """An answer with these points was written to the socket at this time."""
        for name in names:
            pin = self.pins.get(name)
            if pin is not None and pin.first_answer is None:
                pin.first_answer = at_ms

    def _pinned(self, point: P, value: float | None) -> Pin:
        """Raises PointRefusedError where the wire cannot carry it."""
        raise NotImplementedError

    def _changed(self) -> None:
        """Something else than time changed what is shown."""
