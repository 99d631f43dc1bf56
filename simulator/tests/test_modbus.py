"""The devices on a real socket, read and written by pymodbus' own client."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from pathlib import Path

import pytest
from ems_simulator.history import readings
from ems_simulator.live import LiveSite
from ems_simulator.registers import READS, register_map
from ems_simulator.sites import DEMO_SITES, site
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU

from .bench import NOON, SEED, Bench, running, unpack, until


async def read(client: AsyncModbusTcpClient, function: int, unit: int, address: int, count: int) -> ModbusPDU:
    ask = client.read_holding_registers if function == 3 else client.read_input_registers
    return await ask(address, count=count, device_id=unit)


@pytest.mark.parametrize("key", DEMO_SITES)
async def test_every_point_of_every_device_decodes_to_the_truth(tmp_path: Path, key: str) -> None:
    truth = LiveSite(site(key), NOON, SEED, installed=NOON // 60_000 - 180)
    async with running(tmp_path, key) as bench, bench.client() as client:
        for device in site(key).devices:
            if device.protocol != "modbus":
                continue
            found = register_map(device.profile)
            for bank in found.banks:
                for function in bank.functions:
                    answer = await read(client, function, device.unit, 0, bank.size)
                    for point in bank.points:
                        value = unpack(client, point, list(answer.registers), found.word_order)
                        if point.name == READS:
                            assert value == bank.functions.index(function) + 1
                        else:
                            expected = truth.value(f"{device.key}.{point.name}")
                            close = abs(expected) * 1e-6 if point.type == "float32" else point.scale / 2 + 1e-9
                            assert value == pytest.approx(expected, abs=close), (device.key, point.name)


async def test_a_running_site_says_what_history_would_have_said(tmp_path: Path) -> None:
    """The default anchor, the running clock, a real client."""
    from ems_simulator.clock import SimulationClock
    from ems_simulator.ledger import Ledger
    from ems_simulator.modbus import ModbusServer, listen
    from ems_simulator.runtime import SiteRuntime

    clock = SimulationClock()
    began = clock.now_ms()
    runtime = SiteRuntime(
        LiveSite(site("office"), began, 3), clock, ModbusServer("127.0.0.1", listen("127.0.0.1", 0), 3), Ledger(None)
    )
    await runtime.start()
    bench = Bench(runtime, tmp_path / "none")
    try:
        async with bench.client() as client:
            before = clock.now_ms()
            answer = await read(client, 3, 4, 0, 30)
            after = clock.now_ms()
    finally:
        runtime.close()
    points = register_map("stl_meter").points
    possible = [
        values for _, values in readings("office", before // 1000 * 1000, after // 1000 * 1000 + 1, 1000, seed=3)
    ]
    shown = {name: unpack(client, points[name], list(answer.registers), "big") for name in points if name != READS}
    assert shown in [{name: values[f"load_meter.{name}"] for name in shown} for values in possible]


async def test_reads_counts_only_answers_that_cover_it_and_carries_its_own_number(bench: Bench) -> None:
    async with bench.client() as client:
        for expected in (1, 2, 3):
            answer = await read(client, 3, 2, 10, 2)
            assert answer.registers == [0, expected]
        await read(client, 3, 2, 0, 10)
        assert (await read(client, 3, 2, 11, 1)).registers == [3]  # half of it does not count
        assert (await read(client, 3, 2, 0, 13)).registers[10:12] == [0, 4]
        assert (await read(client, 3, 3, 16, 2)).registers == [1, 0]  # each device its own; little word order


async def test_the_clock_moves_the_values(tmp_path: Path) -> None:
    async with running(tmp_path, "factory", speed=3600) as bench, bench.client() as client:
        first = (await read(client, 3, 4, 20, 4)).registers
        second = first
        deadline = time.monotonic() + 5
        while second == first:
            assert time.monotonic() < deadline
            second = (await read(client, 3, 4, 20, 4)).registers
        assert struct.unpack(">Q", struct.pack(">4H", *second)) > struct.unpack(">Q", struct.pack(">4H", *first))


async def test_a_written_battery_setpoint_is_held(tmp_path: Path) -> None:
    async with running(tmp_path, "factory", speed=60) as bench, bench.client() as client:
        words = client.convert_to_registers(-25_000, client.DATATYPE.INT32, word_order="little")
        written = await client.write_registers(18, words, device_id=3)
        assert not written.isError()
        assert (await read(client, 3, 3, 18, 2)).registers == words

        async def power() -> object:
            registers = list((await read(client, 3, 3, 0, 2)).registers)
            return client.convert_from_registers(registers, client.DATATYPE.INT32, word_order="little")

        deadline = time.monotonic() + 5
        while await power() != -25_000:
            assert time.monotonic() < deadline
        assert (await read(client, 3, 3, 7, 1)).registers == [2]


async def test_a_written_temperature_setpoint_is_held_with_either_function(bench: Bench) -> None:
    async with bench.client() as client:
        assert not (await client.write_register(0, 225, device_id=5)).isError()
        assert (await read(client, 3, 5, 0, 1)).registers == [225]
        assert not (await client.write_registers(0, [180], device_id=5)).isError()
        assert (await read(client, 3, 5, 0, 1)).registers == [180]


@pytest.mark.parametrize(
    ("unit", "address", "words", "code"),
    [
        (5, 0, [999], 3),  # beyond the highest temperature
        (3, 18, [0xFFFF, 0x7FFF], 3),  # beyond the battery's power
        (3, 18, [1], 2),  # half of a point
        (3, 17, [0, 1, 0], 2),  # a point and its neighbour
        (3, 0, [1, 0], 2),  # not writable
        (1, 12, [0, 0], 2),  # a meter has nothing to write
        (5, 5, [1], 2),
        (9, 0, [1], 11),  # no such unit
    ],
)
async def test_a_write_that_is_not_possible_is_refused(
    bench: Bench, unit: int, address: int, words: list[int], code: int
) -> None:
    async with bench.client() as client:
        answer = await client.write_registers(address, words, device_id=unit)
        assert answer.exception_code == code
        if len(words) == 1:
            assert (await client.write_register(address, words[0], device_id=unit)).exception_code == code


@pytest.mark.parametrize(
    ("function", "unit", "address", "count", "code"),
    [
        (3, 1, 29, 2, 2),  # over the end
        (3, 1, 1000, 1, 2),
        (4, 2, 0, 1, 2),  # the inverter has no input registers
        (3, 5, 0, 2, 2),  # the hvac has one holding register
        (3, 6, 0, 1, 11),  # no such unit
    ],
)
async def test_a_read_that_is_not_possible_is_refused(
    bench: Bench, function: int, unit: int, address: int, count: int, code: int
) -> None:
    async with bench.client() as client:
        assert (await read(client, function, unit, address, count)).exception_code == code
    assert bench.ledger() == []


async def raw_exchange(bench: Bench, request: bytes, parts: int = 1) -> bytes:
    """Send bytes, in `parts` pieces, and return what comes back until the server closes or is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.runtime.modbus.port)
    try:
        size = -(-len(request) // parts)
        for start in range(0, len(request), size):
            writer.write(request[start : start + size])
            await writer.drain()
            await asyncio.sleep(0)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 3)
    finally:
        writer.close()


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


