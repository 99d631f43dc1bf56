"""kill -9 at every step of a command, in real processes: written once at most, and the truth is told in the end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import msgspec
import yaml
from edge_support.commanding import POWER, command, config, events, give, plant, powers, profiles
from edge_support.crashing import Nursery, nursery
from edge_support.devices import endpoint
from edge_support.redis_process import RedisProcess
from edge_support.waiting import until

JOURNAL, DEVICE, REDIS = (
    "ems_edge.command_journal:Journal",
    "ems_edge.drivers.modbus_device:ModbusDevice",
    "ems_edge.redis_door:RedisDoor",
)


@dataclass(frozen=True)
class Case:
    """`written` to the device and `told` last, over both lives."""

    moment: str
    written: list[int]
    told: list[str]
    reason: str | None = None
    lease: int | None = None


CASES = [
    # Nothing is in the journal: it is read again, and done.
    Case(f"{JOURNAL}.put:before", [600], ["written", "verified"]),
    # It may have been written: the device is asked, nothing is written.
    Case(f"{JOURNAL}.put:after", [], ["failed"], "interrupted"),
    Case(f"{JOURNAL}.hold:after", [], ["failed"], "interrupted"),
    Case(f"{DEVICE}.write:before", [], ["failed"], "interrupted"),
    Case(f"{DEVICE}.write:after", [600], ["verified"]),
    Case(f"{JOURNAL}.put:before:2", [600], ["verified"]),
    Case(f"{JOURNAL}.put:after:2", [600], ["written", "verified"]),
    Case(f"{JOURNAL}.put:before:3", [600], ["written", "verified"]),
    # It is known how it ended; what Redis may have heard already is said again.
    Case(f"{JOURNAL}.put:after:3", [600], ["written", "verified"]),
    Case(f"{REDIS}.tell:before", [600], ["written", "verified"]),
    Case(f"{REDIS}.tell:after", [600], ["written", "verified"]),
    # The lease ends while nobody is there, or while the default is restored.
    Case(f"{DEVICE}.write:before:2", [600, 0], ["written", "verified", "reverted"], "lease_ended", 1),
    Case(f"{DEVICE}.write:after:2", [600, 0], ["written", "verified", "reverted"], "lease_ended", 1),
    Case(f"{JOURNAL}.put:after:4", [600, 0], ["written", "verified", "reverted"], "lease_ended", 1),
]


async def test_killed_at_any_step_a_command_is_written_once_at_most_and_its_end_is_told(
    tmp_path: Path, redis_server: RedisProcess
) -> None:
    async with nursery(tmp_path) as edges:
        checks = [_check(tmp_path, edges, redis_server, number, case) for number, case in enumerate(CASES, 1)]
        await asyncio.gather(*checks)


async def _check(folder: Path, edges: Nursery, server: RedisProcess, number: int, case: Case) -> None:
    async with endpoint({1: plant()}) as device:
        bootstrap = _bootstrap(folder / f"edge_{number}", server, number, device.port)
        edge = await edges.life(bootstrap, dies_at=case.moment)
        try:
            give(server, command(POWER, 600.0, lease=case.lease), number)
            await until(lambda: not edge.running, f"{case.moment}: it dies", 30)
            edge = await edges.life(bootstrap)
            await until(lambda: _states(server, number)[-1:] == case.told[-1:], f"{case.moment}: it is told", 30)
        finally:
            edge.kill()
        told = events(server, number)
        assert _states(server, number) == case.told, case.moment
        assert told[-1].reason == case.reason, case.moment
        assert powers(device) == case.written, case.moment


def _states(server: RedisProcess, number: int) -> list[str]:
    """Without what is merely said again."""
    states: list[str] = []
    for event in events(server, number):
        if event.state.value not in states:
            states.append(event.state.value)
    return states


def _bootstrap(folder: Path, server: RedisProcess, number: int, port: int) -> Path:
    folder.mkdir()
    profiles(folder)
    access = server.edge_user(1, number)
    data = {
        "store": "store",
        "profiles": "profiles",
        "site": "site_1",
        "edge": f"edge_{number}",
        "redis": {"url": access.url, "username": access.username, "password": access.password},
        "config": msgspec.to_builtins(config(port)),
    }
    file = folder / "edge.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return file
