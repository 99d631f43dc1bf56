"""Modbus over TCP and serial lines: batched reads of holding, input, coil and discrete points, and writes.

One connection for each line, shared by its units (`modbus_link.py`, `modbus_turns.py`). SunSpec devices are Modbus
devices too and may be on the same line, so this is their driver as well.
"""

from __future__ import annotations

import msgspec

from ems_edge.driver import Device, DeviceSpec
from ems_edge.drivers import sunspec
from ems_edge.drivers.modbus_connection import Connection, contradiction
from ems_edge.drivers.modbus_device import ModbusDevice
from ems_edge.drivers.modbus_link import Link
from ems_edge.drivers.modbus_turns import SharedLink

__all__ = ["Connection", "ModbusDriver", "contradiction"]


class ModbusDriver:
    """Knows one link for each place: host and port, or a serial line."""

    def __init__(self) -> None:
        self._links: dict[str, SharedLink] = {}
        self._connections: dict[str, Connection] = {}

    def device(self, spec: DeviceSpec) -> Device:
        speaks_sunspec = any(isinstance(point, sunspec.SunSpecSource) for point in spec.points)
        shape = sunspec.Connection if speaks_sunspec else Connection
        try:
            connection = msgspec.convert(dict(spec.connection), shape)
        except msgspec.ValidationError as error:
            raise ValueError(f"{spec.key}: {error}") from None
        if wrong := contradiction({**self._connections, spec.key: connection}):
            raise ValueError(": ".join(wrong))
        self._connections[spec.key] = connection
        line = connection.line
        shared = self._links.setdefault(line.place, SharedLink(Link(line)))
        shared.intervals.append(spec.interval)
        shared.link.delay = max(shared.link.delay, connection.delay)
        if isinstance(connection, sunspec.Connection):
            return sunspec.SunSpecDevice(spec, connection, shared)
        return ModbusDevice(spec, connection, shared)

    async def close(self) -> None:
        for shared in self._links.values():
            shared.link.drop()
