"""BACnet devices to hold the driver against: Node's, from `peers/`, and small ones with what a test needs of them."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from bacpypes3.local.analog import AnalogInputObject
from bacpypes3.local.device import DeviceObject
from ems_edge.driver import DeviceSpec
from ems_edge.drivers.bacnet import BacnetDriver
from ems_edge.drivers.bacnet_plan import ObjectSource
from ems_edge.drivers.bacnet_wire import WiredApplication, bound
from ems_edge.problems import parse_yaml
from ems_edge.profile import check_profile
from ems_stack import peers

from edge_support.waiting import until

INSTANCE = 4711
FAN_COIL = """
profile: fan_coil
name: Fan coil
driver: bacnet
points:
  - {key: room, name: Room, unit: °C, object: "analog-input,1"}
  - {key: power, name: Power, unit: W, object: "analog-input:2", scale: 1000}
  - {key: fan, name: Fan, unit: "", kind: state, object: "binary-input,1", states: {0: stopped, 1: running}}
  - {key: mode, name: Mode, unit: "", kind: state, object: "multi-state-value,1", states: {1: off, 2: heat, 3: cool}}
  - {key: setpoint, name: Setpoint, unit: °C, object: "analog-value,1", writable: true}
  - {key: valve, name: Valve, unit: "", kind: state, object: "binary-output,1", states: {0: no, 1: yes}, writable: true}
"""
"""The points of `peers/bacnet_device.mjs`."""
FIRST = {"room": 20.5, "power": 1250.0, "fan": 1.0, "mode": 2.0, "setpoint": 21.0, "valve": 0.0}
"""What they are before anybody changes one."""


class NodeDevice:
    """`peers/bacnet_device.mjs`. `events` is all that it said."""

    def __init__(self, port: int, without: str) -> None:
        self.address = f"127.0.0.1:{port}"
        self.events: list[dict[str, Any]] = []
        self._command = [*peers.script("bacnet_device"), "--port", str(port), "--instance", str(INSTANCE)]
        self._command += ["--without", without]
        self._process: subprocess.Popen[str] | None = None
        self._listening: threading.Thread | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = len(self.events)
        self._listening = threading.Thread(target=self._listen, args=(self._process,))
        self._listening.start()
        deadline = time.monotonic() + 10
        while not self.said("listening", since=said):
            assert time.monotonic() < deadline, "the device does not listen"
            time.sleep(0.01)

    def stop(self) -> None:
        """At once, as a device whose power fails."""
        if self._process is not None and self._listening is not None:
            self._process.kill()
            self._listening.join()
            self._process.communicate()

    async def order(self, **what: Any) -> None:
        """Done when it returns."""
        assert self._process is not None
        assert self._process.stdin is not None
        said = len(self.events)
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        await until(lambda: self.said("done", since=said), f"{what} to be done")

    async def all_said(self) -> None:
        """Whatever it had to say by now is in `events`."""
        await self.order()

    async def renew(self) -> None:
        """For the next test."""
        await self.order(reset=True)
        self.events.clear()

    def said(self, event: str, since: int = 0, **what: Any) -> list[dict[str, Any]]:
        wanted = {"event": event, **what}
        return [one for one in self.events[since:] if wanted.items() <= one.items()]

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.events.append(json.loads(line))


@contextlib.contextmanager
def node_device(without: str = "") -> Iterator[NodeDevice]:
    device = NodeDevice(free_udp_port(), without)
    device.start()
    try:
        yield device
    finally:
        device.stop()


@contextlib.asynccontextmanager
async def driver() -> AsyncIterator[BacnetDriver]:
    made = BacnetDriver()
    try:
        yield made
    finally:
        await made.close()


def fan_coil(made: BacnetDriver, address: str, interval: float = 1.0, **connection: Any) -> Any:
    """A device of profile FAN_COIL."""
    profile = check_profile(parse_yaml(FAN_COIL, "fan_coil.yaml"))
    where = {"address": address, "timeout": 1.0, **connection}
    return made.device(profile.spec("coil", where, interval))


def pointed(made: BacnetDriver, address: str, *sources: ObjectSource, **connection: Any) -> Any:
    return made.device(DeviceSpec("device", {"address": address, "timeout": 1.0, **connection}, 1.0, sources))


@contextlib.asynccontextmanager
async def analog_device(
    count: int, application: Callable[[DeviceObject], WiredApplication] = WiredApplication, **about: Any
) -> AsyncIterator[tuple[str, WiredApplication]]:
    """A device of bacpypes3 with analog inputs 0, 1, ... whose values are their numbers; where it is, and itself."""
    served = application(DeviceObject(objectIdentifier=("device", 7), objectName="analog", **about))
    own = bound("127.0.0.1", 0)
    port = own.getsockname()[1]
    await served.start(own)
    for number in range(count):
        served.add_object(
            AnalogInputObject(
                objectIdentifier=("analog-input", number),
                objectName=f"input {number}",
                presentValue=float(number),
                covIncrement=0.5,
                statusFlags=[0, 0, 0, 0],
                eventState="normal",
                outOfService=False,
            )
        )
    try:
        yield f"127.0.0.1:{port}", served
    finally:
        served.close()


def free_udp_port() -> int:
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
