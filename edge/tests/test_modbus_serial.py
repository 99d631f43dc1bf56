"""Modbus RTU on a real pseudo-terminal: a line whose answers have no numbers, and which nobody shares."""

from __future__ import annotations

import asyncio
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from edge_support.devices import Unit, meter
from edge_support.serial_line import crossed_terminals, framed, rtu_over_tcp, serial_line
from ems_contract.points import Reason
from ems_edge.decode import Codec, Type, Value
from ems_edge.driver import Device, DeviceSpec
from ems_edge.drivers.modbus import ModbusDriver
from ems_edge.drivers.modbus_plan import RegisterSource
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

WORD = Codec(Type.UINT16)
TIMEOUT = 0.3


def words(made: ModbusDriver, where: dict[str, Any], *addresses: int, unit: int = 1) -> Device:
    """A pseudo-terminal has no parity."""
    sources = tuple(RegisterSource(f"r{address}", "holding", address, WORD) for address in addresses)
    connection = {"timeout": TIMEOUT, "unit": unit, "parity": "none", **where}
    return made.device(DeviceSpec(f"device_{unit}", connection, 1.0, sources))


def counting(first: int) -> Unit:
    return Unit(holding={address: first + address for address in range(300)})


async def test_units_on_a_serial_line_are_read_in_turns() -> None:
    async with serial_line({1: counting(100), 7: counting(700)}) as line:
        made = ModbusDriver()
        one, seven = (words(made, {"serial": line.path}, 0, 1, 2, unit=unit) for unit in (1, 7))
        for _ in range(3):
            answers = await asyncio.gather(one.read(), seven.read())
            assert answers == [{"r0": 100, "r1": 101, "r2": 102}, {"r0": 700, "r1": 701, "r2": 702}]
        assert len(line.requests) == 6
        await made.close()


async def test_a_serial_line_is_used_by_one_program_only() -> None:
    async with serial_line({1: counting(0)}) as line:
        made, other = ModbusDriver(), ModbusDriver()
        assert await words(made, {"serial": line.path}, 0).read() == {"r0": 0}
        assert await words(other, {"serial": line.path}, 0).read() == {"r0": Reason.CONNECTION_LOST}
        await made.close()


async def test_the_pause_before_a_request_is_kept_and_costs_no_timeout() -> None:
    unit = counting(0)
    async with serial_line({1: unit}) as line:
        made = ModbusDriver()
        device = words(made, {"serial": line.path, "delay": 0.12, "max_gap": 0}, 0, 10, 20, 30, 40)
        assert await device.read() == {f"r{at}": at for at in (0, 10, 20, 30, 40)}
        pauses = [asked - answered for answered, (asked, _) in zip(line.answered, line.requests[1:], strict=False)]
        assert min(pauses) > 0.11
        await made.close()


async def test_frames_are_apart_by_the_silence_that_the_speed_asks_for() -> None:
    async with serial_line({1: counting(0)}) as line:
        made = ModbusDriver()
        await words(made, {"serial": line.path, "baudrate": 1200, "max_gap": 0}, 0, 10, 20).read()
        for answered, (asked, _) in zip(line.answered, line.requests[1:], strict=False):
            assert asked - answered > 3.5 * 11 / 1200 * 0.9
        await made.close()


@pytest.mark.parametrize("noise", [b"\x00", b"\xff\x00\xff", framed(9, b"\x03\x02\x00\x01"), b"\x01"])
async def test_noise_before_an_answer_is_skipped(noise: bytes) -> None:
    async with serial_line({1: counting(5)}) as line:
        made = ModbusDriver()
        line.noise = noise
        assert await words(made, {"serial": line.path}, 0, 1).read() == {"r0": 5, "r1": 6}
        await made.close()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"silent": True}, Reason.TIMEOUT),
        ({"exception": 4}, Reason.DEVICE_EXCEPTION),
        ({"garbage": b"hello"}, Reason.GARBLED),
        ({"garbage": b"\x01\x03\x04\x00\x05\x00\x06\xde\xad"}, Reason.GARBLED),  # a wrong CRC
        ({"garbage": framed(1, b"\x03\x02\x00\x05")}, Reason.GARBLED),  # one register for two
        ({"garbage": framed(2, b"\x03\x04\x00\x05\x00\x06")}, Reason.GARBLED),  # another unit
    ],
)
async def test_a_fault_has_its_reason_and_is_over_with_its_cause(fault: dict[str, Any], reason: Reason) -> None:
    unit = counting(5)
    async with serial_line({1: unit}) as line:
        made = ModbusDriver()
        device = words(made, {"serial": line.path}, 0, 1)
        assert await device.read() == {"r0": 5, "r1": 6}
        for name, value in fault.items():
            setattr(unit, name, value)
        assert set((await device.read()).values()) == {reason}
        for name in fault:
            setattr(unit, name, getattr(Unit(), name))
        assert await device.read() == {"r0": 5, "r1": 6}
        await made.close()


