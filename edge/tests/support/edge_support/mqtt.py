"""MQTT devices of the edge for the tests: made from a profile's text, or from one that comes with the edge."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from ems_contract.points import Reason
from ems_edge.decode import Value
from ems_edge.drivers.mqtt import MqttDriver
from ems_edge.drivers.mqtt_device import MqttDevice
from ems_edge.problems import parse_yaml
from ems_edge.profile import Profiles, check_profile

from edge_support.waiting import until


class HasPort(Protocol):
    port: int


PLUG = """\
profile: plug
name: Plug
driver: mqtt
variables: {id: its topic}
topic: "{id}/state"
timeout: 30
availability: {topic: "{id}/online"}
points:
  - {key: power, name: Power, unit: W, path: power}
  - {key: energy, name: Energy, unit: Wh, kind: register, path: energy.total, scale: 1000}
  - key: relay
    name: Relay
    unit: ""
    kind: state
    topic: "{id}/relay"
    values: {"OFF": 0, "ON": 1}
    states: {0: off, 1: on}
    timeout: 0
    writable: true
    command: {topic: "{id}/relay/set", texts: {0: "OFF", 1: "ON"}}
  - key: limit
    name: Limit
    unit: W
    topic: "{id}/limit"
    timeout: 0
    scale: 1000
    minimum: -5000
    maximum: 5000
    writable: true
    command: {topic: "{id}/limit/set", payload: '{"kw":{value}}'}
"""


@contextlib.asynccontextmanager
async def driver() -> AsyncIterator[MqttDriver]:
    made = MqttDriver()
    try:
        yield made
    finally:
        await made.close()


def device(made: MqttDriver, broker: HasPort, profile: str = PLUG, **connection: Any) -> MqttDevice:
    """`profile` is the text of one, or the name of one that comes with the edge. `id` is plug, if it has one."""
    found = check_profile(parse_yaml(profile, "test")) if "\n" in profile else Profiles().get(profile)
    where: dict[str, Any] = {"host": "127.0.0.1", "port": broker.port, **connection}
    if "\n" in profile and "variables" in profile:
        where.setdefault("id", "plug")
    made_device = made.device(found.spec("plug", where, 1.0))
    assert isinstance(made_device, MqttDevice)
    return made_device


async def linked(of: MqttDevice) -> None:
    await until(lambda: of._link.up, "a connection to the broker")


async def reads(of: MqttDevice, point: str, value: Value, seconds: float = 10.0) -> None:
    """Until the point reads so."""
    deadline = time.monotonic() + seconds
    while (found := (await of.read())[point]) != value:
        assert time.monotonic() < deadline, f"{point} is {found}, not {value}"
        await asyncio.sleep(0.01)


@dataclass
class Watcher:
    """What a device told by itself, in order."""

    told: list[dict[str, Value]] = field(default_factory=list)

    def __call__(self, values: dict[str, Value]) -> None:
        self.told.append(values)

    def of(self, point: str) -> list[Value]:
        return [values[point] for values in self.told if point in values]


def reasons(values: dict[str, Value]) -> set[Reason]:
    return {value for value in values.values() if isinstance(value, Reason)}
