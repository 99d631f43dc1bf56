"""MQTT: what devices publish to a broker, and what they are told over it.

A point's value is the last that its topic said. It stays good for the point's `timeout`, and is then bad with reason
timeout; while the broker cannot be reached, or the device is said to be offline, it is connection_lost; before
anything was heard it is not_polled. A point with timeout 0 is only said when it changes: it stays good until the
connection or the device is lost, and has to be said again after that.

A retained message is believed: it is what its topic says now. As nobody knows when it was said, its age begins when
the edge first sees it, or at the payload's own time where there is one; the same message seen again after a reconnect
is not younger.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

import aiomqtt
import msgspec

from ems_edge.driver import Device, DeviceSpec
from ems_edge.drivers.mqtt_broker import Broker
from ems_edge.drivers.mqtt_device import MqttDevice
from ems_edge.drivers.mqtt_link import Link
from ems_edge.drivers.mqtt_source import MqttSpec

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class Connection(msgspec.Struct, frozen=True):
    """A device's `connection`, without the variables of its profile's topics, which stand beside these.

    `port` is 1883, or 8883 with TLS, if not said. `ca_file` holds the certificates to trust, on the edge; without one
    it is the system's. `timeout` in s replaces the profile's, for points that have none of their own.
    """

    host: Name
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    username: Name | None = None
    password: str | None = None
    tls: bool = False
    ca_file: Name | None = None
    client_id: Name | None = None
    timeout: Annotated[float, msgspec.Meta(ge=0, le=86400)] | None = None

    def __repr__(self) -> str:
        return f"Connection(host={self.host!r}, port={self.port!r}, username={self.username!r})"

    def broker(self) -> Broker:
        port = self.port or (8883 if self.tls else 1883)
        return Broker(self.host, port, self.username, self.password, self.tls, self.ca_file, self.client_id)


def split(connection: Mapping[str, str | int | float | bool]) -> tuple[Connection, dict[str, str]]:
    """The connection itself, and the variables beside it. Raises ValueError."""
    own = {name: value for name, value in connection.items() if name in Connection.__struct_fields__}
    try:
        return msgspec.convert(own, Connection), {
            name: check_variable(name, value) for name, value in connection.items() if name not in own
        }
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def check_variable(name: str, value: object) -> str:
    """As it stands in topics. Raises ValueError for what cannot be a part of one."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    try:
        return aiomqtt.Topic(text).value if text.isprintable() else aiomqtt.Topic("").value
    except ValueError:
        raise ValueError(f"{name}: {value!r:.60} cannot be a part of a topic") from None


class MqttDriver:
    """Knows one link for each broker and credentials."""

    def __init__(self) -> None:
        self._links: dict[Broker, Link] = {}

    def device(self, spec: DeviceSpec) -> Device:
        """Call it in a running event loop: the connection is made at once."""
        try:
            connection, variables = split(spec.connection)
            if not isinstance(spec, MqttSpec):
                raise ValueError("its profile is not for mqtt")
            broker = connection.broker()
            link = self._links.get(broker) or Link(broker)
            device = MqttDevice(
                spec, link, variables, spec.timeout if connection.timeout is None else connection.timeout
            )
        except ValueError as error:
            raise ValueError(f"{spec.key}: {error}") from None
        self._links[broker] = link
        link.join(device)
        return device

    async def close(self) -> None:
        await asyncio.gather(*(link.close() for link in self._links.values()))
