"""Reads the same registers twice: by the edge's driver, and by a plain loop of one pymodbus request for each point.

    python -m ems_prove.polling SECONDS PORT...     prints a `Speeds` as JSON

`SECONDS` is for each of the measured turns; the two take turns, so that whatever else the machine does hits both.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median

import msgspec
from ems_contract.points import Reason
from ems_edge.decode import Codec, Type, Value
from ems_edge.driver import Device, DeviceSpec
from ems_edge.drivers.modbus import ModbusDriver
from ems_edge.drivers.modbus_plan import RegisterSource
from ems_edge.poller import Polled, Poller
from pymodbus.client import AsyncModbusTcpClient

from ems_prove.experiment import percentile
from ems_prove.register_server import SILENT

POINTS = 480
ROUNDS = 5
TYPES = (Type.FLOAT32, Type.INT16, Type.UINT16, Type.UINT32)
LONGEST_RUN, WIDEST_HOLE = 16, 40
"""Of the map with holes: up to so many points in a row, then so many registers that belong to none."""
GATEWAY_UNITS = 10
INTERVAL = 0.5

type Registers = tuple[RegisterSource, ...]
type Reading = Callable[[], Awaitable[int]]
"""Reads everything once; how many points that were."""


@dataclass(frozen=True)
class Speed:
    """Points per second, medians over the rounds; `ratio` is the median of the rounds' own."""

    driver: float
    plain: float
    ratio: float


@dataclass(frozen=True)
class Jitter:
    """How long after its tick a read ends, in ms."""

    p50: float
    p99: float


@dataclass(frozen=True)
class Speeds:
    contiguous: Speed
    holes: Speed
    many: Speed
    """All devices at once, contiguous maps."""
    quiet: Jitter
    hanging: Jitter
    """The other devices, half of them on the line of one that never answers."""


def contiguous() -> Registers:
    return _registers(lambda: 0)


def with_holes() -> Registers:
    numbers = random.Random(1)  # noqa: S311 -- a seeded map, not a secret
    left = 0

    def hole() -> int:
        nonlocal left
        left -= 1
        if left > 0:
            return 0
        left = numbers.randint(1, LONGEST_RUN)
        return numbers.randint(1, WIDEST_HOLE)

    return _registers(hole)


def _registers(hole: Callable[[], int]) -> Registers:
    sources: list[RegisterSource] = []
    address = 0
    for number in range(POINTS):
        kind = TYPES[number % len(TYPES)]
        codec = Codec(kind, scale=1.0 if kind is Type.FLOAT32 else 0.1, minimum=-1e9)
        address += hole()
        sources.append(RegisterSource(f"point_{number}", "holding", address, codec))
        address += codec.words
    return tuple(sources)


def _device(driver: ModbusDriver, port: int, registers: Registers, unit: int = 1) -> Device:
    where: dict[str, str | int | float] = {"host": "127.0.0.1", "port": port, "unit": unit, "timeout": 0.9 * INTERVAL}
    return driver.device(DeviceSpec(f"device_{port}_{unit}", where, INTERVAL, registers))


def by_driver(driver: ModbusDriver, port: int, registers: Registers) -> Reading:
    device = _device(driver, port, registers)

    async def read() -> int:
        values = await device.read()
        if bad := [name for name, value in values.items() if isinstance(value, Reason)]:
            raise AssertionError(f"{len(bad)} points could not be read, {bad[0]}: {values[bad[0]]}")
        return len(values)

    return read


async def by_plain_loop(port: int, registers: Registers) -> tuple[AsyncModbusTcpClient, Reading]:
    """What a program does that knows pymodbus and nothing else."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    types = [getattr(client.DATATYPE, source.codec.type.upper()) for source in registers]

    async def read() -> int:
        values: dict[str, Value] = {}
        for source, kind in zip(registers, types, strict=True):
            answer = await client.read_holding_registers(source.address, count=source.codec.words)
            raw = client.convert_from_registers(answer.registers, kind)
            if not isinstance(raw, int | float):
                raise AssertionError(f"{source.name} is no number: {raw!r}")
            values[source.name] = raw * source.codec.scale
        return len(values)

    return client, read


async def _rate(readings: Sequence[Reading], seconds: float) -> float:
    """Points per second, all readings at once."""
    started = time.perf_counter()

    async def again(read: Reading) -> int:
        count = await read()
        while time.perf_counter() - started < seconds:
            count += await read()
        return count

    counts = await asyncio.gather(*(again(read) for read in readings))
    return sum(counts) / (time.perf_counter() - started)


async def compare(ports: Sequence[int], registers: Registers, seconds: float, rounds: int = ROUNDS) -> Speed:
    """Driver and plain loop in turns, each with one connection for each port."""
    driver = ModbusDriver()
    ours = [by_driver(driver, port, registers) for port in ports]
    loops = [await by_plain_loop(port, registers) for port in ports]
    pairs = []
    try:
        for _ in range(rounds):
            plain = await _rate([read for _, read in loops], seconds)
            pairs.append((await _rate(ours, seconds), plain))
    finally:
        for client, _ in loops:
            client.close()
        await driver.close()
    return Speed(
        median(mine for mine, _ in pairs), median(plain for _, plain in pairs), median(a / b for a, b in pairs)
    )


class Timed:
    """A device that notes how long after its tick a read ends, in s."""

    def __init__(self, device: Device) -> None:
        self.late: list[float] = []
        self._device = device

    async def read(self) -> dict[str, Value]:
        values = await self._device.read()
        self.late.append(time.time() % INTERVAL)
        return values


async def jitter(ports: Sequence[int], seconds: float, *, hanging: bool) -> Jitter:
    """Twenty devices, ten of them behind one gateway; `hanging`: with an eleventh there that never answers."""
    driver, poller, registers = ModbusDriver(), Poller(lambda _: None), contiguous()[:100]
    gateway = [Timed(_device(driver, ports[0], registers, unit)) for unit in range(1, GATEWAY_UNITS + 1)]
    alone = [Timed(_device(driver, port, registers)) for port in ports[1 : GATEWAY_UNITS + 1]]
    healthy = [*gateway, *alone]
    silent = [_device(driver, ports[0], registers, SILENT)] if hanging else []
    poller.start([Polled(str(number), device, INTERVAL) for number, device in enumerate([*silent, *healthy])])
    await asyncio.sleep(seconds)
    await poller.stop()
    await driver.close()
    late = [1000 * value for device in healthy for value in device.late[1:]]
    return Jitter(percentile(late, 0.5), percentile(late, 0.99))


async def measure(ports: Sequence[int], seconds: float) -> Speeds:
    return Speeds(
        await compare(ports[:1], contiguous(), seconds),
        await compare(ports[:1], with_holes(), seconds),
        await compare(ports, contiguous(), seconds),
        await jitter(ports, 10 * seconds, hanging=False),
        await jitter(ports, 10 * seconds, hanging=True),
    )


if __name__ == "__main__":
    found = asyncio.run(measure([int(port) for port in sys.argv[2:]], float(sys.argv[1])))
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
