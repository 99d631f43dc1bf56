"""The whole edge as a process, and everything around it that breaks; then it breaks too."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from edge_support.backend import KEY, Backend
from edge_support.devices import Endpoint
from edge_support.edge_process import Edges, standalone, with_backend
from edge_support.historian import Historian
from edge_support.redis_process import RedisProcess
from edge_support.waiting import until
from edge_support.whole import READS, a_meter, all_in, check_ledger, ingesting, until_ready
from ems_contract.provisioning import EdgeConfig
from ems_contract.telemetry import GAP_EDGE_DOWN, GAP_STORE_CORRUPT


async def test_it_starts_with_backend_and_redis_down_and_nothing_of_it_is_lost(
    tmp_path: Path, mortal_redis: RedisProcess, devices: Endpoint, edges: Edges
) -> None:
    backend = Backend(mortal_redis.edge_user(), EdgeConfig("1", [a_meter(devices)], 0.2))
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
    await until_ready(edge)
    answered = len(devices.answered)
    await until(lambda: len(historian.ingest().values(READS)) >= answered, "everything", 20)
    assert await edge.terminate() == 0
    historian.ingest()
    check_ledger(devices, historian, lives=2)


async def test_killed_ten_times_at_random_it_loses_at_most_the_poll_in_progress(
    tmp_path: Path, redis_server: RedisProcess, devices: Endpoint, edges: Edges
) -> None:
    chance = random.Random(7)  # noqa: S311 -- to be repeatable
    historian = Historian(redis_server.admin)
    edge = edges(standalone(tmp_path, redis_server.edge_user(), devices.port, 0.1, {"grid_meter": 1}))
    done = asyncio.Event()
    reading = asyncio.create_task(ingesting(historian, done))
    lives = 11
    for life in range(lives):
        await edge.start()
        before = len(devices.answered)
        await until(lambda before=before: len(devices.answered) > before, f"the first read of life {life}", 20)
        await asyncio.sleep(chance.uniform(0.0, 0.3))
        if life < lives - 1:
            await edge.kill()
    await until_ready(edge)
    await until(lambda: all_in(devices, historian, lives), "the last leftovers", 20)
    assert await edge.terminate() == 0
    done.set()
    await reading
    check_ledger(devices, historian, lives)


async def test_redis_killed_and_wiped_historian_and_edge_killed_together(
    tmp_path: Path, mortal_redis: RedisProcess, devices: Endpoint, edges: Edges
) -> None:
    access = mortal_redis.edge_user()
    historian = Historian(mortal_redis.admin)
    edge = edges(standalone(tmp_path, access, devices.port, 0.1, {"grid_meter": 1}))
    await edge.start()
    await until_ready(edge)
    await until(lambda: len(historian.ingest().batches) >= 5, "some history")
    mortal_redis.kill()
    answered = len(devices.answered)
    await until(lambda: len(devices.answered) > answered + 5, "polls without Redis")
    await edge.kill()
    await edge.start()
    await until(lambda: len(devices.answered) > answered + 12, "polls of another life")
    mortal_redis.start()
    mortal_redis.admin.flushall()
    await until_ready(edge)
    historian.trim(historian.commit())  # killed before it acknowledged
    mortal_redis.admin.flushall()
    await until(lambda: all_in(devices, historian.ingest(), 2), "everything", 30)
    assert await edge.terminate() == 0
    historian.ingest()
    check_ledger(devices, historian, lives=2)


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
    await until_ready(edge)
    await until(lambda: len(historian.ingest().values(READS)) > before - 20, "what can be read", 20)
    assert await edge.terminate() == 0
    historian.ingest()
    stored = historian.values(READS)
    assert len(stored) == len(set(stored))
    reasons = {gap.reason for batch in historian.batches.values() for gap in batch.gaps or ()}
    assert reasons == {GAP_STORE_CORRUPT, GAP_EDGE_DOWN}
    assert list((tmp_path / "store" / "quarantine").iterdir())
