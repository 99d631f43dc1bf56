"""Raw registers of one Modbus device, through its driver: what the edge itself would get."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

from ems_contract.points import Reason

from ems_edge.cli.targets import INTERVAL
from ems_edge.decode import Codec, Type, Value
from ems_edge.driver import DeviceSpec, Driver
from ems_edge.drivers import DRIVERS
from ems_edge.drivers.modbus_plan import RegisterSource

FUNCTIONS = ("holding", "input", "coil", "discrete")
AT_ONCE = 32
"""Registers in one request while looking for those that are there."""

Words = dict[int, int]
"""Address -> the word there. What the device refused is not in it."""


@contextlib.asynccontextmanager
async def registers(connection: Mapping[str, str | int | float | bool]) -> AsyncIterator[Registers]:
    """Raises ValueError for a connection that the driver cannot use."""
    driver = DRIVERS["modbus"].make()
    try:
        yield Registers(driver, connection)
    finally:
        await driver.close()


class Registers:
    def __init__(self, driver: Driver, connection: Mapping[str, str | int | float | bool]) -> None:
        self._driver = driver
        self._connection = connection

    async def range(
        self, function: str, first: int, last: int, done: Callable[[int], None]
    ) -> tuple[Words, Reason | None]:
        """The words of a range, and why the others are not there. What is refused is halved, to find the gaps.

        `done` is told how many registers more are settled. Where nobody answers, the rest is not asked for.
        """
        found: Words = {}
        refused: Reason | None = None
        waiting = [(low, min(low + AT_ONCE - 1, last)) for low in range(first, last + 1, AT_ONCE)][::-1]
        while waiting:
            low, high = waiting.pop()
            values = await self._read(function, low, high)
            problem = next((value for value in values.values() if isinstance(value, Reason)), None)
            if problem is None:
                found |= {at: int(value) for at, value in values.items()}
            elif problem is not Reason.DEVICE_EXCEPTION:
                return found, problem
            elif low < high:
                middle = (low + high) // 2
                waiting += [(middle + 1, high), (low, middle)]
                continue
            refused = refused or problem
            done(high - low + 1)
        return found, refused

    async def words(self, source: RegisterSource) -> tuple[int, ...] | Reason:
        """Those at the place of one point, in the order they were sent."""
        values = await self._read(source.function, source.address, source.address + source.codec.words - 1)
        problem = next((value for value in values.values() if isinstance(value, Reason)), None)
        return problem or tuple(int(value) for value in values.values())

    async def _read(self, function: str, low: int, high: int) -> dict[int, Value]:
        kind = Type.UINT16 if function in ("holding", "input") else Type.BIT
        sources = tuple(RegisterSource(str(at), function, at, Codec(type=kind)) for at in range(low, high + 1))
        device = self._driver.device(DeviceSpec("probe", self._connection, INTERVAL, sources))
        values = await device.read()
        return {int(name): value for name, value in values.items()}
