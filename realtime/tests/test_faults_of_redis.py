"""Redis wiped, full, and without its users, under open sockets; and several services that share one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ems_contract import keys
from realtime_support.backend import Backend
from realtime_support.batches import batch, grant, token
from realtime_support.deadline import until
from realtime_support.redis_process import RedisProcess, documented_rules
from realtime_support.running import Running
from realtime_support.viewer import Viewer

ALICE = token(1)


def publish(redis: RedisProcess, site: int, seq: int) -> None:
    redis.admin.hset(keys.telemetry_latest(site), "edge_1", batch(seq))
    redis.admin.publish(keys.telemetry_channel(site), batch(seq))


async def test_a_wiped_redis_closes_no_socket_and_loses_no_frame(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = start(redis)
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        for seq in range(1, 6):
            redis.admin.flushall()
            publish(redis, 7, seq)
        await until(lambda: viewer.seen.get(("site_7", "edge_1")) == [1, 2, 3, 4, 5], "every batch")
        async with await Viewer.login(service.url, ALICE, 7) as late:  # its grant is not cached any more
            assert late.seen["site_7", "edge_1"] == [5]
        assert backend.count == 2
        backend.answers[ALICE] = grant(1, [8])
        redis.admin.incr(keys.user_epoch(1))
        redis.admin.publish(keys.permission_changed_channel(1), b"{}")
        await viewer.next("grant")


async def test_a_redis_that_lost_its_users_is_heard_again_once_they_are_back(
    mortal_redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = start(mortal_redis)
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        mortal_redis.admin.execute_command("ACL", "DELUSER", "realtime")  # which ends its connections
        assert (await viewer.next("heartbeat"))["live"] is False
        assert not service.ready
        mortal_redis.admin.execute_command("ACL", "SETUSER", "realtime", "on", ">live", *documented_rules())
        back = time.monotonic()
        await viewer.next("gap")
        await viewer.next("snapshot")
        assert time.monotonic() - back < 10
        publish(mortal_redis, 7, 1)
        await viewer.next("telemetry")


async def test_a_full_redis_stops_neither_logins_nor_live_values(
    mortal_redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = start(mortal_redis)
    mortal_redis.admin.config_set("maxmemory", "1")
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        mortal_redis.admin.publish(keys.telemetry_channel(7), batch(1))
        await viewer.next("telemetry")
        async with await Viewer.login(service.url, ALICE):
            assert backend.count == 2, "nothing could be cached"
        mortal_redis.admin.config_set("maxmemory", "0")
        async with await Viewer.login(service.url, ALICE), await Viewer.login(service.url, ALICE):
            assert backend.count == 3
        assert "gap" not in viewer.types()


async def test_logins_go_on_while_redis_is_frozen(
    mortal_redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    """Without its cache, so each token is validated; the first snapshot comes with Redis."""
    backend.answers[ALICE] = grant(1, [7])
    service = start(mortal_redis, redis_deadline=1.0, redis_timeout=0.5)
    mortal_redis.freeze()
    async with await Viewer.login(service.url, ALICE) as viewer:
        await viewer.subscribe(7)
        mortal_redis.thaw()
        await viewer.next("snapshot")
        publish(mortal_redis, 7, 1)
        await viewer.next("telemetry")


async def test_two_services_on_one_redis_show_the_same_sequence(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    services = [start(redis), start(redis)]
    viewers = [await Viewer.login(service.url, ALICE, 7) for service in services for _ in range(3)]
    for seq in range(1, 301):
        redis.admin.publish(keys.telemetry_channel(7), batch(seq))
    for viewer in viewers:
        await until(lambda viewer=viewer: viewer.seen.get(("site_7", "edge_1")) == list(range(1, 301)), "all of them")
    assert backend.count == 1, "they share what was validated"
    await asyncio.gather(*(viewer.close() for viewer in viewers))
