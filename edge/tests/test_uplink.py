"""The uplink against a real Redis with the edge's own ACL: live, backfill, receipts, evidence, and ways to fail."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import redis
from edge_support.historian import Historian
from edge_support.redis_process import RedisProcess
from edge_support.waiting import until
from ems_contract import keys
from ems_contract.provisioning import RedisAccess
from ems_contract.telemetry import Batch, Reading, decode_batch, encode_batch
from ems_edge import uplink as uplink_module
from ems_edge.buffer import Name, NewBatch
from ems_edge.buffer_memory import MemoryBuffer
from ems_edge.clock import Clock, wall_ms
from ems_edge.image import Image
from ems_edge.uplink import Tuning, Uplink

LIVE, BACKFILL = (keys.telemetry_stream(1, 1, lane) for lane in keys.LANES)
KEY = "a.power"
QUICK = Tuning(look=0.1, look_in_backfill=0.05, grace=0.4, deadline=1.0)
"""The same rules, ten times as fast."""


@dataclass
class Line:
    """An uplink with all that it needs, and a producer whose values count from 1."""

    server: RedisProcess
    buffer: MemoryBuffer
    image: Image
    clock: Clock
    uplink: Uplink
    boot: str
    asked: list[str] = field(default_factory=list)
    seq: int = 0

    async def make(self, count: int = 1, size: int = 0) -> None:
        for _ in range(count):
            self.seq += 1
            name = Name(self.boot, self.seq)
            values: dict[str, float | None] = {KEY: float(self.seq)}
            values |= {f"a.filler_{number}": 0.0 for number in range(size // 20)}
            reading = Reading(wall_ms(), values)
            payload = encode_batch(Batch(1, "edge_1", *name, wall_ms(), [reading]))
            await self.buffer.append(NewBatch(name, payload, reading.ts, reading.ts))
            self.image.update(self.seq, [("a", reading)])
            self.uplink.offer(name, payload)

    async def online(self) -> None:
        await until(lambda: self.uplink.online, "a connection", 15)

    async def offline(self) -> None:
        await until(lambda: not self.uplink.online, "the loss to be noticed", 15)

    async def left(self, count: int, seconds: float = 15.0) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while (stats := await self.buffer.stats()).batches != count:
            assert asyncio.get_running_loop().time() < deadline, f"{stats.batches} left, not {count}"
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def lined(
    server: RedisProcess, access: RedisAccess | None = None, tuning: Tuning = QUICK, buffer: Any = None
) -> AsyncIterator[Line]:
    buffer = buffer or MemoryBuffer(50_000_000)
    boot, clock, asked = str(uuid.uuid4()), Clock(), list[str]()
    image = Image("edge_1", boot)
    uplink = Uplink(
        1,
        1,
        buffer,
        clock,
        image,
        access or server.edge_user(),
        refused=lambda: asked.append("session"),
        config_changed=lambda: asked.append("config"),
        tuning=tuning,
    )
    task = asyncio.create_task(uplink.run())
    try:
        yield Line(server, buffer, image, clock, uplink, boot, asked)
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


def entries(server: RedisProcess, stream: str) -> list[int]:
    return [decode_batch(fields[b"batch"]).seq for _, fields in server.admin.xrange(stream)]


def latest(server: RedisProcess) -> Batch:
    text = server.admin.hget(keys.telemetry_latest(1), "edge_1")
    assert isinstance(text, bytes)
    return decode_batch(text, edge="edge_1")


@pytest.fixture
def published(redis_server: RedisProcess) -> Any:
    """Reads what viewers got since the fixture was made."""
    subscription = redis_server.admin.pubsub(ignore_subscribe_messages=True)
    subscription.subscribe(keys.telemetry_channel(1))
    subscription.get_message(timeout=1)
    got: list[int] = []

    def read() -> list[int]:
        while message := subscription.get_message(timeout=0.01):
            got.append(decode_batch(message["data"]).seq)
        return got

    yield read
    subscription.close()


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


async def test_what_is_made_while_redis_is_away_is_backfill_and_not_published(mortal_redis: RedisProcess) -> None:
    async with lined(mortal_redis) as line:
        await line.online()
        await line.make(2)
        await until(lambda: len(entries(mortal_redis, LIVE)) == 2, "two live ones")
        mortal_redis.kill()
        await line.offline()
        await line.make(5)
        mortal_redis.start()
        subscription = mortal_redis.admin.pubsub(ignore_subscribe_messages=True)
        subscription.subscribe(keys.telemetry_channel(1))
        await line.online()
        assert latest(mortal_redis).seq == 7
        await line.make(1)
        await until(lambda: entries(mortal_redis, BACKFILL) == [3, 4, 5, 6, 7], "the backfill")
        await until(lambda: entries(mortal_redis, LIVE) == [1, 2, 8], "the live one")
        got = []
        while message := subscription.get_message(timeout=0.1):
            got.append(decode_batch(message["data"]).seq)
        subscription.close()
        assert got in ([8], [])  # 8 may have been published before the subscription stood; nothing else ever
        historian = Historian(mortal_redis.admin)
        historian.ingest()
        await line.left(0)
        assert sorted(name.seq for name in historian.delivered) == list(range(1, 9))


async def test_a_redis_that_was_wiped_gets_again_what_no_receipt_lists(mortal_redis: RedisProcess) -> None:
    async with lined(mortal_redis) as line:
        historian = Historian(mortal_redis.admin)
        await line.online()
        await line.make(4)
        await until(lambda: len(entries(mortal_redis, LIVE)) == 4, "four live ones")
        historian.ingest()
        await line.left(0)
        await line.make(4)
        await until(lambda: len(entries(mortal_redis, LIVE)) == 4, "four more")
        mortal_redis.admin.delete(LIVE, keys.telemetry_acked(1, 1), keys.telemetry_latest(1))
        await until(lambda: sorted(entries(mortal_redis, BACKFILL)) == [5, 6, 7, 8], "the resend", 15)
        historian.ingest()
        await line.left(0)
        assert historian.values(KEY) == [float(seq) for seq in range(1, 9)]
        assert len(historian.delivered) == 8


async def test_a_trim_long_before_its_receipt_costs_a_resend_and_nothing_else(redis_server: RedisProcess) -> None:
    async with lined(redis_server) as line:
        historian = Historian(redis_server.admin)
        await line.online()
        await line.make(3)
        await until(lambda: len(entries(redis_server, LIVE)) == 3, "three entries")
        historian.trim(historian.commit())  # and now it is killed
        await until(lambda: len(entries(redis_server, BACKFILL)) == 3, "the resend", 15)
        await line.left(3)
        historian.ingest()
        await line.left(0)
        assert historian.values(KEY) == [1.0, 2.0, 3.0]


async def test_nothing_is_sent_twice_while_the_historian_is_down(redis_server: RedisProcess) -> None:
    async with lined(redis_server) as line:
        await line.online()
        for _ in range(5):
            await line.make(1)
            await asyncio.sleep(0.3)
        assert entries(redis_server, LIVE) == [1, 2, 3, 4, 5]
        assert entries(redis_server, BACKFILL) == []


async def test_a_new_life_finds_in_the_streams_what_an_earlier_one_sent(redis_server: RedisProcess) -> None:
    buffer = MemoryBuffer(50_000_000)
    async with lined(redis_server, buffer=buffer) as line:
        await line.online()
        await line.make(5)
        await until(lambda: len(entries(redis_server, LIVE)) == 5, "five entries")
        first = line.boot
    # What a restart forgets: who holds what. One batch never reached the stream.
    buffer.give_back([Name(first, seq) for seq in range(1, 6)])
    redis_server.admin.xadd(LIVE, {"batch": b"not a batch"})
    (third, _) = redis_server.admin.xrange(LIVE)[2]
    redis_server.admin.xdel(LIVE, third)
    async with lined(redis_server, buffer=buffer) as line:
        await line.online()
        await until(lambda: entries(redis_server, BACKFILL) == [3], "the one that is missing")
        await line.make(1)
        await asyncio.sleep(1)
        assert entries(redis_server, BACKFILL) == [3]


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


async def test_a_full_redis_loses_nothing(redis_server: RedisProcess, published: Any) -> None:
    async with lined(redis_server) as line:
        await line.online()
        await line.make(1)
        await until(lambda: entries(redis_server, LIVE) == [1], "the first")
        redis_server.admin.config_set("maxmemory", "1mb")
        await line.make(3)
        await until(lambda: published() == [1, 2, 3, 4], "live goes on")
        await asyncio.sleep(1.5)
        assert entries(redis_server, LIVE) == [1]
        assert line.uplink.online
        redis_server.admin.config_set("maxmemory", "0")
        await until(lambda: sorted(entries(redis_server, BACKFILL)) == [2, 3, 4], "the rest", 15)


async def test_a_frozen_redis_is_noticed_by_our_own_deadline(mortal_redis: RedisProcess) -> None:
    async with lined(mortal_redis) as line:
        await line.online()
        await line.make(1)
        await until(lambda: entries(mortal_redis, LIVE) == [1], "the first")
        mortal_redis.freeze()
        started = asyncio.get_running_loop().time()
        await line.make(1)
        await line.offline()
        assert 0.9 < asyncio.get_running_loop().time() - started < 2.5
        await line.make(3)
        mortal_redis.thaw()
        await line.online()
        historian = Historian(mortal_redis.admin)
        async with asyncio.timeout(15):
            while (await line.buffer.stats()).batches:
                historian.ingest()
                await asyncio.sleep(0.05)
        assert sorted(historian.values(KEY)) == [1.0, 2.0, 3.0, 4.0, 5.0]


async def test_a_revoked_user_asks_for_a_session_and_goes_on_with_the_new_password(
    redis_server: RedisProcess,
) -> None:
    access = redis_server.edge_user(password="the-first-password")
    async with lined(redis_server, access) as line:
        await line.online()
        redis_server.admin.execute_command("ACL", "DELUSER", access.username)
        await line.offline()
        await until(lambda: "session" in line.asked, "the wish for a session")
        await line.make(2)
        line.uplink.use(redis_server.edge_user(password="the-second-password"))
        await line.online()
        await until(lambda: entries(redis_server, BACKFILL) == [1, 2], "what was made meanwhile")


async def test_a_right_that_is_missing_asks_for_a_session(redis_server: RedisProcess) -> None:
    access = redis_server.edge_user()
    redis_server.admin.execute_command("ACL", "SETUSER", access.username, "-xadd")
    async with lined(redis_server, access) as line:
        await line.online()
        await line.make(1)
        await until(lambda: "session" in line.asked, "the wish for a session")
        redis_server.edge_user()
        await until(lambda: entries(redis_server, BACKFILL) == [1], "the batch")


async def test_another_redis_in_the_session_is_used_at_once(
    redis_server: RedisProcess, mortal_redis: RedisProcess
) -> None:
    async with lined(redis_server) as line:
        await line.online()
        await line.make(1)
        await until(lambda: entries(redis_server, LIVE) == [1], "the first")
        line.uplink.use(mortal_redis.edge_user())
        await until(lambda: mortal_redis.admin.xlen(BACKFILL) == 1, "the first, again, there", 15)
        await line.make(1)
        await until(lambda: entries(mortal_redis, LIVE) == [2], "the second")


async def test_an_edges_rights_end_at_its_own_keys(redis_server: RedisProcess) -> None:
    """Site B, another edge, its own receipt and commands: all refused, by Redis itself."""
    access = redis_server.edge_user()
    client = redis.Redis.from_url(access.url, username=access.username, password=access.password, protocol=2)
    refused = [
        ("XADD", keys.telemetry_stream(2, 1), "*", "batch", "x"),
        ("XADD", keys.telemetry_stream(1, 2), "*", "batch", "x"),
        ("SET", keys.telemetry_acked(1, 1), "x"),
        ("XADD", keys.commands_stream(1, 1), "*", "a", "b"),
        ("DEL", LIVE),
        ("XTRIM", LIVE, "MAXLEN", "0"),
        ("GET", keys.telemetry_acked(2, 1)),
        ("HGETALL", keys.telemetry_latest(1)),
        ("PUBLISH", keys.telemetry_channel(2), "x"),
        ("SUBSCRIBE", keys.telemetry_channel(2)),
        ("PSUBSCRIBE", "*"),
        ("KEYS", "*"),
        ("FLUSHALL",),
    ]
    for command in refused:
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command)
    client.close()


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
