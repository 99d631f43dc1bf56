"""The uplink against a real Redis with the edge's own ACL: live, receipts, backfill and its bounds."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import pytest
from edge_support.historian import Historian
from edge_support.line import BACKFILL, KEY, LIVE, QUICK, entries, latest, lined
from edge_support.redis_process import RedisProcess
from edge_support.waiting import stays, until
from ems_contract import keys
from ems_edge import uplink as uplink_module
from ems_edge.buffer import Name
from ems_edge.buffer_memory import MemoryBuffer
from ems_edge.uplink import Tuning


async def test_a_batch_is_in_the_stream_in_latest_and_with_the_viewers_byte_for_byte(
    redis_server: RedisProcess, published: Any
) -> None:
    """With the rights of the contract's ACL and no more."""
    async with lined(redis_server) as line:
        await line.online()
        await line.make(3)
        await until(lambda: published() == [1, 2, 3], "three messages")
        assert entries(redis_server, LIVE) == [1, 2, 3]
        assert entries(redis_server, BACKFILL) == []
        assert latest(redis_server).seq == 3
        (_, fields), *_ = redis_server.admin.xrange(LIVE)
        line.buffer.give_back([Name(line.boot, 1)])
        assert fields == {b"batch": (await line.buffer.begin(1, 1))[0].payload}
        assert "config" in line.asked  # the subscription stands
        redis_server.admin.publish(keys.config_changed_channel(1), b"{}")
        await until(lambda: line.asked.count("config") == 2, "the news of a configuration")
    assert "session" not in line.asked


async def test_exactly_what_the_receipt_lists_is_deleted(redis_server: RedisProcess) -> None:
    async with lined(redis_server) as line:
        await line.online()
        await line.make(10)
        await until(lambda: len(entries(redis_server, LIVE)) == 10, "ten entries")
        redis_server.admin.set(keys.telemetry_acked(1, 1), f"{line.boot}: 1-3,7-8\n{uuid.uuid4()}: 1-10")
        await line.left(5)
        line.buffer.give_back([Name(line.boot, seq) for seq in range(1, 11)])
        assert [lent.name.seq for lent in await line.buffer.begin(10**6, 100)] == [4, 5, 6, 9, 10]


@pytest.mark.parametrize("text", [b"nonsense", b"\xff\xfe", b"x: 1-2", b"1-900"])
async def test_a_receipt_that_cannot_be_read_deletes_nothing(redis_server: RedisProcess, text: bytes) -> None:
    async with lined(redis_server) as line:
        redis_server.admin.set(keys.telemetry_acked(1, 1), text)
        await line.online()
        await line.make(3)
        await until(lambda: len(entries(redis_server, LIVE)) == 3, "three entries")
        historian = Historian(redis_server.admin)
        historian.ingest()
        await line.left(0)


async def test_nothing_is_sent_twice_while_the_historian_is_down(redis_server: RedisProcess) -> None:
    async with lined(redis_server) as line:
        await line.online()
        for _ in range(5):
            await line.make(1)
            await stays(lambda: entries(redis_server, BACKFILL) == [], "nothing in the backfill lane", 0.3)
        assert entries(redis_server, LIVE) == [1, 2, 3, 4, 5]
        assert entries(redis_server, BACKFILL) == []


async def test_backfill_keeps_its_bound_and_live_goes_on(redis_server: RedisProcess) -> None:
    tuning = replace(QUICK, in_flight=200_000, backfill_in_flight=60_000, backfill_rate=10**9)
    buffer = MemoryBuffer(50_000_000)
    async with lined(redis_server, tuning=tuning, buffer=buffer) as line:
        line.uplink.online = False
        await line.make(100, size=10_000)
        await line.online()
        await until(lambda: len(entries(redis_server, BACKFILL)) >= 5, "the first backfill")
        await line.make(3)
        await until(lambda: len(entries(redis_server, LIVE)) == 3, "live")
        assert redis_server.admin.xlen(BACKFILL) < 12
        historian = Historian(redis_server.admin)
        async with asyncio.timeout(30):
            while (await buffer.stats()).batches:
                historian.ingest()
                assert redis_server.admin.xlen(BACKFILL) < 12
                await asyncio.sleep(0.05)
        assert sorted(historian.values(KEY)) == [float(seq) for seq in range(1, 104)]
        assert len(historian.delivered) == 103


async def test_at_the_bound_live_is_still_seen_and_left_to_backfill(redis_server: RedisProcess, published: Any) -> None:
    tuning = replace(QUICK, in_flight=30_000, backfill_in_flight=20_000)
    async with lined(redis_server, tuning=tuning) as line:
        await line.online()
        for _ in range(10):
            await line.make(1, size=10_000)
            await asyncio.sleep(0.02)
        await until(lambda: published() == list(range(1, 11)), "all ten with the viewers")
        assert len(entries(redis_server, LIVE)) < 5
        assert latest(redis_server).seq == 10
        historian = Historian(redis_server.admin)
        async with asyncio.timeout(30):
            while (await line.buffer.stats()).batches:
                historian.ingest()
                await asyncio.sleep(0.05)
        assert sorted(historian.values(KEY)) == [float(seq) for seq in range(1, 11)]


async def test_the_clock_is_measured_against_redis(redis_server: RedisProcess) -> None:
    async with lined(redis_server) as line:
        await line.online()
        assert line.clock.offset is not None
        assert abs(line.clock.offset) < 1000


def test_the_bounds_leave_room_for_live_and_the_deadline_is_five_seconds() -> None:
    tuning = Tuning()
    assert tuning.backfill_in_flight <= tuning.in_flight / 2
    assert tuning.backfill_in_flight > uplink_module.CHUNK_BYTES
    assert (tuning.deadline, tuning.grace) == (5.0, 2.0)