async def test_requests_in_one_segment_or_in_pieces_are_all_answered_in_order(bench: Bench) -> None:
    requests = b"".join(frame(n, 2, struct.pack(">BHH", 3, 10, 2)) for n in range(1, 6))
    expected = b"".join(frame(n, 2, struct.pack(">BBHH", 3, 4, 0, n)) for n in range(1, 6))
    assert await raw_exchange(bench, requests) == expected
    bench.runtime.devices["pv_inverter"].reads = 0
    assert await raw_exchange(bench, requests, parts=17) == expected


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        (b"\x01\x00\x00\x00\x01", 1),  # coils: not a function of these devices
        (b"\x2b\x0e\x01\x00", 1),
        (b"\x03\x00\x00\x00\x7e", 3),  # 126 registers are more than a frame holds
        (b"\x03\x00\x00\x00\x00", 3),
        (b"\x03\x00", 3),
        (b"\x10\x00\x12\x00\x02\x04\x00", 3),  # fewer words than announced
    ],
)
async def test_a_request_that_makes_no_sense_gets_an_exception(bench: Bench, pdu: bytes, code: int) -> None:
    assert await raw_exchange(bench, frame(7, 3, pdu)) == frame(7, 3, bytes([pdu[0] | 0x80, code]))


@pytest.mark.parametrize(
    "junk", [b"GET / HTTP/1.1\r\n\r\n", b"\0\1\xde\xad\0\6\1\3\0\0\0\1", b"\0\1\0\0\0\0\1\3", b"\0\1\0\0\xff\xff\1\3"]
)
async def test_what_is_not_modbus_tcp_ends_the_connection_and_nothing_else(bench: Bench, junk: bytes) -> None:
    async with bench.client() as client:
        with contextlib.suppress(ConnectionResetError):
            assert await raw_exchange(bench, junk) == b""
        assert not (await read(client, 3, 1, 0, 30)).isError()


async def test_many_clients_at_once_get_hundreds_of_answers_a_second(bench: Bench) -> None:
    async def work() -> None:
        async with bench.client() as client:
            for _ in range(100):
                assert not (await read(client, 3, 1, 0, 30)).isError()

    began = time.monotonic()
    await asyncio.gather(*(work() for _ in range(8)))
    rate = 800 / (time.monotonic() - began)
    assert rate > 8 * 50
    assert [entry.reads for entry in bench.ledger()] == list(range(1, 801))


async def test_a_client_that_does_not_read_is_not_heard_until_it_does(bench: Bench) -> None:
    """Its answers do not pile up without bound, and the others do not notice."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.runtime.modbus.port, limit=1024)
    request = frame(1, 1, struct.pack(">BHH", 3, 0, 30))

    async def push() -> None:
        """Until nothing goes any more, or far more went than the sockets' buffers hold."""
        for _ in range(4_000):
            writer.write(request * 500)
            await asyncio.wait_for(writer.drain(), 0.5)

    try:
        with pytest.raises(TimeoutError):
            await push()
        async with bench.client() as client:
            assert not (await read(client, 3, 1, 0, 30)).isError()
        await asyncio.wait_for(reader.readexactly(69 * 5000), 5)
    finally:
        writer.transport.abort()


async def test_a_closed_server_is_gone(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        port = bench.runtime.modbus.port
        async with bench.client() as client:
            bench.runtime.close()
            await until(lambda: not client.connected)
            with pytest.raises(OSError, match="Connect call failed"):
                await asyncio.open_connection("127.0.0.1", port)
