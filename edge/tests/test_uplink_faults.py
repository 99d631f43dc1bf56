"""Every way in which Redis and the historian fail, and that it costs no batch."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis
from edge_support.historian import Historian
from edge_support.line import BACKFILL, KEY, LIVE, entries, latest, lined
from edge_support.redis_process import RedisProcess
from edge_support.waiting import stays, until
from ems_contract import keys
from ems_contract.telemetry import decode_batch
from ems_edge.buffer import Name
from ems_edge.buffer_memory import MemoryBuffer


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


async def test_an_acknowledgement_lost_three_times_costs_three_resends_and_nothing_else(
    redis_server: RedisProcess,
) -> None:
    async with lined(redis_server) as line:
        historian = Historian(redis_server.admin)
        await line.online()
        await line.make(3)
        await until(lambda: len(entries(redis_server, LIVE)) == 3, "three entries")
        for time in (1, 2, 3):
            historian.trim(historian.commit())  # and now it is killed
            await until(lambda: len(entries(redis_server, BACKFILL)) == 3, f"resend {time}", 15)
            await line.left(3)
        historian.ingest()
        await line.left(0)
        assert len(historian.delivered) == 4 * 3
        assert historian.values(KEY) == [1.0, 2.0, 3.0]


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
        await stays(lambda: entries(redis_server, BACKFILL) == [3], "nothing else", 1)


async def test_a_full_redis_loses_nothing(redis_server: RedisProcess, published: Any) -> None:
    async with lined(redis_server) as line:
        await line.online()
        await line.make(1)
        await until(lambda: entries(redis_server, LIVE) == [1], "the first")
        redis_server.admin.config_set("maxmemory", "1mb")
        await line.make(3)
        await until(lambda: published() == [1, 2, 3, 4], "live goes on")
        await stays(lambda: entries(redis_server, LIVE) == [1], "nothing gets into a full Redis", 1.5)
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
    without_xadd = [rule.replace("+xadd ", "") for rule in keys.edge_acl(1, 1) if rule.startswith("(")]
    redis_server.admin.execute_command("ACL", "SETUSER", access.username, "clearselectors", *without_xadd)
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
