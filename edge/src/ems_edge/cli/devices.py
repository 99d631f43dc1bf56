"""Devices on the bench: connected for as long as a command runs, read once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence

from ems_contract.points import Reason

from ems_edge.cli.targets import Target
from ems_edge.decode import Value
from ems_edge.driver import Device, PushingDevice
from ems_edge.drivers import make_drivers


@contextlib.asynccontextmanager
async def connected(targets: Sequence[Target]) -> AsyncIterator[list[tuple[Target, Device]]]:
    """Raises ValueError for a connection that the driver cannot use."""
    drivers = make_drivers({target.driver for target in targets})
    try:
        yield [(target, drivers[target.driver].device(target.spec)) for target in targets]
    finally:
        for driver in set(drivers.values()):
            await driver.close()


async def read(target: Target, device: Device, wait: float) -> dict[str, Value]:
    """The points that were asked for; of a device that tells by itself, what it told within `wait` seconds."""
    if not isinstance(device, PushingDevice):
        return target.only(await device.read())
    told = asyncio.Event()
    device.watch(lambda _: told.set())
    deadline = time.monotonic() + wait
    while True:
        told.clear()
        values = target.only(await device.read())
        left = deadline - time.monotonic()
        if left <= 0 or not any(isinstance(value, Reason) for value in values.values()):
            return values
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left):
                await told.wait()
