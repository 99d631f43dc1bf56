"""A desk with all that it needs: a real Redis with the edge's rules, a real Modbus device, and who gives commands."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from ems_contract import keys
from ems_contract.commands import Command, CommandEvent, CommandState
from ems_contract.edge_events import EdgeEvent
from ems_contract.provisioning import Device as DeviceConfig
from ems_contract.provisioning import EdgeConfig, SetpointLimits
from ems_edge.buffer_memory import MemoryBuffer
from ems_edge.clock import Clock, wall_ms
from ems_edge.config import Plan, check_config
from ems_edge.desk import Desk
from ems_edge.driver import Device
from ems_edge.drivers import make_drivers
from ems_edge.image import Image
from ems_edge.problems import Document
from ems_edge.profile import Profiles
from ems_edge.setpoints import Outcome
from ems_edge.uplink import Tuning, Uplink

from edge_support.devices import Endpoint, Unit
from edge_support.redis_process import RedisProcess
from edge_support.waiting import until

COMMANDS, EVENTS = keys.commands_stream(1, 1), keys.edge_events_stream(1, 1)
QUICK = Tuning(look=0.1, look_in_backfill=0.05, grace=0.4, deadline=3.0)
POWER, MODE, LEVEL, MEASURED = "plant.power", "plant.mode", "plant.level", "plant.measured"
PROFILE = """
profile: plant
name: A plant with setpoints
driver: modbus
points:
  - {key: measured, name: Measured power, unit: W, address: 0, type: int32}
  - {key: power, name: Power setpoint, unit: W, address: 2, type: int32, minimum: -5000, maximum: 5000, default: 0,
     writable: true}
  - {key: mode, name: Mode, unit: "", kind: state, address: 4, type: enum, states: {0: off, 1: auto, 2: boost},
     writable: true}
  - {key: level, name: Level, unit: "%", address: 5, type: uint16, scale: 0.5, minimum: 0, maximum: 100, default: 20,
     writable: true}
"""


def plant(power: int = 0, mode: int = 1, level: float = 20.0) -> Unit:
    """A unit with the registers of PROFILE."""
    unit = Unit()
    unit.put(0, "i", 1234)
    unit.put(2, "i", power)
    unit.put(4, "H", mode)
    unit.put(5, "H", int(level * 2))
    return unit


def config(port: int, *limits: SetpointLimits, timeout: float = 1.0, interval: float = 0.5) -> EdgeConfig:
    connection: dict[str, Any] = {"host": "127.0.0.1", "port": port, "unit": 1, "timeout": timeout}
    device = DeviceConfig("plant", "Plant", "modbus", "plant", connection)
    return EdgeConfig("1", [device], interval, setpoints=list(limits))


def profiles(folder: Path) -> Profiles:
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "profiles" / "plant.yaml").write_text(PROFILE, encoding="utf-8")
    return Profiles(folder / "profiles")


def plan(folder: Path, config: EdgeConfig) -> Plan:
    return check_config(Document("test", msgspec.to_builtins(config)), profiles(folder))


def command(point: str, value: float | None, *, expires: int | None = None, **more: Any) -> Command:
    """`expires` in ms of Redis' time, in half a minute where nobody says."""
    ends = wall_ms() + 30_000 if expires is None else expires
    more.setdefault("id", str(uuid.uuid4()))
    return Command(v=1, point=point, value=value, requested=wall_ms(), expires=ends, requested_by="user_1", **more)


def give(server: RedisProcess, given: Command, edge: int = 1) -> str:
    """As the backend does."""
    server.admin.xadd(keys.commands_stream(1, edge), {keys.COMMAND_FIELD: msgspec.json.encode(given)})
    return given.id


def events(server: RedisProcess, edge: int = 1) -> list[CommandEvent]:
    """All that the edge told of commands, in order."""
    entries = server.admin.xrange(keys.edge_events_stream(1, edge))
    told = [msgspec.json.decode(fields[b"event"], type=EdgeEvent) for _, fields in entries]  # type: ignore[type-var]
    return [event for event in told if isinstance(event, CommandEvent)]


def states(server: RedisProcess, command_id: str) -> list[str]:
    return [event.state.value for event in events(server) if event.id == command_id]


def last(server: RedisProcess, command_id: str) -> CommandEvent | None:
    return next((event for event in reversed(events(server)) if event.id == command_id), None)


async def came_to(server: RedisProcess, command_id: str, state: CommandState, seconds: float = 10.0) -> CommandEvent:
    def reached() -> CommandEvent | None:
        event = last(server, command_id)
        return event if event is not None and event.state is state else None

    try:
        found = await until(reached, f"command {state.value}", seconds)
    except AssertionError:
        raise AssertionError(f"not {state.value}: {events(server)}") from None
    assert found is not None
    return found


def powers(endpoint: Endpoint) -> list[int]:
    """What was written to the power setpoint, in order."""
    return [struct.unpack(">i", struct.pack(">2H", *one.words))[0] for one in endpoint.written if one.address == 2]


@dataclass
class Desked:
    """A desk at work. `outcomes` are all that the writer told."""

    desk: Desk
    uplink: Uplink
    server: RedisProcess
    endpoint: Endpoint
    clock: Clock
    plan: Plan
    devices: dict[str, Device]
    outcomes: list[Outcome] = field(default_factory=list)

    def give(self, point: str, value: float | None, **more: Any) -> str:
        return give(self.server, command(point, value, **more))

    async def came_to(self, command_id: str, state: CommandState, seconds: float = 10.0) -> CommandEvent:
        return await came_to(self.server, command_id, state, seconds)

    async def verified(self, point: str, value: float | None, **more: Any) -> str:
        given = self.give(point, value, **more)
        await self.came_to(given, CommandState.VERIFIED)
        return given

    def states(self, command_id: str) -> list[str]:
        return states(self.server, command_id)

    @property
    def powers(self) -> list[int]:
        return powers(self.endpoint)


@contextlib.asynccontextmanager
async def desked(
    folder: Path,
    server: RedisProcess,
    endpoint: Endpoint,
    *limits: SetpointLimits,
    connected: bool = True,
    patience: float = 1.0,
    wall: Callable[[], int] = wall_ms,
) -> AsyncIterator[Desked]:
    """One life of a desk on the journal in `folder`; its device is unit 1 of the endpoint and has `patience` s."""
    clock, image = Clock(wall=wall), Image("edge_1", str(uuid.uuid4()))
    desk = Desk(folder / "commands.db", clock, "UTC", lambda _: None)
    await desk.open()
    uplink = Uplink(
        1,
        1,
        MemoryBuffer(1_000_000),
        clock,
        image,
        server.edge_user(),
        refused=lambda: None,
        config_changed=lambda: None,
        companions=desk.companions,
        tuning=QUICK,
    )
    made = plan(folder, config(endpoint.port, *limits, timeout=patience))
    drivers = make_drivers({"modbus"})
    devices = {key: drivers[driver].device(spec) for key, (driver, spec) in made.devices.items()}
    at_work = Desked(desk, uplink, server, endpoint, clock, made, devices)
    desk.writer.listen(at_work.outcomes.append)
    try:
        async with asyncio.TaskGroup() as tasks:
            desk.start(tasks)
            desk.use(made, devices)
            linked = tasks.create_task(uplink.run()) if connected else None
            if connected:
                await until(lambda: uplink.online, "a connection")
            try:
                yield at_work
            finally:
                await desk.pause()
                await desk.stop()
                if linked is not None:
                    linked.cancel()
    finally:
        for driver in set(drivers.values()):
            await driver.close()
        await desk.close()
