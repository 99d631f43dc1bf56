"""A real site behind a real socket: physics, devices, Modbus server and ledger in the test's own event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from ems_simulator.bacnet import BacnetServer
from ems_simulator.bacnet import listen as listen_udp
from ems_simulator.clock import SimulationClock
from ems_simulator.ledger import Entry, Ledger
from ems_simulator.live import LiveSite
from ems_simulator.modbus import ModbusServer, listen
from ems_simulator.registers import RegisterPoint
from ems_simulator.runtime import SiteRuntime
from ems_simulator.sites import site
from pymodbus.client import AsyncModbusTcpClient

NOON = 1_782_302_400_000
"""2026-06-24T12:00:00Z."""
SEED = 7


@dataclass
class Bench:
    """A running site and the means to look at it."""

    runtime: SiteRuntime
    ledger_file: Path

    @asynccontextmanager
    async def client(self, patience: float = 3.0) -> AsyncIterator[AsyncModbusTcpClient]:
        client = AsyncModbusTcpClient(
            "127.0.0.1", port=self.runtime.modbus.port, timeout=patience, retries=0, reconnect_delay=0
        )
        assert await client.connect()
        try:
            yield client
        finally:
            client.close()

    def ledger(self) -> list[Entry]:
        self.runtime.ledger.flush()
        return [msgspec.json.decode(line, type=Entry) for line in self.ledger_file.read_bytes().splitlines()]


@asynccontextmanager
async def running(
    directory: Path,
    key: str = "factory",
    start_ms: int = NOON,
    speed: float = 1e-6,
    joined: Callable[[SiteRuntime], None] = lambda _: None,
) -> AsyncIterator[Bench]:
    """A site whose meters were installed three hours before `start_ms`; by default its time stands still."""
    live = LiveSite(site(key), start_ms, SEED, installed=start_ms // 60_000 - 180)
    ledger_file = directory / f"{key}.ndjson"
    server = ModbusServer("127.0.0.1", listen("127.0.0.1", 0), SEED)
    bacnet = BacnetServer(listen_udp("127.0.0.1", 0), SEED) if live.site.air_handler else None
    runtime = SiteRuntime(live, SimulationClock(start_ms, speed), server, Ledger(ledger_file), bacnet)
    joined(runtime)
    await runtime.start()
    try:
        yield Bench(runtime, ledger_file)
    finally:
        runtime.close()


def unpack(client: AsyncModbusTcpClient, point: RegisterPoint, registers: list[int], word_order: str) -> float:
    """The value of a point in a device's registers, by pymodbus' own decoding."""
    datatype = getattr(client.DATATYPE, point.type.upper())
    words = registers[point.address : point.end]
    raw = client.convert_from_registers(words, datatype, word_order=word_order)
    assert isinstance(raw, int | float)
    return raw if point.scale == 1 else round(raw * point.scale, 6)


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for a condition, at most `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.005)
