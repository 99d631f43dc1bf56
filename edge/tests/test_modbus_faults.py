"""The row of the fault table: Modbus timeout, garbage, exception, slow unit.

Quality is bad with a reason, the other devices stay on schedule within 10 %, and two cycles later all is well.
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from edge_support.devices import Unit, endpoint, meter
from edge_support.waiting import until
from ems_contract.points import Reason
from ems_edge.decode import Value
from ems_edge.driver import Device
from ems_edge.drivers.modbus import ModbusDriver
from ems_edge.poller import Polled, Poller
from ems_edge.profile import Profiles

INTERVAL = 1.0
FAULTS: dict[Reason, dict[str, Any]] = {
    Reason.TIMEOUT: {"silent": True},
    Reason.GARBLED: {"garbage": b"%%\x00\x00\x00\x05\x09\x03\x02\x00\x01"},
    Reason.DEVICE_EXCEPTION: {"exception": 4},
}
SLOW = {"delay": 0.7}
"""A slow unit still answers within its timeout; that its value comes late is all."""


@dataclass
class Watched:
    """A device, and when its reads ended: (end, values), by the monotonic clock."""

    device: Device
    reads: list[tuple[float, dict[str, Value]]] = field(default_factory=list)

    async def read(self) -> dict[str, Value]:
        values = await self.device.read()
        self.reads.append((time.monotonic(), values))
        return values

    def reasons(self, last: int) -> set[Reason]:
        return {value for _, values in self.reads[-last:] for value in values.values() if isinstance(value, Reason)}


async def test_timeout_garbage_exception_and_a_slow_unit_stay_their_own_matter() -> None:
    """Four gateways at once, each with three healthy units behind the one that fails, which is asked first."""
    driver, poller = ModbusDriver(), Poller(lambda _: None)
    failing: list[tuple[Reason | None, Unit, Watched]] = []
    healthy: list[Watched] = []
    async with AsyncExitStack() as open_servers:
        for reason in (*FAULTS, None):
            units = {number: meter() for number in range(1, 5)}
            served = await open_servers.enter_async_context(endpoint(units))
            where = {"host": "127.0.0.1", "port": served.port, "timeout": 0.9}
            for number, unit in units.items():
                spec = Profiles().get("stl_meter").spec(f"meter_{number}", {**where, "unit": number}, INTERVAL)
                device = Watched(driver.device(spec))
                if number == 1:
                    failing.append((reason, unit, device))
                else:
                    healthy.append(device)
        watched = [device for _, _, device in failing] + healthy
        poller.start([Polled(str(number), device, INTERVAL) for number, device in enumerate(watched)])
        await until(lambda: all(len(device.reads) >= 2 for device in watched), "two good cycles")
        for reason, unit, _ in failing:
            for name, value in (FAULTS[reason] if reason else SLOW).items():
                setattr(unit, name, value)
        began, marks = time.monotonic(), [len(device.reads) for device in watched]
        await _cycles(watched, marks, 3)
        for reason, _, device in failing:
            assert device.reasons(2) == ({reason} if reason else set())
        assert set.union(*(device.reasons(5) for device in healthy)) == set()
        _check_schedule(healthy, began)
        for _, unit, _ in failing:
            for name in ("silent", "garbage", "exception", "delay"):
                setattr(unit, name, getattr(Unit(), name))
        await _cycles(watched, [len(device.reads) for device in watched], 2)
        assert [device.reasons(1) for _, _, device in failing] == [set()] * 4
        await poller.stop()
        await driver.close()


async def _cycles(watched: list[Watched], marks: list[int], count: int) -> None:
    await until(
        lambda: all(len(device.reads) >= mark + count for device, mark in zip(watched, marks, strict=True)),
        f"{count} cycles",
        INTERVAL * (2 * count + 8),
    )


def _check_schedule(healthy: list[Watched], began: float) -> None:
    """Each read ends within 10 % of the interval after its tick; a busy machine may hold up one in ten."""
    offset = time.time() - time.monotonic()
    late = sorted((end + offset) % INTERVAL for device in healthy for end, _ in device.reads if end > began)
    assert late[len(late) * 9 // 10 - 1] < 0.1 * INTERVAL, late