async def test_a_late_answer_is_not_taken_for_another_of_the_same_length() -> None:
    """On a line without numbers, what comes late looks like what is asked next."""
    unit = counting(0)
    async with serial_line({1: unit}) as line:
        made = ModbusDriver()
        device = words(made, {"serial": line.path, "max_gap": 0}, 0, 100, 200)
        good = {"r0": 0, "r100": 100, "r200": 200}
        assert await device.read() == good
        unit.delay = TIMEOUT + 0.05
        assert set((await device.read()).values()) == {Reason.TIMEOUT}
        unit.delay = 0.03
        values: dict[str, Value] = {}
        for _ in range(3):
            values = await device.read()
            assert all(value == good[name] for name, value in values.items() if not isinstance(value, Reason))
        assert values == good
        await made.close()


async def test_a_line_that_is_pulled_out_is_lost_and_comes_back(tmp_path: Path) -> None:
    made = ModbusDriver()
    plugged = tmp_path / "line"  # as /dev/serial/by-id does, it names what is plugged in just now
    device = words(made, {"serial": str(plugged)}, 0)
    for _ in range(2):
        async with serial_line({1: counting(5)}) as line:
            plugged.symlink_to(line.path)
            deadline = time.monotonic() + 5
            while await device.read() != {"r0": 5}:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)
        assert await device.read() == {"r0": Reason.CONNECTION_LOST}
        plugged.unlink()
    await made.close()


async def test_rtu_frames_go_over_tcp_too() -> None:
    async with rtu_over_tcp({1: meter(), 17: counting(5)}) as port:
        made = ModbusDriver()
        where = {"host": "127.0.0.1", "port": port, "framer": "rtu"}
        assert await words(made, where, 0, 1, unit=17).read() == {"r0": 5, "r1": 6}
        await made.close()


async def test_no_request_asks_for_more_than_a_device_gives() -> None:
    unit = counting(0)
    unit.most = 20
    async with serial_line({1: unit}) as line:
        made = ModbusDriver()
        device = words(made, {"serial": line.path, "max_words": 20}, *range(60))
        assert await device.read() == {f"r{at}": at for at in range(60)}
        assert [struct.unpack(">HH", frame[2:6])[1] for _, frame in line.requests] == [20, 20, 20]
        await made.close()


async def test_another_implementation_on_the_line_is_understood() -> None:
    """pymodbus' serial server at the other end."""
    data = SimData(0, values=[11, 22, 33], datatype=DataType.REGISTERS)
    with crossed_terminals() as (ours, theirs):
        server = ModbusSerialServer(SimDevice(4, [data]), port=theirs, baudrate=19200)
        await server.serve_forever(background=True)
        made = ModbusDriver()
        try:
            device = words(made, {"serial": ours, "timeout": 2}, 0, 1, 2, unit=4)
            assert await device.read() == {"r0": 11, "r1": 22, "r2": 33}
        finally:
            await made.close()
            await server.shutdown()


def test_the_lines_settings_must_agree() -> None:
    made = ModbusDriver()
    words(made, {"serial": "/dev/ttyUSB0", "baudrate": 9600}, 0, unit=1)
    with pytest.raises(ValueError, match=r"device_2: /dev/ttyUSB0: baudrate is 19200 here and 9600 in device_1"):
        words(made, {"serial": "/dev/ttyUSB0", "baudrate": 19200}, 0, unit=2)


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"host": "meter", "serial": "/dev/ttyUSB0"},
        {"serial": "ttyUSB0"},
        {"serial": "/dev/ttyUSB0", "unit": 0},
        {"serial": "/dev/ttyUSB0", "parity": "mark"},
        {"serial": "/dev/ttyUSB0", "stop_bits": 3},
        {"host": "meter", "framer": "ascii"},
    ],
)
def test_a_line_that_cannot_be_is_refused(where: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"device_\d+: "):
        words(ModbusDriver(), {"unit": 1, **where}, 0, unit=where.get("unit", 1))
