"""What every broker promises (see `broker.py`); each test runs on the one in memory and on the one on Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ems_contract import keys
from ems_realtime.broker import MAX_EDGES, Broker, BrokerUnavailableError, ImagesRefusedError, UserEvent
from ems_realtime.broker_memory import MemoryBroker
from ems_realtime.broker_redis import RedisBroker
from realtime_support.batches import now_ms
from realtime_support.deadline import until
from realtime_support.redis_process import RedisProcess
from redis.asyncio import Redis


class Ear:
    """Notes everything, in order."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def on_telemetry(self, site: int, payload: bytes) -> None:
        self.heard.append(("telemetry", site, payload))

    def on_alert(self, site: int, payload: bytes) -> None:
        self.heard.append(("alert", site, payload))

    def on_command(self, site: int, payload: bytes) -> None:
        self.heard.append(("command", site, payload))

    def on_user_event(self, user: int, kind: UserEvent, payload: bytes) -> None:
        self.heard.append((kind, user, payload))

    def on_live_changed(self, live: bool) -> None:
        self.heard.append(("live", live))

    def on_resubscribed(self, since: int) -> None:
        self.heard.append(("resubscribed", since))

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        return [found for found in self.heard if found[0] == kind]


class World:
    """The outside of a broker: publishing, and faults."""

    def __init__(self, broker: Broker, redis: RedisProcess | None) -> None:
        self.broker = broker
        self.redis = redis
        self.ear = Ear()

    def publish_telemetry(self, site: int, payload: bytes) -> None:
        if isinstance(self.broker, MemoryBroker):
            self.broker.publish_telemetry(site, payload)
        else:
            self._redis.publish(keys.telemetry_channel(site), payload)

    def publish_alert(self, site: int, payload: bytes) -> None:
        if isinstance(self.broker, MemoryBroker):
            self.broker.publish_alert(site, payload)
        else:
            self._redis.publish(keys.alerts_channel(site), payload)

    def publish_command(self, site: int, payload: bytes) -> None:
        if isinstance(self.broker, MemoryBroker):
            self.broker.publish_command(site, payload)
        else:
            self._redis.publish(keys.commands_channel(site), payload)

    def publish_change(self, user: int, payload: bytes) -> None:
        if isinstance(self.broker, MemoryBroker):
            self.broker.publish_user_event(user, "permission_changed", payload)
        else:
            self._redis.publish(keys.permission_changed_channel(user), payload)

    def set_latest(self, site: int, edge: str, image: bytes) -> None:
        if isinstance(self.broker, MemoryBroker):
            self.broker.set_latest(site, edge, image)
        else:
            self._redis.hset(keys.telemetry_latest(site), edge, image)

    def interrupt(self) -> None:
        if isinstance(self.broker, MemoryBroker):
            self.broker.interrupt()
        else:
            assert self.redis is not None
            self.redis.kill()

    def restore(self) -> None:
        if isinstance(self.broker, MemoryBroker):
            self.broker.restore()
        else:
            assert self.redis is not None
            self.redis.start()

    @property
    def _redis(self) -> Any:
        assert self.redis is not None
        return self.redis.admin

    async def live(self) -> None:
        await until(lambda: self.broker.live, "the broker is live")


