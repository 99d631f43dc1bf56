"""The whole edge as a process, between real devices, a real Redis and a backend's endpoints."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from edge_support.backend import KEY, Backend
from edge_support.devices import Endpoint, endpoint, meter
from edge_support.edge_process import EdgeProcess, standalone, with_backend
from edge_support.historian import Historian
from edge_support.redis_process import PASSWORD, RedisProcess
from edge_support.waiting import until
from ems_contract import keys
from ems_contract.edge_events import EdgeStatus
from ems_contract.provisioning import Device, EdgeConfig
from ems_contract.telemetry import GAP_EDGE_DOWN, GAP_STORE_CORRUPT, decode_batch

READS = "grid_meter.reads"
Edges = Callable[[Path], EdgeProcess]


@pytest.fixture
async def devices() -> AsyncIterator[Endpoint]:
    async with endpoint({1: meter(), 4: meter(99.0)}) as served:
        yield served


@pytest.fixture
async def edges() -> AsyncIterator[Edges]:
    """Makes edge processes; whatever a failed test leaves running is killed."""
    made: list[EdgeProcess] = []

    def make(bootstrap: Path) -> EdgeProcess:
        made.append(EdgeProcess(bootstrap))
        return made[-1]

    yield make
    for edge in made:
        if edge.running:
            await edge.kill()


def _device(devices: Endpoint, key: str = "grid_meter", unit: int = 1, profile: str = "stl_meter") -> Device:
    return Device(key, key, "modbus", profile, {"host": "127.0.0.1", "port": devices.port, "unit": unit})


async def _ready(edge: EdgeProcess) -> None:
    deadline = time.monotonic() + 20
    while (state := await edge.ready()).get("status") != "ready":
        assert edge.running, edge.log.decode()
        assert time.monotonic() < deadline, (state, edge.log.decode())
        await asyncio.sleep(0.02)


async def _ingesting(historian: Historian, done: asyncio.Event) -> None:
    while not done.is_set():
        historian.ingest()
        await asyncio.sleep(0.05)
    historian.ingest()


def _check_ledger(devices: Endpoint, historian: Historian, lives: int) -> None:
    """Every answered read is in history once, but for those in progress at a kill."""
    counted = [one.counter for one in devices.answered if one.unit == 1]
    stored = historian.values(READS)
    assert len(stored) == len(set(stored)), "a read is in history twice"
    assert set(stored) <= set(counted)
    missing = sorted(set(counted) - set(stored), key=lambda one: one or 0)
    assert len(missing) <= lives, f"lost {missing}"
    gaps = [gap for batch in historian.batches.values() for gap in batch.gaps or ()]
    committing = {name.boot for name in historian.batches}  # a life may be killed before its first commit
    assert [gap.reason for gap in gaps].count(GAP_EDGE_DOWN) == len(committing) - 1
    ordered = [
        reading.ts
        for name in sorted(historian.batches, key=lambda name: historian.batches[name].readings[0].ts)
        for reading in historian.batches[name].readings
    ]
    assert ordered == sorted(set(ordered)), "a ts was issued twice or went back"


async def test_a_change_in_a_register_is_with_the_viewers_within_milliseconds(
    tmp_path: Path, redis_server: RedisProcess, devices: Endpoint, edges: Edges
) -> None:
    edge = edges(standalone(tmp_path, redis_server.edge_user(), devices.port, 0.1, {"grid_meter": 1, "load_meter": 4}))
    subscription = redis_server.admin.pubsub(ignore_subscribe_messages=True)
    subscription.subscribe(keys.telemetry_channel(1))
    answered: dict[int, float] = {}
    took: list[float] = []
    await edge.start()
    try:
        deadline = time.monotonic() + 30
        while len(took) < 20:
            assert time.monotonic() < deadline, edge.log.decode()
            for one in devices.answered:
                if one.unit == 4 and one.counter is not None:
                    answered.setdefault(one.counter, time.monotonic())
            await asyncio.sleep(0.001)
            message = subscription.get_message(timeout=0.0)
            if message is not None:
                for reading in decode_batch(message["data"]).readings:
                    counter = reading.values.get("load_meter.reads")
                    if counter is not None and int(counter) in answered:
                        took.append(time.monotonic() - answered[int(counter)])
    finally:
        subscription.close()
        assert await edge.terminate() == 0
    assert statistics.median(took) < 0.1


async def test_with_a_backend_it_polls_reports_reloads_and_stops_cleanly(
    tmp_path: Path, redis_server: RedisProcess, devices: Endpoint, edges: Edges
) -> None:
    backend = Backend(redis_server.edge_user(), EdgeConfig("1", [_device(devices)], 0.2))
    backend.start()
    historian = Historian(redis_server.admin)
    edge = edges(with_backend(tmp_path, backend.url, KEY))
    await edge.start()
    try:
        await _ready(edge)
        await until(lambda: len(historian.ingest().batches) >= 3, "three batches")
        await until(lambda: backend.reports, "the report of points")

        devices_now = [_device(devices), _device(devices, "load_meter", 4)]
        backend.answer = msgspec.structs.replace(backend.answer, config=EdgeConfig("2", devices_now, 0.2))
        redis_server.admin.publish(keys.config_changed_channel(1), b"{}")
        await until(lambda: historian.ingest().values("load_meter.reads"), "the new device")

        wrong = [_device(devices, profile="stl_metre")]
        backend.answer = msgspec.structs.replace(backend.answer, config=EdgeConfig("3", wrong, 0.2))
        redis_server.admin.publish(keys.config_changed_channel(1), b"{}")
        await until(lambda: b"did you mean 'stl_meter'?" in edge.log, "the refusal")
        before = len(historian.batches)
        await until(lambda: len(historian.ingest().batches) > before + 2, "the old configuration goes on")
    finally:
        assert await edge.terminate() == 0
        backend.stop()
    historian.ingest()
    _check_ledger(devices, historian, lives=1)
    assert set(historian.values(READS)) == {one.counter for one in devices.answered if one.unit == 1}
    for secret in (KEY, PASSWORD, "thesecret"):
        assert secret.encode() not in edge.log
    assert b'"level":"error"' in edge.log  # the refused configuration, and nothing else
    assert edge.log.count(b'"level":"error"') == 1


async def test_it_starts_with_backend_and_redis_down_and_nothing_of_it_is_lost(
    tmp_path: Path, mortal_redis: RedisProcess, devices: Endpoint, edges: Edges
) -> None:
    backend = Backend(mortal_redis.edge_user(), EdgeConfig("1", [_device(devices)], 0.2))
    backend.start()
    historian = Historian(mortal_redis.admin)
    edge = edges(with_backend(tmp_path, backend.url, KEY))
    await edge.start()
    await until(lambda: historian.ingest().batches, "the first batch of the first life", 20)
    await edge.kill()
    historian.ingest()
    backend.stop()
    mortal_redis.kill()

    await edge.start()
    answered = len(devices.answered)
    await until(lambda: len(devices.answered) > answered + 5, "polls without backend and Redis")
    state = await edge.ready()
    assert set(state["not_ready"]) == {"redis"}
    mortal_redis.start()
    await _ready(edge)
    answered = len(devices.answered)
    await until(lambda: len(historian.ingest().values(READS)) >= answered, "everything", 20)
    assert await edge.terminate() == 0
    historian.ingest()
    _check_ledger(devices, historian, lives=2)


async def test_killed_ten_times_at_random_it_loses_at_most_the_poll_in_progress(
    tmp_path: Path, redis_server: RedisProcess, devices: Endpoint, edges: Edges
) -> None:
    chance = random.Random(7)  # noqa: S311 -- to be repeatable
    historian = Historian(redis_server.admin)
    edge = edges(standalone(tmp_path, redis_server.edge_user(), devices.port, 0.1, {"grid_meter": 1}))
    done = asyncio.Event()
    ingesting = asyncio.create_task(_ingesting(historian, done))
    lives = 11
    for life in range(lives):
        await edge.start()
        before = len(devices.answered)
        await until(lambda before=before: len(devices.answered) > before, f"the first read of life {life}", 20)
        await asyncio.sleep(chance.uniform(0.0, 0.3))
        if life < lives - 1:
            await edge.kill()
    await _ready(edge)
    await until(lambda: _all_in(devices, historian, lives), "the last leftovers", 20)
    assert await edge.terminate() == 0
    done.set()
    await ingesting
    _check_ledger(devices, historian, lives)


def _health(said: Any) -> dict[str, str | None]:
    return {device.key: device.reason for device in msgspec.json.decode(said, type=EdgeStatus).devices}


def _all_in(devices: Endpoint, historian: Historian, lives: int) -> bool:
    return len(devices.answered) - len(historian.values(READS)) <= lives


async def test_redis_killed_and_wiped_historian_and_edge_killed_together(
    tmp_path: Path, mortal_redis: RedisProcess, devices: Endpoint, edges: Edges
) -> None:
    access = mortal_redis.edge_user()
    historian = Historian(mortal_redis.admin)
    edge = edges(standalone(tmp_path, access, devices.port, 0.1, {"grid_meter": 1}))
    await edge.start()
    await _ready(edge)
    await until(lambda: len(historian.ingest().batches) >= 5, "some history")
    mortal_redis.kill()
    answered = len(devices.answered)
    await until(lambda: len(devices.answered) > answered + 5, "polls without Redis")
    await edge.kill()
    await edge.start()
    await until(lambda: len(devices.answered) > answered + 12, "polls of another life")
    mortal_redis.start()
    mortal_redis.admin.flushall()
    await _ready(edge)
    historian.trim(historian.commit())  # killed before it acknowledged
    mortal_redis.admin.flushall()
    await until(lambda: _all_in(devices, historian.ingest(), 2), "everything", 30)
    assert await edge.terminate() == 0
    historian.ingest()
    _check_ledger(devices, historian, lives=2)


async def test_a_store_damaged_while_the_edge_was_off_costs_what_cannot_be_read_and_a_gap(
    tmp_path: Path, mortal_redis: RedisProcess, devices: Endpoint, edges: Edges
) -> None:
    historian = Historian(mortal_redis.admin)
    edge = edges(standalone(tmp_path, mortal_redis.edge_user(), devices.port, 0.1, {"grid_meter": 1}))
    mortal_redis.kill()
    await edge.start()
    await until(lambda: len(devices.answered) > 25, "a backlog", 30)
    assert await edge.terminate() == 0
    store = tmp_path / "store" / "edge.db"
    content = bytearray(store.read_bytes())
    content[16_384:20_480] = b"\xff" * 4_096
    store.write_bytes(content)
    before = len(devices.answered)

    mortal_redis.start()
    await edge.start()
    await _ready(edge)
    await until(lambda: len(historian.ingest().values(READS)) > before - 20, "what can be read", 20)
    assert await edge.terminate() == 0
    historian.ingest()
    stored = historian.values(READS)
    assert len(stored) == len(set(stored))
    reasons = {gap.reason for batch in historian.batches.values() for gap in batch.gaps or ()}
    assert reasons == {GAP_STORE_CORRUPT, GAP_EDGE_DOWN}
    assert list((tmp_path / "store" / "quarantine").iterdir())


async def test_a_store_has_one_edge_at_a_time_and_one_for_its_batches(
    tmp_path: Path, redis_server: RedisProcess, devices: Endpoint, edges: Edges
) -> None:
    file = standalone(tmp_path, redis_server.edge_user(), devices.port, 0.2, {"grid_meter": 1})
    first, second = edges(file), edges(file)
    await first.start()
    await _ready(first)
    await second.start()
    assert await second.wait() == 1
    assert b"another edge runs on" in second.log
    await until(lambda: redis_server.admin.xlen(keys.telemetry_stream(1, 1)), "a batch")
    await first.kill()

    file.write_text(file.read_text(encoding="utf-8").replace("edge_1", "edge_2"), encoding="utf-8")
    third = edges(file)
    await third.start()
    assert await third.wait() == 1
    assert b"holds batches of edge_1; give edge_2 another store" in third.log


async def test_devices_that_are_away_are_reported_and_harm_no_one(
    tmp_path: Path, redis_server: RedisProcess, devices: Endpoint, edges: Edges
) -> None:
    file = standalone(
        tmp_path, redis_server.edge_user(), devices.port, 0.5, {"grid_meter": 1, "ghost": 9, "load_meter": 4}
    )
    edge = edges(file)
    historian = Historian(redis_server.admin)
    await edge.start()
    await until(lambda: len(historian.ingest().values("ghost.reads")) >= 3, "the ghost's samples", 20)
    await until(lambda: len(historian.ingest().values(READS)) >= 5, "the others")
    expected = {"grid_meter": None, "ghost": "timeout", "load_meter": None}
    written = tmp_path / "store" / "status.json"
    await until(lambda: _health(written.read_bytes()) == expected, "the status in the file")
    await until(lambda: _health(redis_server.admin.hget(keys.edge_status(1), "edge_1")) == expected, "and in Redis")
    assert await edge.terminate() == 0
    historian.ingest()
    assert set(historian.values("ghost.reads")) == {None}
    qualities: set[Any] = {
        reading.quality["ghost.reads"]
        for batch in historian.batches.values()
        for reading in batch.readings
        if reading.quality and "ghost.reads" in reading.quality
    }
    assert qualities == {"timeout"}
    assert None not in historian.values("load_meter.reads")
