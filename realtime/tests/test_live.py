"""From subscribe to live: a snapshot, then every batch, and nothing that is not granted."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable

import pytest
from ems_contract import keys
from realtime_support.backend import Backend
from realtime_support.batches import BOOT, batch, grant, token
from realtime_support.deadline import until
from realtime_support.redis_process import RedisProcess
from realtime_support.running import Running
from realtime_support.viewer import Viewer

ALICE = token(1)


@pytest.fixture
def service(redis: RedisProcess, backend: Backend, start: Callable[..., Running]) -> Running:
    backend.answers[ALICE] = grant(1, [7, 8])
    return start(redis)


def publish(redis: RedisProcess, site: int, payload: bytes, edge: str = "edge_1") -> None:
    """As an edge does: the latest image first, then the batch."""
    pipeline = redis.admin.pipeline(transaction=False)
    pipeline.hset(keys.telemetry_latest(site), edge, payload)
    pipeline.publish(keys.telemetry_channel(site), payload)
    pipeline.execute()


async def test_a_viewer_gets_the_snapshot_then_every_batch(service: Running, redis: RedisProcess) -> None:
    publish(redis, 7, batch(41))
    async with await Viewer.login(service.url, ALICE) as viewer:
        await viewer.subscribe(7)
        snapshot = await viewer.next("snapshot")
        assert [found["seq"] for found in snapshot["batches"]] == [41]
        publish(redis, 7, batch(42))
        live = await viewer.next("telemetry")
        assert live["site"] == "site_7"
        assert live["batches"][0]["boot"] == BOOT
        assert viewer.seen["site_7", "edge_1"] == [41, 42]


async def test_a_site_without_edges_has_an_empty_snapshot(service: Running) -> None:
    async with await Viewer.login(service.url, ALICE) as viewer:
        await viewer.subscribe(8)
        assert (await viewer.next("snapshot"))["batches"] == []


async def test_welcome_names_the_sites_that_may_be_viewed_and_no_others(service: Running, backend: Backend) -> None:
    answer = grant(1, [7])
    answer["sites"] += grant(1, [9], actions=())["sites"]
    backend.answers[ALICE] = answer
    async with await Viewer.connect(service.url) as viewer:
        await viewer.send(type="auth", token=ALICE)
        welcome = await viewer.next("welcome")
        assert [site["site"] for site in welcome["sites"]] == ["site_7"]
        assert welcome["heartbeat"] == 5000
        await viewer.subscribe(9)
        assert (await viewer.next("error"))["code"] == 404


async def test_foreign_and_nonexistent_sites_are_refused_in_the_same_words(service: Running) -> None:
    async with await Viewer.login(service.url, ALICE) as viewer:
        await viewer.subscribe(9, 123_456_789)
        foreign, nonexistent = await viewer.next("error"), await viewer.next("error")
        assert foreign.pop("site") == "site_9"
        assert nonexistent.pop("site") == "site_123456789"
        assert foreign == nonexistent
        assert foreign["code"] == 404


@pytest.mark.parametrize(
    "name", ["*", "telemetry:*", "telemetry:site_7", "site_7\n", "site_07", "{site_7}", "", "site_*"]
)
async def test_a_pattern_or_a_key_is_no_site(service: Running, name: str) -> None:
    async with await Viewer.login(service.url, ALICE) as viewer:
        await viewer.subscribe(name)
        refused = await viewer.next("error")
        assert refused["code"] == 404
        assert "site" not in refused


async def test_nothing_is_lost_or_doubled_while_a_site_is_published_fast(service: Running, redis: RedisProcess) -> None:
    """Viewers come while the edge publishes; each sees every seq from its snapshot to the last, once."""
    last = 1_500
    publish(redis, 7, batch(1))

    def edge() -> None:
        for seq in range(2, last + 1):
            publish(redis, 7, batch(seq))

    publisher = threading.Thread(target=edge)
    publisher.start()
    viewers = []
    while publisher.is_alive() and len(viewers) < 25:
        viewers.append(await Viewer.login(service.url, ALICE, 7))
    await asyncio.to_thread(publisher.join)
    for viewer in viewers:
        await until(lambda seen=viewer.seen: seen["site_7", "edge_1"][-1] == last, "the last batch")
        seen = viewer.seen["site_7", "edge_1"]
        assert seen == list(range(seen[0], last + 1))
    assert len({viewer.seen["site_7", "edge_1"][0] for viewer in viewers}) > 1, "nobody came while it was busy"
    await asyncio.gather(*(viewer.close() for viewer in viewers))


async def test_a_lonely_batch_does_not_wait(service: Running, redis: RedisProcess) -> None:
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        took = []
        for seq in range(1, 31):
            began = time.perf_counter()
            publish(redis, 7, batch(seq))
            await viewer.next("telemetry")
            took.append(time.perf_counter() - began)
        assert sorted(took)[len(took) // 2] < 0.02


async def test_a_poisoned_payload_is_dropped_and_counted_and_forges_nothing(
    service: Running, redis: RedisProcess
) -> None:
    good = batch(1)
    poison = {
        b'{}],"type":"telemetry","site":"site_9","batches":[{': "batch",
        good[:-1] + b"}," + good: "batch",
        good + good: "batch",
        b"[" + good + b"]": "batch",
        good[:-1] + b',"x":"\xff"}': "utf8",
        good[:-1] + b',"x":' + b"[" * 90_000 + b"]" * 90_000 + b"}": "batch",
        good.replace(b"edge_1", b"nobody"): "edge",
        b"": "batch",
        good[:-1] + b',"x":"' + b"y" * 1_100_000 + b'"}': "batch",
    }
    async with await Viewer.login(service.url, ALICE, 7, 8) as viewer:
        for payload in poison:
            redis.admin.publish(keys.telemetry_channel(7), payload)
        publish(redis, 7, good)
        frame = await viewer.next("telemetry")
        assert frame["site"] == "site_7"
        assert viewer.seen == {("site_7", "edge_1"): [1]}
    for reason in set(poison.values()):
        assert service.metrics.value("dropped", reason=reason) == list(poison.values()).count(reason)


async def test_a_poisoned_image_or_one_of_another_edge_is_left_out_of_the_snapshot(
    service: Running, redis: RedisProcess
) -> None:
    for edge, image in {
        "edge_1": batch(5),
        "edge_2": batch(5, edge="edge_3"),
        "edge_4": b'{}],"site":"site_9","batches":[{',
        "nobody": batch(5, edge="nobody"),
    }.items():
        redis.admin.hset(keys.telemetry_latest(7), edge, image)
    async with await Viewer.login(service.url, ALICE) as viewer:
        await viewer.subscribe(7)
        snapshot = await viewer.next("snapshot")
        assert [found["edge"] for found in snapshot["batches"]] == ["edge_1"]
    assert service.metrics.total("dropped") == 3


async def test_a_site_whose_images_are_beyond_reason_is_still_live(standing: Running, redis: RedisProcess) -> None:
    redis.admin.hset(keys.telemetry_latest(7), mapping={f"edge_{n}": b"x" for n in range(1_000)})
    async with await Viewer.login(standing.url, ALICE) as viewer:
        await viewer.subscribe(7)
        assert (await viewer.next("snapshot"))["batches"] == []
        redis.admin.publish(keys.telemetry_channel(7), batch(1))
        await viewer.next("telemetry")
    assert standing.metrics.value("dropped", reason="images") == 1


async def test_alerts_reach_the_viewers_of_their_site_only(service: Running, redis: RedisProcess) -> None:
    event = {"v": 1, "id": "a1", "state": "raised", "severity": "critical", "ts": 1, "rule": "r", "message": "m"}
    async with await Viewer.login(service.url, ALICE, 7) as here, await Viewer.login(service.url, ALICE, 8) as there:
        redis.admin.publish(keys.alerts_channel(7), b'{"v":1}')  # no alert: dropped
        redis.admin.publish(keys.alerts_channel(7), json.dumps({**event, "site": "site_9", "html": "<b>"}))
        alert = await here.next("alert")
        assert alert == {"type": "alert", "site": "site_7", "alert": event}
        redis.admin.publish(keys.alerts_channel(8), json.dumps(event))
        await there.next("alert")
        assert there.types().count("alert") == 1


async def test_a_site_is_subscribed_in_redis_while_someone_watches_it(service: Running, redis: RedisProcess) -> None:
    def subscribed() -> int:
        return dict(redis.admin.pubsub_numsub(keys.telemetry_channel(7)))[keys.telemetry_channel(7).encode()]

    async with await Viewer.login(service.url, ALICE, 7) as first, await Viewer.login(service.url, ALICE, 7):
        assert subscribed() == 1
        await first.send(type="unsubscribe", sites=["site_7", "nonsense"])
        await first.send(type="ping", id=5)
        assert (await first.next("pong"))["id"] == 5
        publish(redis, 7, batch(1))
        await first.send(type="ping", id=6)
        await first.next("pong")
        assert "telemetry" not in first.types()
    await until(lambda: subscribed() == 0, "nobody watches any more")


async def test_a_second_subscribe_changes_nothing(service: Running, redis: RedisProcess) -> None:
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        await viewer.subscribe(7, 7)
        publish(redis, 7, batch(1))
        await viewer.next("telemetry")
        assert viewer.types().count("snapshot") == 1


async def test_connections_that_come_and_go_leave_nothing_behind(service: Running, redis: RedisProcess) -> None:
    for _ in range(20):
        viewers = await asyncio.gather(*(Viewer.login(service.url, ALICE, 7) for _ in range(10)))
        await asyncio.gather(*(viewer.close() for viewer in viewers))
    await until(lambda: service.metric("sessions") == 0, "no session is left")
    assert service.metric("sites") == 0
    await until(lambda: redis.admin.pubsub_channels("telemetry:*") == [], "no subscription is left")
