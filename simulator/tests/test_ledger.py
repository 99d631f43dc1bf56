"""The ledger is what a client saw, no more and no less."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import msgspec
import pytest
from ems_simulator.clock import wall_ms
from ems_simulator.ledger import FLUSH_SECONDS, Entry, Ledger

from .bench import Bench, running, until


async def test_the_ledger_equals_what_the_clients_saw(bench: Bench) -> None:
    seen: list[tuple[int, int, int, int, list[int]]] = []

    async def work(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 (a reproducible choice)
        async with bench.client() as client:
            for _ in range(60):
                unit, size = chance.choice([(1, 30), (2, 13), (3, 20), (4, 30)])
                address = chance.randrange(size)
                count = chance.randint(1, size - address)
                answer = await client.read_holding_registers(address, count=count, device_id=unit)
                seen.append((unit, 3, address, count, list(answer.registers)))
                await client.read_holding_registers(size, count=1, device_id=unit)  # refused: not an answer

    began = wall_ms()
    await asyncio.gather(*(work(seed) for seed in range(4)))
    entries = bench.ledger()
    assert sorted((e.unit, e.function, e.address, e.count, e.words) for e in entries) == sorted(seen)
    for unit, device in bench.runtime.devices.items():
        counted = [entry.reads for entry in entries if entry.device == unit and entry.reads is not None]
        assert counted == list(range(1, device.reads + 1))
    assert all(int(began) <= entry.t <= wall_ms() for entry in entries)
    assert [entry.t for entry in entries] == sorted(entry.t for entry in entries)


async def test_a_line_is_in_the_file_within_a_tenth_of_a_second(bench: Bench) -> None:
    async with bench.client() as client:
        await client.read_input_registers(0, count=14, device_id=5)
    assert FLUSH_SECONDS <= 0.1
    await until(lambda: bench.ledger_file.stat().st_size > 0, seconds=1)
    line = msgspec.json.decode(bench.ledger_file.read_bytes())
    assert list(line) == ["t", "device", "unit", "function", "address", "count", "words", "reads"]
    assert (line["device"], line["unit"], line["function"], line["reads"]) == ("hvac", 5, 4, 1)


async def test_a_restarted_simulator_goes_on_counting_and_appends(tmp_path: Path) -> None:
    for start in (0, 3):
        async with running(tmp_path) as bench, bench.client() as client:
            for expected in range(start + 1, start + 4):
                assert (await client.read_holding_registers(28, count=2, device_id=1)).registers == [0, expected]
    lines = (tmp_path / "factory.ndjson").read_bytes().splitlines()
    assert [msgspec.json.decode(line)["reads"] for line in lines] == [1, 2, 3, 4, 5, 6]


async def test_a_line_that_a_crash_cut_is_removed(tmp_path: Path) -> None:
    file = tmp_path / "site.ndjson"
    entry = Entry(t=1, device="hvac", unit=5, function=4, address=0, count=1, words=[1], reads=9)
    file.write_bytes(msgspec.json.encode(entry) + b'\n{"t":2,"dev')
    ledger = Ledger(file)
    assert ledger.counters == {"hvac": 9}
    ledger.append(entry)
    ledger.close()
    assert len([msgspec.json.decode(line, type=Entry) for line in file.read_bytes().splitlines()]) == 2


@pytest.fixture
def full_disk() -> Iterator[FileIO]:
    with FileIO("/dev/full", "r+") as device:
        yield device


async def test_a_ledger_that_cannot_be_written_says_so_and_loses_nothing(full_disk: FileIO) -> None:
    entry = Entry(t=1, device="hvac", unit=5, function=4, address=0, count=1, words=[1], reads=1)
    ledger = Ledger(None)
    ledger._file = full_disk
    ledger.append(entry)
    ledger.flush()
    assert ledger.error is not None
    assert len(ledger._pending) > 0
    ledger._file = None
    ledger.close()
