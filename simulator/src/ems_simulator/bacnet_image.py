"""A BACnet device as its objects show it, and what is commanded of it."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable

from ems_simulator.image import READS_LIMIT, Image, Pin, PointRefusedError
from ems_simulator.live import LiveSite
from ems_simulator.objects import ANALOG, ObjectPoint, object_map
from ems_simulator.sites import Device


class BacnetImage(Image[ObjectPoint]):
    """The objects of one BACnet device of a live site."""

    def __init__(self, device: Device, live: LiveSite, reads: int = 0) -> None:
        self.map = object_map(device.profile)
        super().__init__(device, live, self.map.points, reads)

    def shown(self, name: str) -> float | None:
        """What the object's present value is, as the wire carries it; None is a fault."""
        pin = self.pins.get(name)
        return pin.value if pin else _carried(self.points[name], self.value(name))

    def answered(self, reads: int | None, names: Iterable[str], at_ms: float) -> None:
        """These points were read at this time."""
        if reads is not None:
            self.reads = reads
        self.left(names, at_ms)

    def next_reads(self) -> int:
        return (self.reads + 1) % READS_LIMIT

    # Commands --------------------------------------------------------------------------------------------------------

    def default(self, name: str) -> float:
        """What a writable point is while nobody commands it."""
        panel = self._live.panel_room
        return panel if name == "room_setpoint" and panel is not None else 1.0

    def limits(self, name: str) -> tuple[float, float]:
        """What a writable point takes, in its unit."""
        hvac = self._live.site.hvac
        return (hvac.minimum_setpoint, hvac.maximum_setpoint) if hvac and name == "room_setpoint" else (0.0, 1.0)

    def command(self, name: str, value: float | None) -> None:
        """The strongest command in force; None: there is none any more."""
        if name == "room_setpoint":
            self._live.hold_room(value)
        else:
            self._live.enable_hvac(value is None or value > 0)

    def _pinned(self, point: ObjectPoint, value: float | None) -> Pin:
        if value is None:
            return Pin(None)
        carried = _carried(point, value) if math.isfinite(value) and abs(value) < READS_LIMIT else math.nan
        if point.object in ANALOG:
            possible = math.isfinite(carried)
        elif point.states:
            first = int(point.object == "multi-state-value")
            possible = first <= carried < first + len(point.states)
        else:
            possible = 0 <= carried < READS_LIMIT
        if not possible:
            what = f"one of {len(point.states)} states" if point.states else "a number that it can hold"
            raise PointRefusedError(f"{self.device.key}.{point.name}: {value} is not {what}; send one")
        return Pin(carried)


def _carried(point: ObjectPoint, value: float) -> float:
    """A float of 32 bits, or a whole number."""
    if point.object in ANALOG:
        return float(struct.unpack(">f", struct.pack(">f", value))[0])
    return float(round(value))
