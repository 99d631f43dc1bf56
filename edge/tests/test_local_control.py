"""The whole edge as a process that has only its cached session: it holds a limit with Redis and the backend away."""

from __future__ import annotations

import asyncio
import struct
import time
from pathlib import Path

import msgspec
from edge_support.backend import KEY
from edge_support.devices import Endpoint, Unit, endpoint, meter
from edge_support.edge_process import EdgeProcess, with_backend
from edge_support.waiting import free_port, until
from ems_contract.control import ControlAction, ControlEvent, LimitRule
from ems_contract.edge_events import EdgeEvent
from ems_contract.processing import DerivedPoint
from ems_contract.provisioning import Device, EdgeConfig, RedisAccess, SessionAnswer, SetpointLimits
from ems_contract.telemetry import decode_batch
from ems_edge import command_file
from ems_edge.buffer_sqlite import SqliteBuffer
from ems_edge.command_file import CommandFile
from ems_edge.events_journal import EventJournal

LIMIT, MARGIN = 100_000.0, 3_000.0
CALM, MUCH = 60_000.0, 140_000.0
INTERVAL = 0.1
SETPOINT = 18


def _battery() -> Unit:
    unit = Unit(counter=16)
    for address in range(20):
        unit.holding[address] = 0
    unit.put(7, "H", 1)
    return unit


class Site:
    """Grid power is the load less what the battery was last told to give, as soon as it was told."""

    def __init__(self) -> None:
        self.grid, self.battery = meter(), _battery()
        self.load = CALM
        self.seen: list[tuple[float, float]] = []
        """When the meter was asked, and what it said."""

    @property
    def setpoint(self) -> float:
        low, high = (self.battery.holding[address] for address in (SETPOINT, SETPOINT + 1))
        return float(struct.unpack(">i", struct.pack(">HH", high, low))[0])

    async def live(self) -> None:
        while True:
            power = self.load - self.setpoint
            self.grid.put(12, "f", power)
            self.seen.append((time.monotonic(), power))
            await asyncio.sleep(INTERVAL / 5)

    def above(self, since: float) -> list[float]:
        return [power for at, power in self.seen if at >= since and power > LIMIT]


def _session(devices: Endpoint) -> SessionAnswer:
    def device(key: str, profile: str, unit: int) -> Device:
        return Device(key, key, "modbus", profile, {"host": "127.0.0.1", "port": devices.port, "unit": unit})

    rule = LimitRule(
        key="peak_limit",
        name="Peak limit",
        point="battery.power_setpoint",
        input="site.grid",
        priority=5,
        maximum=LIMIT,
        margin=MARGIN,
        high=100_000.0,
        response=3 * INTERVAL,
        minimum_on=0.5,
        stale_after=5.0,
    )
    config = EdgeConfig(
        "cached",
        [device("grid_meter", "stl_meter", 1), device("battery", "stl_battery", 3)],
        INTERVAL,
        setpoints=[SetpointLimits("battery.power_setpoint", -200_000.0, 200_000.0, 0.0)],
        derived=[DerivedPoint("site.grid", "Grid", "W", "grid_meter.active_power")],
        rules=[rule],
    )
    nowhere = RedisAccess(f"redis://127.0.0.1:{free_port()}/0", "edge_1_abc", "nobody-asks")
    return SessionAnswer("edge_1", "Edge", "site_1", "Site", "Europe/Berlin", nowhere, config)


def _process(folder: Path, session: SessionAnswer) -> EdgeProcess:
    (folder / "store").mkdir(mode=0o700)
    cache = folder / "store" / "session.json"
    cache.write_bytes(msgspec.json.encode(session))
    cache.chmod(0o600)
    return EdgeProcess(with_backend(folder, f"http://127.0.0.1:{free_port()}", KEY))


async def _events(store: Path) -> list[ControlEvent]:
    """What waits in the journal for a Redis to tell it to."""
    file = CommandFile(store / command_file.FILE)
    await file.open()
    journal = EventJournal(file)
    await journal.load()
    events = [msgspec.json.decode(one.payload, type=EdgeEvent) for one in await journal.unsent(0, 1_000)]
    await file.close()
    return [event for event in events if isinstance(event, ControlEvent)]


async def _samples(store: Path, key: str) -> list[float | None]:
    """What waits in the store, in the order of seq."""
    buffer = SqliteBuffer(store / "edge.db", 10**9)
    await buffer.open()
    batches = [decode_batch(lent.payload) for lent in await buffer.begin(10**9, 10**6)]
    await buffer.close()
    return [reading.values[key] for batch in batches for reading in batch.readings if key in reading.values]


async def test_a_grid_limit_is_held_and_given_back_without_redis_and_backend_and_over_a_kill(tmp_path: Path) -> None:
    site = Site()
    async with endpoint({1: site.grid, 3: site.battery}) as devices, asyncio.TaskGroup() as tasks:
        living = tasks.create_task(site.live())
        edge = _process(tmp_path, _session(devices))
        await edge.start()
        try:
            await until(lambda: devices.answered, "the first read", 30)
            site.load = MUCH
            await until(lambda: LIMIT - 2 * MARGIN <= site.load - site.setpoint <= LIMIT, "the limit is held", 15)
            held = time.monotonic()
            await until(lambda: len(devices.answered) > 30, "some reads", 30)
            assert not site.above(held)

            await edge.kill()  # the battery keeps what it was told
            await edge.start()
            kept = len(devices.answered)
            await until(lambda: len(devices.answered) > kept + 30, "some reads of the next life", 30)
            assert not site.above(held), "the limit was lost over the restart"

            site.load = CALM
            await until(lambda: site.setpoint == 0, "given back", 30)
        finally:
            living.cancel()
            assert await edge.terminate() == 0, edge.log.decode()
    assert b'"level":"error"' not in edge.log
    told = await _events(tmp_path / "store")
    assert [event.action for event in told if event.action is not ControlAction.ADJUSTED] == [
        ControlAction.STARTED,
        ControlAction.STARTED,  # of the next life: it has taken over
        ControlAction.STOPPED,
    ]
    active = await _samples(tmp_path / "store", "peak_limit.active")
    assert active[0] == active[-1] == 0.0
    assert 1.0 in active
    assert max(value or 0.0 for value in await _samples(tmp_path / "store", "peak_limit.output")) >= MUCH - LIMIT
    assert MUCH in await _samples(tmp_path / "store", "site.grid")
