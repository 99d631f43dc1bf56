"""BACnet/IP: ReadPropertyMultiple in as few requests as a device can take, writes at a priority, changes by COV.

`priority` is 9 unless the connection says otherwise: below the 8 of the person at the panel, who must be able to
overrule an EMS, and above the 10 to 16 at which schedules and programs of a building commonly write.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from ems_edge.driver import Device, DeviceSpec
from ems_edge.drivers.bacnet_cov import CovDevice
from ems_edge.drivers.bacnet_device import BacnetDevice
from ems_edge.drivers.bacnet_station import Station

PORT = 47_808
"""0xBAC0."""
ADDRESS = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?$"
LOCAL = r"^([0-9]{1,3}\.){3}[0-9]{1,3}(:[0-9]{1,5})?$"


class Connection(msgspec.Struct, frozen=True):
    """A device's `connection`.

    `address` is host or host:port. `device` is its instance, checked where it is given. `local` is address:port of this
    machine from which it is asked: any address and any free port if not said, which suits all devices but those that
    answer to port 47808 only. `timeout` in s, of a whole read. With `cov` changes are subscribed to, for `cov_lifetime`
    s at a time, and acknowledged to the device unless `cov_confirmed` is false.
    """

    address: Annotated[str, msgspec.Meta(pattern=ADDRESS)]
    device: Annotated[int, msgspec.Meta(ge=0, le=4_194_302)] | None = None
    local: Annotated[str, msgspec.Meta(pattern=LOCAL)] = "0.0.0.0:0"
    timeout: Annotated[float, msgspec.Meta(gt=0, le=60)] = 3.0
    priority: Annotated[int, msgspec.Meta(ge=1, le=16)] = 9
    cov: bool = False
    cov_confirmed: bool = True
    cov_lifetime: Annotated[int, msgspec.Meta(ge=10, le=86_400)] = 300


class BacnetDriver:
    """Knows one station for each local address."""

    def __init__(self) -> None:
        self._stations: dict[tuple[str, int], Station] = {}
        self._subscribers: list[CovDevice] = []

    def device(self, spec: DeviceSpec) -> Device:
        try:
            connection = msgspec.convert(dict(spec.connection), Connection)
            host, port = place(connection.address, PORT)
            station = self._station(connection.local)
        except (msgspec.ValidationError, ValueError) as error:
            raise ValueError(f"{spec.key}: {error}") from None
        if not connection.cov:
            return BacnetDevice(spec, connection, station, (host, port))
        made = CovDevice(spec, connection, station, (host, port))
        self._subscribers.append(made)
        return made

    def _station(self, local: str) -> Station:
        where = place(local, 0)
        return self._stations.setdefault(where, Station(*where))

    async def close(self) -> None:
        for subscriber in self._subscribers:
            await subscriber.close()
        for station in self._stations.values():
            station.close()


def place(text: str, port: int) -> tuple[str, int]:
    """`host` or `host:port`. Raises ValueError for a port that is none."""
    host, _, written = text.partition(":")
    if written and not int(written) <= 65_535:
        raise ValueError(f"{written} is no port; use 1 to 65535")
    return host, int(written) if written else port
