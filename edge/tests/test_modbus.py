"""The Modbus driver against real sockets: few requests, honest reasons, and no unit that holds up the others."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from edge_support.devices import Endpoint, Unit, endpoint, meter
from edge_support.waiting import free_port, until
from ems_contract.points import Reason
from ems_edge.decode import Codec, Order, Type, Value
from ems_edge.driver import Device, DeviceSpec
from ems_edge.drivers.modbus import ModbusDriver
from ems_edge.drivers.modbus_plan import RegisterSource
from ems_edge.profile import Profiles
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

TIMEOUT = 0.4


@contextlib.asynccontextmanager
async def driver() -> AsyncIterator[ModbusDriver]:
    made = ModbusDriver()
    try:
        yield made
    finally:
        await made.close()


def metered(made: ModbusDriver, port: int, unit: int = 1, interval: float = 1.0, **connection: Any) -> Device:
    where = {"host": "127.0.0.1", "port": port, "unit": unit, "timeout": TIMEOUT, **connection}
    return made.device(Profiles().get("stl_meter").spec(f"meter_{unit}", where, interval))


def pointed(made: ModbusDriver, port: int, *points: RegisterSource, **connection: Any) -> Device:
    where = {"host": "127.0.0.1", "port": port, "timeout": TIMEOUT, **connection}
    return made.device(DeviceSpec("device", where, 1.0, points))


def reasons(values: dict[str, Value]) -> set[Reason]:
    return {value for value in values.values() if isinstance(value, Reason)}


async def test_a_device_is_read_with_one_request() -> None:
    async with endpoint({1: meter(1234.5)}) as served, driver() as made:
        values = await metered(made, served.port).read()
        assert values["active_power"] == 1234.5
        assert values["energy_import"] == 1_000_000
        assert values["reads"] == 1
        assert [(one.function, one.address, one.count) for one in served.answered] == [(3, 0, 30)]


async def test_units_behind_one_address_share_one_connection() -> None:
    units = {number: meter(number * 100.0) for number in range(1, 9)}
    async with endpoint(units) as served, driver() as made:
        devices = [metered(made, served.port, number) for number in units]
        for _ in range(3):
            answers = await asyncio.gather(*(device.read() for device in devices))
            assert [values["active_power"] for values in answers] == [number * 100.0 for number in units]
        assert served.connections == 1
        assert len(served.answered) == 24


async def test_every_table_is_read_with_its_own_function() -> None:
    unit = Unit(coil={0: 1, 1: 0, 2: 1}, discrete={5: 1})
    unit.put(0, "h", -215, table="input")
    unit.put(100, "i", -70_000, little=True)
    word = Codec(Type.INT16, scale=0.1)
    async with endpoint({1: unit}) as served, driver() as made:
        device = pointed(
            made,
            served.port,
            RegisterSource("outside", "input", 0, word),
            RegisterSource("power", "holding", 100, Codec(Type.INT32, word_order=Order.LITTLE)),
            *(RegisterSource(f"coil_{number}", "coil", number, Codec(Type.BIT)) for number in range(3)),
            RegisterSource("door", "discrete", 5, Codec(Type.BIT)),
        )
        assert await device.read() == {
            "outside": -21.5,
            "power": -70_000.0,
            "coil_0": 1.0,
            "coil_1": 0.0,
            "coil_2": 1.0,
            "door": 1.0,
        }
        assert sorted(one.function for one in served.answered) == [1, 2, 3, 4]


async def test_an_exception_costs_only_the_points_of_its_request() -> None:
    unit = Unit(holding={0: 7})
    async with endpoint({1: unit}) as served, driver() as made:
        device = pointed(
            made,
            served.port,
            RegisterSource("here", "holding", 0, Codec(Type.UINT16)),
            RegisterSource("gone", "input", 0, Codec(Type.UINT16)),
        )
        assert await device.read() == {"here": 7.0, "gone": Reason.DEVICE_EXCEPTION}


async def test_a_device_that_refuses_unused_registers_is_read_around_them_at_once() -> None:
    unit = Unit(holding={0: 1, 3: 2, 4: 3, 9: 4})
    async with endpoint({1: unit}) as served, driver() as made:
        sources = (RegisterSource(f"r{at}", "holding", at, Codec(Type.UINT16)) for at in (0, 3, 4, 9))
        device = pointed(made, served.port, *sources)
        for asked in (5, 8):  # two refusals that are learned from, and three requests from then on
            assert await device.read() == {"r0": 1.0, "r3": 2.0, "r4": 3.0, "r9": 4.0}
            assert unit.asked == asked


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"silent": True}, Reason.TIMEOUT),
        ({"exception": 4}, Reason.DEVICE_EXCEPTION),
        ({"garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, Reason.GARBLED),
        ({"garbage": b"%%\x00\x00\x00\x05\x01\x03\x02\x00\x01"}, Reason.GARBLED),  # one register for thirty
        ({"garbage": b"%%\x00\x00\x00\x05\x09\x03\x02\x00\x01"}, Reason.GARBLED),  # another unit
        ({"garbage": b"%%\x00\x00\x00\x05\x01\x04\x02\x00\x01"}, Reason.GARBLED),  # another function
        ({"garbage": b"%%\x00\x07\x00\x05\x01\x03\x02\x00\x01"}, Reason.GARBLED),  # another protocol
        ({"garbage": b"%%\x00\x00\x00\x3f\x01\x03\x10" + bytes(60)}, Reason.GARBLED),  # a count that does not fit
        ({"garbage": b"%%\x00\x00\x00\x02\x01\x83"}, Reason.GARBLED),  # half an exception
        ({"garbage": b"\xff" * 300}, Reason.GARBLED),
    ],
)
async def test_a_fault_has_its_reason_and_ends_within_a_cycle(fault: dict[str, Any], reason: Reason) -> None:
    """Values are null with a reason while it lasts; two cycles after it they are good again."""
    unit = meter()
    async with endpoint({1: unit}) as served, driver() as made:
        device = metered(made, served.port)
        assert not reasons(await device.read())
        for name, value in fault.items():
            setattr(unit, name, value)
        for _ in range(2):
            started = time.monotonic()
            values = await device.read()
            assert set(values.values()) == {reason}
            assert time.monotonic() - started < TIMEOUT + 0.3
        for name in fault:
            setattr(unit, name, getattr(Unit(), name))
        assert not reasons(await device.read()) or not reasons(await device.read())


async def test_a_cut_connection_is_noticed_at_once_and_made_again() -> None:
    async with endpoint({1: meter()}) as served, driver() as made:
        device = metered(made, served.port)
        await device.read()
        served.units[1].delay = 5.0
        read = asyncio.create_task(device.read())
        await until(lambda: served.units[1].asked == 2, "the second request")
        started = time.monotonic()
        served.close_all()
        assert set((await read).values()) == {Reason.CONNECTION_LOST}
        assert time.monotonic() - started < TIMEOUT / 2
        served.units[1].delay = 0.0
        assert not reasons(await device.read())
        assert served.connections == 2


async def test_while_nobody_listens_it_tries_again_with_backoff() -> None:
    async with endpoint({1: meter()}) as served, driver() as made:
        device = metered(made, served.port)
        await device.read()
        await served.stop()
        started = time.monotonic()
        for _ in range(50):
            assert set((await device.read()).values()) == {Reason.CONNECTION_LOST}
        assert time.monotonic() - started < 1.0
        await served.start()
        deadline = time.monotonic() + 5
        while reasons(await device.read()):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)


async def test_a_late_answer_is_not_taken_for_the_next_one(caplog: pytest.LogCaptureFixture) -> None:
    unit = meter(1.0)
    async with endpoint({1: unit, 2: meter(2.0)}) as served, driver() as made:
        slow, other = metered(made, served.port, 1), metered(made, served.port, 2)
        unit.delay = TIMEOUT + 0.1
        assert set((await slow.read()).values()) == {Reason.TIMEOUT}
        for _ in range(20):
            assert (await other.read())["active_power"] == 2.0
            await asyncio.sleep(0.01)
        unit.delay = 0.0
        assert (await slow.read())["active_power"] == 1.0
    assert not [record for record in caplog.records if record.name.startswith("pymodbus")]


async def test_a_silent_unit_goes_last_and_costs_the_others_nothing() -> None:
    units = {number: meter() for number in range(1, 6)}
    async with endpoint(units) as served, driver() as made:
        devices = {number: metered(made, served.port, number, interval=5.0) for number in units}
        units[1].silent = True
        await asyncio.gather(*(device.read() for device in devices.values()))
        started = time.monotonic()
        took: dict[int, float] = {}

        async def timed(number: int) -> None:
            await devices[number].read()
            took[number] = time.monotonic() - started

        # The silent one is asked first and would hold the line for its whole timeout.
        await asyncio.gather(*(timed(number) for number in devices))
        assert max(took[number] for number in (2, 3, 4, 5)) < 0.2
        assert took[1] >= TIMEOUT


async def test_the_first_time_a_unit_hangs_it_costs_the_others_a_moment() -> None:
    units = {number: meter() for number in range(1, 6)}
    async with endpoint(units) as served, driver() as made:
        devices = [metered(made, served.port, number, timeout=3.0) for number in units]
        await asyncio.gather(*(device.read() for device in devices))
        units[1].silent = True
        hanging = asyncio.create_task(devices[0].read())  # it is the first in line
        started = time.monotonic()
        answers = await asyncio.gather(*(device.read() for device in devices[1:]))
        assert time.monotonic() - started < 0.5
        assert not any(map(reasons, answers))
        hanging.cancel()


async def test_an_answer_that_takes_longer_than_its_turn_is_still_used() -> None:
    units = {1: meter(1.0), 2: meter(2.0)}
    async with endpoint(units) as served, driver() as made:
        slow, other = (metered(made, served.port, number, timeout=3.0) for number in units)
        await asyncio.gather(slow.read(), other.read())
        units[1].delay = 0.6
        reading = asyncio.create_task(slow.read())
        await until(lambda: units[1].asked == 2, "the request")
        for _ in range(5):
            assert (await other.read())["active_power"] == 2.0
        assert not reading.done()
        assert (await reading)["active_power"] == 1.0
        assert units[1].asked == 2, "it was asked again"


async def test_a_read_that_is_cancelled_leaves_the_line_free() -> None:
    units = {1: meter(), 2: meter()}
    async with endpoint(units) as served, driver() as made:
        first, second = metered(made, served.port, 1), metered(made, served.port, 2)
        units[1].silent = True
        reading = asyncio.create_task(first.read())
        waiting = asyncio.create_task(second.read())
        await until(lambda: units[1].asked == 1, "the request")
        reading.cancel()
        assert not reasons(await waiting)


async def test_an_address_that_swallows_everything_is_a_lost_connection() -> None:
    """A listener whose backlog is full answers no connect."""
    async with driver() as made:
        device = metered(made, free_port(), host="192.0.2.1")
        started = time.monotonic()
        assert set((await device.read()).values()) == {Reason.CONNECTION_LOST}
        assert time.monotonic() - started < TIMEOUT + 0.3


@pytest.mark.parametrize("connection", [{"port": 0}, {"unit": 300}, {"timeout": -1}, {"max_gap": 1000}])
def test_a_connection_that_cannot_be_is_refused(connection: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"meter_\d+: "):
        metered(ModbusDriver(), **{"port": 502, **connection})


async def test_it_understands_another_implementation() -> None:
    """pymodbus' own server, with a unit of holding registers."""
    port = free_port()
    words = SimData(0, values=[11, 22, 33], datatype=DataType.REGISTERS)
    server = ModbusTcpServer([SimDevice(1, [words])], address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        async with driver() as made:
            device = pointed(made, port, *(RegisterSource(f"p{n}", "holding", n, Codec(Type.UINT16)) for n in range(3)))
            assert await device.read() == {"p0": 11.0, "p1": 22.0, "p2": 33.0}
    finally:
        await server.shutdown()


def test_the_endpoint_counts_as_devices_do() -> None:
    """The counter steps only with reads that cover both of its words."""
    served = Endpoint({1: meter()})
    unit = served.units[1]
    served._pdu(1, unit, 3, 0, 29)
    served._pdu(1, unit, 3, 0, 30)
    assert [one.counter for one in served.answered] == [None, 1]
