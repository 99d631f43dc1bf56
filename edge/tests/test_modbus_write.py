"""Setpoints reach the register, and a device that did not say so is not believed."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
from edge_support.devices import Endpoint, Unit, endpoint
from ems_contract.points import Reason
from ems_edge.decode import Codec, Order, Type
from ems_edge.driver import DeviceSpec, WritableDevice, WriteError
from ems_edge.drivers.modbus import ModbusDriver
from ems_edge.drivers.modbus_plan import RegisterSource

TIMEOUT = 0.3
POINTS = (
    RegisterSource("setpoint", "holding", 10, Codec(Type.INT16, scale=0.1), writable=True),
    RegisterSource("power", "holding", 20, Codec(Type.INT32, word_order=Order.LITTLE), writable=True),
    RegisterSource("ratio", "holding", 22, Codec(Type.FLOAT32), writable=True),
    RegisterSource("mode", "holding", 30, Codec(Type.ENUM, states=frozenset({0, 2})), writable=True),
    RegisterSource("pump", "holding", 31, Codec(Type.BIT, bit=5), writable=True),
    RegisterSource("fan", "holding", 32, Codec(Type.BIT, bit=1, byte_order=Order.LITTLE), writable=True),
    RegisterSource("limit", "holding", 33, Codec(Type.UINT16, sentinels=(0xFFFF,)), writable=True),
    RegisterSource("relay", "coil", 3, Codec(Type.BIT), writable=True),
    RegisterSource("measured", "holding", 40, Codec(Type.UINT16)),
    RegisterSource("outside", "input", 0, Codec(Type.UINT16), writable=True),
)


def unit(**faults: Any) -> Unit:
    return Unit(holding={**dict.fromkeys(range(10, 50), 0), 31: 0xF0F0, 32: 0x0F0F}, coil={3: 0}, **faults)


@contextlib.asynccontextmanager
async def served(device: Unit, **connection: Any) -> AsyncIterator[tuple[WritableDevice, Endpoint]]:
    async with endpoint({1: device}) as place:
        made = ModbusDriver()
        where = {"host": "127.0.0.1", "port": place.port, "timeout": TIMEOUT, **connection}
        found = made.device(DeviceSpec("battery", where, 1.0, POINTS))
        assert isinstance(found, WritableDevice)
        yield found, place
        await made.close()


@pytest.mark.parametrize("mode", ["auto", "single", "multiple"])
@pytest.mark.parametrize(
    ("point", "value", "held"),
    [
        ("setpoint", -21.5, {10: 0xFF29}),
        ("power", -70_000.0, {20: 0xEE90, 21: 0xFFFE}),
        ("ratio", 0.5, {22: 0x3F00, 23: 0}),
        ("mode", 2.0, {30: 2}),
        ("pump", 0.0, {31: 0xF0D0}),
        ("fan", 1.0, {32: 0x0F0F | 0x0200}),
        ("relay", 1.0, {}),
    ],
)
async def test_what_is_written_is_held_and_read_back(mode: str, point: str, value: float, held: dict[int, int]) -> None:
    device = unit()
    async with served(device, write=mode) as (made, _):
        await made.write(point, value)
        assert {address: device.holding[address] for address in held} == held
        assert device.coil[3] == (point == "relay")
        assert await made.read_back(point) == value
        await made.write(point, 0.0)
        assert await made.read_back(point) == 0.0


@pytest.mark.parametrize(("point", "value"), [("setpoint", 1.5), ("pump", 0.0), ("relay", 1.0), ("power", 5.0)])
async def test_a_function_that_a_device_does_not_know_is_done_without(point: str, value: float) -> None:
    """Neither FC5, FC6 nor FC22: the device knows only the plural."""
    device = unit(knows=frozenset({1, 2, 3, 4, 15, 16}))
    async with served(device) as (made, _):
        for written in (value, 1.0, 0.0):
            await made.write(point, written)
            assert await made.read_back(point) == written
        if point == "pump":
            assert device.holding[31] == 0xF0D0, "another bit was changed"


async def test_a_device_that_knows_only_single_writes_gets_only_those() -> None:
    device = unit(knows=frozenset({1, 2, 3, 4, 5, 6}))
    async with served(device, write="single", mask_write=False) as (made, _):
        for point in ("setpoint", "power", "pump", "relay"):
            await made.write(point, 1.0)
            assert await made.read_back(point) == 1.0


@pytest.mark.parametrize(
    ("fault", "reason", "refused"),
    [
        ({"silent": True}, Reason.TIMEOUT, False),
        ({"exception": 4}, Reason.DEVICE_EXCEPTION, True),
        ({"exception": 1}, Reason.DEVICE_EXCEPTION, True),
        ({"garbage": b"%%\x00\x00\x00\x06\x01\x06\x00\x0a\x00\x63"}, Reason.GARBLED, False),  # another value
        ({"garbage": b"%%\x00\x00\x00\x06\x01\x06\x00\x0b\x00\x14"}, Reason.GARBLED, False),  # another register
        ({"garbage": b"nonsense"}, Reason.GARBLED, False),
    ],
)
async def test_a_write_that_the_device_does_not_echo_is_an_error(
    fault: dict[str, Any], reason: Reason, refused: bool
) -> None:
    async with served(unit(**fault)) as (made, _):
        with pytest.raises(WriteError, match=r"battery\.setpoint: ") as caught:
            await made.write("setpoint", 2.0)
        assert (caught.value.reason, caught.value.refused) == (reason, refused)


async def test_what_a_device_echoes_and_forgets_shows_in_the_read_back() -> None:
    async with served(unit(deaf=True)) as (made, _):
        await made.write("setpoint", 2.0)
        assert await made.read_back("setpoint") == 0.0


async def test_a_device_that_is_gone_is_an_error_and_no_read_back() -> None:
    async with served(unit()) as (made, place):
        await place.stop()
        with pytest.raises(WriteError) as caught:
            await made.write("setpoint", 2.0)
        assert caught.value.reason is Reason.CONNECTION_LOST
        assert await made.read_back("setpoint") is Reason.CONNECTION_LOST


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("setpoint", 4000.0),
        ("setpoint", math.nan),
        ("mode", 1.0),
        ("relay", 2.0),
        ("limit", 65535.0),
        ("measured", 1.0),
        ("outside", 1.0),
        ("nothing", 1.0),
    ],
)
async def test_what_cannot_be_written_is_refused_before_anything_is_sent(point: str, value: float) -> None:
    device = unit()
    async with served(device) as (made, _):
        with pytest.raises(ValueError, match=r"cannot|not|none|fit|hold"):
            await made.write(point, value)
        assert device.asked == 0


async def test_modbus_knows_no_giving_up() -> None:
    async with served(unit()) as (made, _):
        with pytest.raises(WriteError, match="giving up"):
            await made.write("setpoint", None)


async def test_a_write_comes_before_the_reads_that_wait() -> None:
    """Eight units are polled at once; the write does not wait for all of them."""
    units = {number: unit(delay=0.02) for number in range(1, 9)}
    async with endpoint(units) as place:
        made = ModbusDriver()
        devices = [
            made.device(
                DeviceSpec(f"d{number}", {"host": "127.0.0.1", "port": place.port, "unit": number}, 5.0, POINTS)
            )
            for number in units
        ]
        reads = [asyncio.create_task(device.read()) for device in devices]
        await asyncio.sleep(0)
        last = devices[-1]
        assert isinstance(last, WritableDevice)
        await last.write("setpoint", 1.0)
        assert sum(read.done() for read in reads) < 4
        await asyncio.gather(*reads)
        await made.close()
