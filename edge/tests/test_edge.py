"""The whole edge as a process, between real devices, a real Redis and a backend's endpoints."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

import msgspec
from edge_support.backend import KEY, Backend
from edge_support.devices import Endpoint
from edge_support.edge_process import Edges, standalone, with_backend
from edge_support.historian import Historian
from edge_support.redis_process import PASSWORD, RedisProcess
from edge_support.waiting import until
from edge_support.whole import READS, a_meter, check_ledger, until_ready
from ems_contract import keys
from ems_contract.edge_events import EdgeStatus
from ems_contract.provisioning import EdgeConfig
from ems_contract.telemetry import decode_batch


def _health(said: Any) -> dict[str, str | None]:
    return {device.key: device.reason for device in msgspec.json.decode(said, type=EdgeStatus).devices}


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
    backend = Backend(redis_server.edge_user(), EdgeConfig("1", [a_meter(devices)], 0.2))
    backend.start()
    historian = Historian(redis_server.admin)
    edge = edges(with_backend(tmp_path, backend.url, KEY))
    await edge.start()
    try:
        await until_ready(edge)
        await until(lambda: len(historian.ingest().batches) >= 3, "three batches")
        await until(lambda: backend.reports, "the report of points")

        devices_now = [a_meter(devices), a_meter(devices, "load_meter", 4)]
        backend.answer = msgspec.structs.replace(backend.answer, config=EdgeConfig("2", devices_now, 0.2))
        redis_server.admin.publish(keys.config_changed_channel(1), b"{}")
        await until(lambda: historian.ingest().values("load_meter.reads"), "the new device")

        wrong = [a_meter(devices, profile="stl_metre")]
        backend.answer = msgspec.structs.replace(backend.answer, config=EdgeConfig("3", wrong, 0.2))
        redis_server.admin.publish(keys.config_changed_channel(1), b"{}")
        await until(lambda: b"did you mean 'stl_meter'?" in edge.log, "the refusal")
        before = len(historian.batches)
        await until(lambda: len(historian.ingest().batches) > before + 2, "the old configuration goes on")
    finally:
        assert await edge.terminate() == 0
        backend.stop()
    historian.ingest()
    check_ledger(devices, historian, lives=1)
    assert set(historian.values(READS)) == {one.counter for one in devices.answered if one.unit == 1}
    for secret in (KEY, PASSWORD, "thesecret"):
        assert secret.encode() not in edge.log
    assert b'"level":"error"' in edge.log  # the refused configuration, and nothing else
    assert edge.log.count(b'"level":"error"') == 1


async def test_a_store_has_one_edge_at_a_time_and_one_for_its_batches(
    tmp_path: Path, redis_server: RedisProcess, devices: Endpoint, edges: Edges
) -> None:
    file = standalone(tmp_path, redis_server.edge_user(), devices.port, 0.2, {"grid_meter": 1})
    first, second = edges(file), edges(file)
    await first.start()
    await until_ready(first)
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
