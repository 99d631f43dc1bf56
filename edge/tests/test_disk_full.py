"""A full disk: the oldest make room where that is possible, each loss is told, and everything else goes on."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import yaml
from edge_support.devices import Endpoint, Unit, endpoint, meter
from edge_support.edge_process import EdgeProcess, standalone
from edge_support.historian import Historian
from edge_support.redis_process import RedisProcess
from edge_support.small_disk import fill, on_small_disk, seen_by, why_not
from edge_support.waiting import until
from ems_contract.telemetry import GAP_BUFFER_FULL, Gap
from ems_edge.buffer import Name, NewBatch
from ems_edge.buffer_sqlite import SqliteBuffer

BOOT = str(uuid.uuid4())
small_disk = pytest.mark.skipif(why_not() != "", reason=f"no small disk can be mounted: {why_not()}")


def batch(seq: int, *gaps: Gap) -> NewBatch:
    return NewBatch(Name(BOOT, seq), b"x" * 3_000, seq * 1000, seq * 1000 + 5, gaps)


async def test_a_file_that_must_not_grow_takes_the_newest_in_place_of_the_oldest(tmp_path: Path) -> None:
    never = 2**50  # bytes of reserve that no disk has: the file stays as it is
    buffer = SqliteBuffer(tmp_path / "edge.db", 50_000_000, reserve=never)
    await buffer.open()
    await buffer._in_thread(lambda: buffer._connection().execute("PRAGMA max_page_count = 200").fetchall())
    for seq in range(1, 400):
        await buffer.append(batch(seq, *buffer.gaps()))
        buffer.give_back([Name(BOOT, seq)])
    backlog = await buffer.backlog()
    assert 100 < backlog.batches < 300
    assert backlog.dropped == 399 - backlog.batches
    assert max(lent.name.seq for lent in await buffer.begin(10**9, 10**6)) == 399
    await buffer.close()


FILLING = """
import asyncio, json, os, sys
from pathlib import Path
from ems_edge.buffer import Name, NewBatch
from ems_edge.buffer_sqlite import SqliteBuffer

async def main():
    folder, boot, told = Path(sys.argv[1]), sys.argv[2], []
    buffer = SqliteBuffer(folder / "edge.db", 10**9, reserve=800_000)
    await buffer.open()
    for seq in range(1, 1501):
        gaps = buffer.gaps()
        await buffer.append(NewBatch(Name(boot, seq), b"x" * 3000, seq * 1000, seq * 1000 + 5, tuple(gaps)))
        told += [[gap.seq_from, gap.seq_to] for gap in gaps]
        buffer.give_back([Name(boot, seq)])
    dropped = (await buffer.backlog()).dropped
    kept = sorted(lent.name.seq for lent in await buffer.begin(10**9, 10**6))
    told += [[gap.seq_from, gap.seq_to] for gap in buffer.gaps()]
    print(json.dumps({"kept": kept, "told": told, "dropped": dropped}))
    await buffer.close()

import structlog
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
asyncio.run(main())
"""


@small_disk
def test_on_a_full_disk_the_oldest_make_room_and_each_is_counted_and_told(tmp_path: Path) -> None:
    command = [*on_small_disk("4m", tmp_path), sys.executable, "-c", FILLING, str(tmp_path), BOOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["kept"] == list(range(said["kept"][0], 1501))
    assert len(said["kept"]) > 200
    told = {seq for first, last in said["told"] for seq in range(first, last + 1)}
    assert told == set(range(1, said["kept"][0]))
    assert said["dropped"] == len(told)
    assert done.stderr.count("the disk takes no more") == 1


def _fan() -> Unit:
    unit = Unit()
    unit.put(0, "H", 0)
    return unit


FAN = """
profile: fan
name: Fan
driver: modbus
function: holding
word_order: big
points:
  - {key: speed, name: Speed, unit: "%", address: 0, type: uint16, minimum: 0, maximum: 100, default: 0, writable: true}
"""
COOLING = {
    "kind": "hysteresis",
    "key": "cooling",
    "name": "Cooling",
    "point": "fan.speed",
    "input": "grid_meter.active_power",
    "on_at": 50_000,
    "off_at": 40_000,
    "on_value": 80,
    "off_value": 10,
}


def _with_rule(file: Path, devices: Endpoint) -> None:
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    connection = {"host": "127.0.0.1", "port": devices.port, "unit": 5}
    fan = {"key": "fan", "name": "Fan", "driver": "modbus", "profile": "fan", "connection": connection}
    data["config"]["devices"].append(fan)
    data["config"]["rules"] = [COOLING]
    data["profiles"] = "profiles"
    (file.parent / "profiles").mkdir()
    (file.parent / "profiles" / "fan.yaml").write_text(FAN, encoding="utf-8")
    file.write_text(yaml.safe_dump(data), encoding="utf-8")


@small_disk
async def test_with_a_full_disk_polls_and_control_go_on_and_what_is_lost_is_a_gap(
    tmp_path: Path, redis_server: RedisProcess
) -> None:
    """Somebody else takes every byte, the reserve included, as soon as it is free."""
    store, grid, fan = tmp_path / "store", meter(10_000.0), _fan()
    store.mkdir()
    historian = Historian(redis_server.admin)
    async with endpoint({1: grid, 5: fan}) as devices:
        file = standalone(tmp_path, redis_server.edge_user(), devices.port, 0.1, {"grid_meter": 1})
        _with_rule(file, devices)
        edge = EdgeProcess(file, on_small_disk("12m", store))
        await edge.start()
        try:
            await until(lambda: len(historian.ingest().batches) > 3, "some history", 30)
            disk = seen_by(edge.pid, store)
            fill(disk)

            async def lost() -> bool:
                fill(disk)
                return "store" in (await edge.ready()).get("not_ready", {})

            async with asyncio.timeout(30):
                while not await lost():  # noqa: ASYNC110 -- the disk is to be filled each time
                    await asyncio.sleep(0.05)
            answered = len(devices.answered)
            await until(lambda: len(devices.answered) > answered + 10, "polls")
            grid.put(12, "f", 60_000.0)
            await until(lambda: fan.holding[0] == 80, "the rule")
            (disk / "others").unlink()
            await until(lambda: _gaps(historian.ingest()), "the gap", 20)
        finally:
            assert await edge.terminate() == 0, edge.log.decode()
    historian.ingest()
    counted = {one.counter for one in devices.answered if one.unit == 1}
    stored = historian.values("grid_meter.reads")
    assert len(stored) == len(set(stored))
    named = sum((gap.seq_to or 0) - (gap.seq_from or 0) + 1 for gap in _gaps(historian))
    assert set(stored) <= counted
    assert 0 < len(counted - set(stored)) <= named + 1


def _gaps(historian: Historian) -> list[Gap]:
    return [gap for one in historian.batches.values() for gap in one.gaps or () if gap.reason == GAP_BUFFER_FULL]
