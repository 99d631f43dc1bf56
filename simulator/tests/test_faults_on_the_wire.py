"""Each fault as a client sees it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from ems_simulator.faults import FaultKind, FaultRequest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from .bench import Bench, running, until


async def meter(client: AsyncModbusTcpClient, unit: int = 1) -> list[int]:
    """The first 16 registers of a device. Raises ModbusException when there is no valid answer."""
    answer = await client.read_holding_registers(0, count=16, device_id=unit)
    if answer.isError():
        raise ModbusException(f"exception {answer.exception_code}")
    return list(answer.registers)


async def test_a_cut_site_drops_its_clients_refuses_new_ones_and_comes_back(bench: Bench) -> None:
    port = bench.runtime.modbus.port
    async with bench.client() as client:
        await meter(client)
        bench.runtime.inject(FaultRequest(FaultKind.LINK_CUT))
        await until(lambda: not client.connected)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    assert bench.runtime.not_ready is None
    assert bench.runtime.clear_faults() == 1
    await until(lambda: bench.runtime.modbus.listening)
    async with bench.client() as client:
        await meter(client)


async def test_a_cut_with_a_duration_ends_by_itself(bench: Bench) -> None:
    bench.runtime.inject(FaultRequest(FaultKind.LINK_CUT, seconds=0.2))
    assert not bench.runtime.modbus.listening
    await until(lambda: bench.runtime.modbus.listening)
    async with bench.client() as client:
        await meter(client)


async def test_cutting_and_clearing_in_one_breath_leaves_the_last_word(bench: Bench) -> None:
    for _ in range(5):
        bench.runtime.inject(FaultRequest(FaultKind.LINK_CUT))
        bench.runtime.clear_faults()
    bench.runtime.inject(FaultRequest(FaultKind.LINK_CUT))
    await until(lambda: not bench.runtime._tasks)
    assert not bench.runtime.modbus.listening
    bench.runtime.clear_faults()
    await until(lambda: bench.runtime.modbus.listening)


async def test_a_cut_device_is_silent_and_the_others_answer(bench: Bench) -> None:
    bench.runtime.inject(FaultRequest(FaultKind.LINK_CUT, "pv_inverter"))
    async with bench.client(patience=0.2) as client:
        with pytest.raises(ModbusException):
            await client.read_holding_registers(0, count=13, device_id=2)
        await meter(client)
    assert [entry.device for entry in bench.ledger()] == ["grid_meter"]


async def test_a_counter_reset_starts_the_energy_counters_at_zero_and_spares_reads(tmp_path: Path) -> None:
    async with running(tmp_path, speed=600) as bench, bench.client() as client:

        async def counters() -> tuple[int, int]:
            words = (await client.read_holding_registers(0, count=30, device_id=4)).registers
            return words[23] + (words[22] << 16), words[29]

        before, reads = await counters()
        assert before > 100_000
        bench.runtime.inject(FaultRequest(FaultKind.COUNTER_RESET, "load_meter"))
        after, more_reads = await counters()
        assert after < before / 10
        assert more_reads == reads + 1
        deadline = time.monotonic() + 5
        while (await counters())[0] <= after:
            assert time.monotonic() < deadline
        assert bench.runtime.devices["grid_meter"].value("energy_import") > 50_000


async def test_a_stuck_device_repeats_its_values_and_still_counts(tmp_path: Path) -> None:
    async with running(tmp_path, speed=600) as bench, bench.client() as client:
        bench.runtime.inject(FaultRequest(FaultKind.STUCK, "grid_meter"))
        stuck = await client.read_holding_registers(0, count=30, device_id=1)
        load = await meter(client, 4)
        deadline = time.monotonic() + 5
        while await meter(client, 4) == load:
            assert time.monotonic() < deadline
        later = await client.read_holding_registers(0, count=30, device_id=1)
        assert later.registers[:28] == stuck.registers[:28]
        assert later.registers[29] == stuck.registers[29] + 1
        bench.runtime.clear_faults()
        assert (await client.read_holding_registers(0, count=28, device_id=1)).registers != stuck.registers[:28]


async def test_garbage_is_never_a_valid_answer_and_never_in_the_ledger(bench: Bench) -> None:
    bench.runtime.inject(FaultRequest(FaultKind.GARBAGE, "grid_meter"))
    for _ in range(12):
        reader, writer = await asyncio.open_connection("127.0.0.1", bench.runtime.modbus.port)
        request = b"\0\x09\0\0\0\6\1\3\0\0\0\x10"
        writer.write(request)
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 3)
        writer.close()
        assert answer
        header_fits = answer[:8] == b"\0\x09\0\0" + (len(answer) - 6).to_bytes(2) + b"\1\3"
        assert not (header_fits and answer[8] == len(answer) - 9 == 32)
    assert bench.ledger() == []
    async with bench.client() as client:
        await meter(client, 4)


async def test_garbage_words_are_a_valid_answer_and_the_ledger_knows_them(bench: Bench) -> None:
    truth = bench.runtime.devices["grid_meter"].read(3, 0, 30)
    bench.runtime.inject(FaultRequest(FaultKind.GARBAGE, "grid_meter", style="words"))
    async with bench.client() as client:
        answer = await client.read_holding_registers(0, count=30, device_id=1)
    assert answer.registers != truth
    (entry,) = bench.ledger()
    assert entry.words == answer.registers
    assert entry.reads is None
    assert bench.runtime.devices["grid_meter"].reads == 0


async def test_a_slow_device_does_not_hold_up_the_others_on_its_connection(bench: Bench) -> None:
    bench.runtime.inject(FaultRequest(FaultKind.SLOW_ANSWER, "hvac", delay=0.3))
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.runtime.modbus.port)
    began = time.monotonic()
    writer.write(b"\0\1\0\0\0\6\5\4\0\0\0\1" + b"\0\2\0\0\0\6\1\3\0\0\0\1")
    assert (await reader.readexactly(11))[:2] == b"\0\2"
    quick = time.monotonic() - began
    assert (await reader.readexactly(11))[:2] == b"\0\1"
    assert quick < 0.2
    assert time.monotonic() - began >= 0.3
    writer.close()


async def test_a_slow_answer_to_a_client_that_left_is_no_answer(bench: Bench) -> None:
    bench.runtime.inject(FaultRequest(FaultKind.SLOW_ANSWER, delay=0.1))
    async with bench.client(patience=0.03) as client:
        with pytest.raises(ModbusException):
            await meter(client)
    async with bench.client() as client:
        await meter(client, 4)  # asked later, answered later
    assert [entry.device for entry in bench.ledger()] == ["load_meter"]


async def test_an_exception_carries_its_code(bench: Bench) -> None:
    bench.runtime.inject(FaultRequest(FaultKind.EXCEPTION, "battery", code=6))
    async with bench.client() as client:
        assert (await client.read_holding_registers(0, count=20, device_id=3)).exception_code == 6
        assert (await client.write_registers(18, [0, 0], device_id=3)).exception_code == 6
        await meter(client)
    assert [entry.unit for entry in bench.ledger()] == [1]