@pytest.fixture(params=["memory", "redis"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param == "memory":
        made = World(MemoryBroker(), None)
        await made.broker.start(made.ear)
        yield made
        await made.broker.stop()
        return
    server = RedisProcess(tmp_path)
    client = Redis.from_url(server.url, socket_timeout=1, protocol=2)
    made = World(RedisBroker(server.url, client, deadline=1.0), server)
    await made.broker.start(made.ear)
    await made.live()
    yield made
    await made.broker.stop()
    await client.aclose()
    server.kill()


async def test_everything_after_watch_is_heard_in_order(world: World) -> None:
    world.publish_telemetry(7, b"too early")
    await world.broker.watch(7)
    for number in range(200):
        world.publish_telemetry(7, b"%d" % number)
        world.publish_telemetry(8, b"another site")
    await until(lambda: len(world.ear.of("telemetry")) == 200, "all are heard")
    assert world.ear.of("telemetry") == [("telemetry", 7, b"%d" % number) for number in range(200)]


async def test_nothing_is_heard_after_unwatch_and_watching_again_is_confirmed_anew(world: World) -> None:
    await world.broker.watch(7)
    world.broker.unwatch(7)
    await world.broker.watch(8)  # in order behind the unwatch
    world.publish_telemetry(7, b"unwatched")
    for _ in range(20):
        world.broker.unwatch(7)
        await world.broker.watch(7)
        world.broker.unwatch(7)
        again = asyncio.create_task(world.broker.watch(7))
        await again
    world.publish_telemetry(7, b"watched")
    await until(lambda: world.ear.of("telemetry"), "it is heard")
    assert world.ear.of("telemetry") == [("telemetry", 7, b"watched")]


async def test_alerts_commands_and_changes_of_access_are_heard_without_watching(world: World) -> None:
    world.publish_alert(7, b"alert")
    world.publish_command(7, b"command")
    world.publish_change(5, b"change")
    await until(lambda: all(map(world.ear.of, ("alert", "command", "permission_changed"))), "all are heard")
    assert ("alert", 7, b"alert") in world.ear.heard
    assert ("command", 7, b"command") in world.ear.heard
    assert ("permission_changed", 5, b"change") in world.ear.heard


async def test_the_latest_images_are_read(world: World) -> None:
    world.set_latest(7, "edge_1", b"one")
    world.set_latest(7, "edge_2", b"two")
    assert await world.broker.latest(7) == {"edge_1": b"one", "edge_2": b"two"}
    assert await world.broker.latest(8) == {}


@pytest.mark.parametrize(("edges", "size"), [(MAX_EDGES + 1, 10), (20, 1_000_000)])
async def test_more_images_than_the_edges_of_a_site_would_write_are_not_even_read(
    world: World, edges: int, size: int
) -> None:
    """An edge's rights cannot bound what it writes there, and every viewer of the site would have it read."""
    for number in range(edges):
        world.set_latest(7, f"edge_{number}", b"x" * size)
    world.set_latest(8, "edge_1", b"one")
    with pytest.raises(ImagesRefusedError):
        await world.broker.latest(7)
    assert await world.broker.latest(8) == {"edge_1": b"one"}


async def test_an_interruption_is_told_and_everything_wanted_is_heard_again(world: World) -> None:
    await world.broker.watch(7)
    began = now_ms()
    world.interrupt()
    await until(lambda: not world.broker.live, "the interruption is noticed")
    with pytest.raises(BrokerUnavailableError):
        await world.broker.latest(7)
    waiting = asyncio.create_task(world.broker.watch(8))
    world.restore()
    await until(lambda: world.ear.of("resubscribed"), "it is subscribed again")
    await asyncio.wait_for(waiting, 5)
    world.publish_telemetry(7, b"seven")
    world.publish_telemetry(8, b"eight")
    world.publish_alert(9, b"nine")
    await until(lambda: len(world.ear.heard) >= 7, "all are heard")
    assert [found for found in world.ear.heard if found[0] != "resubscribed"] == [
        ("live", True),
        ("live", False),
        ("live", True),
        ("telemetry", 7, b"seven"),
        ("telemetry", 8, b"eight"),
        ("alert", 9, b"nine"),
    ]
    assert began - 5_000 <= world.ear.of("resubscribed")[0][1] <= now_ms()
    assert [found[0] for found in world.ear.heard[:4]] == ["live", "live", "live", "resubscribed"]


async def test_a_server_that_has_forgotten_the_subscription_is_noticed(mortal_redis: RedisProcess) -> None:
    """Deaf, not dead: the connection lives and answers, but no message will ever come."""
    client = Redis.from_url(mortal_redis.url, socket_timeout=1, protocol=2)
    broker = RedisBroker(mortal_redis.url, client, deadline=1.0)
    ear = Ear()
    await broker.start(ear)
    await until(lambda: broker.live, "the broker is live")
    assert broker._subscription is not None
    broker._subscription.send("PUNSUBSCRIBE", keys.ALERTS_PATTERN, keys.COMMANDS_PATTERN, keys.USERS_PATTERN)
    await until(lambda: ear.of("resubscribed"), "it is subscribed again")
    mortal_redis.admin.publish(keys.alerts_channel(7), b"alert")
    await until(lambda: ear.of("alert"), "it is heard")
    await broker.stop()
    await client.aclose()


async def test_a_fault_of_the_listener_does_not_end_the_subscription(mortal_redis: RedisProcess) -> None:
    class Clumsy(Ear):
        def on_alert(self, site: int, payload: bytes) -> None:
            if payload == b"trap":
                raise KeyError("a fault of ours")
            super().on_alert(site, payload)

    client = Redis.from_url(mortal_redis.url, socket_timeout=1, protocol=2)
    broker = RedisBroker(mortal_redis.url, client, deadline=1.0)
    ear = Clumsy()
    await broker.start(ear)
    await until(lambda: broker.live, "the broker is live")
    mortal_redis.admin.publish(keys.alerts_channel(7), b"trap")
    await until(lambda: ear.of("resubscribed"), "it begins again")
    mortal_redis.admin.publish(keys.alerts_channel(7), b"fine")
    await until(lambda: ear.of("alert"), "it is heard")
    await broker.stop()
    await client.aclose()


async def test_after_a_pause_of_this_process_it_is_told_from_where_it_was_deaf(mortal_redis: RedisProcess) -> None:
    """What it reads first is what had come in time; the connection was ended behind it, long ago."""
    client = Redis(port=mortal_redis.port)
    broker, ear = RedisBroker(mortal_redis.url, client), Ear()
    await broker.start(ear)
    await broker.watch(7)
    mortal_redis.admin.publish(keys.telemetry_channel(7), b"in time")
    mortal_redis.admin.client_kill_filter(_type="pubsub")
    lost_at = now_ms()
    mortal_redis.admin.publish(keys.telemetry_channel(7), b"lost")
    time.sleep(0.3)  # noqa: ASYNC251 -- nothing runs meanwhile, as when a machine is halted
    await until(lambda: ear.of("resubscribed"), "the interruption is told")
    assert ear.of("telemetry") == [("telemetry", 7, b"in time")]
    assert ear.of("resubscribed")[0][1] <= lost_at
    await broker.stop()
    await client.aclose()
