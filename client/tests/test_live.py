"""A program and the real service: from subscribe to live, and what it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from client_support.people import ALICE
from ems_client import Alert, Gap, Grant, Hole, LinkState, LiveClient, Merged, Refused, Snapshot, StateChange, Telemetry
from ems_contract import keys
from realtime_support.backend import Backend
from realtime_support.batches import grant
from realtime_support.deadline import until
from realtime_support.redis_process import RedisProcess
from realtime_support.running import ORIGIN, Running

Follow = Callable[..., Any]
Publish = Callable[..., None]


async def test_a_program_gets_the_snapshot_then_every_batch(service: Running, follow: Follow, publish: Publish) -> None:
    publish(7, 41)
    program = await follow(service.url, "site_7")
    snapshot = await program.next(Snapshot)
    assert [(sample.site, sample.edge, sample.value) for sample in snapshot.samples()] == [("site_7", "edge_1", 41.0)]
    for seq in range(42, 142):
        publish(7, seq)
    await until(lambda: program.seqs()[-1] == 141, "the last batch")
    assert program.seqs() == list(range(41, 142))
    assert not any(isinstance(event, Gap | Hole) for event in program.events)


async def test_it_is_told_what_it_may_see_before_anything_else(service: Running, follow: Follow) -> None:
    program = await follow(service.url)
    may_see = await program.next(Grant)
    assert [site.site for site in may_see.sites] == ["site_7", "site_8"]
    states = [event.state for event in program.events if isinstance(event, StateChange)]
    assert states == [LinkState.CONNECTING, LinkState.LIVE]
    assert program.live.state is LinkState.LIVE


async def test_a_foreign_site_is_refused_and_the_others_go_on(
    service: Running, follow: Follow, publish: Publish
) -> None:
    publish(7, 1)
    program = await follow(service.url, "site_99", "site_7")
    refused = await program.next(Refused)
    assert (refused.site, refused.code) == ("site_99", 404)
    assert (await program.next(Snapshot)).site == "site_7"


async def test_a_site_that_is_granted_later_is_asked_for_again(
    service: Running, follow: Follow, publish: Publish, redis: RedisProcess, backend: Backend
) -> None:
    publish(9, 5)
    program = await follow(service.url, "site_9")
    await program.next(Refused)
    backend.answers[ALICE] = grant(1, [7, 9])
    redis.admin.incr(keys.user_epoch(1))
    redis.admin.publish(keys.permission_changed_channel(1), '{"v":1,"user":1,"epoch":1,"reason":"test"}')
    assert (await program.next(Snapshot)).site == "site_9"


async def test_an_interval_gives_merged_events_without_holes(
    service: Running, follow: Follow, publish: Publish
) -> None:
    publish(7, 1)
    program = await follow(service.url, "site_7", interval=900)
    await program.next(Snapshot)
    for seq in range(2, 42):
        publish(7, seq)
    await program.next(Merged, when=lambda merged: merged.batches[-1].seq_to == 41)
    assert not any(isinstance(event, Gap | Hole | Telemetry) for event in program.events)
    assert all(event.interval == 1000 for event in program.events if isinstance(event, Merged))
    assert [sample.value for sample in program.events[-1].samples()] == [41.0]


async def test_the_interval_can_be_changed_while_it_follows(service: Running, follow: Follow, publish: Publish) -> None:
    publish(7, 1)
    program = await follow(service.url, "site_7", interval=1000)
    await program.next(Snapshot)
    await program.live.subscribe("site_7")
    await program.next(Snapshot)
    publish(7, 2)
    assert (await program.next(Telemetry)).batches[0].seq == 2


async def test_after_an_unsubscribe_nothing_of_the_site_comes(
    service: Running, follow: Follow, publish: Publish, redis: RedisProcess
) -> None:
    program = await follow(service.url, "site_7", "site_8")
    await program.next(Snapshot)
    await program.next(Snapshot)
    await program.live.unsubscribe("site_7")
    await until(lambda: redis.admin.pubsub_channels("telemetry:*") == [b"telemetry:site_8"], "site 7 is let go")
    publish(7, 1)
    publish(8, 1)
    assert (await program.next(Telemetry)).site == "site_8"


async def test_alerts_come_at_once_at_any_interval(service: Running, follow: Follow, redis: RedisProcess) -> None:
    program = await follow(service.url, "site_7", interval=60_000)
    await program.next(Snapshot)
    event = {"v": 1, "id": "a1", "state": "raised", "severity": "critical", "ts": 1, "rule": "r", "message": "m"}
    redis.admin.publish(keys.alerts_channel(7), json.dumps(event))
    alert = await program.next(Alert)
    assert (alert.site, alert.alert.message) == ("site_7", "m")


async def test_many_subscribes_one_by_one_are_no_flood(service: Running, follow: Follow, backend: Backend) -> None:
    backend.answers[ALICE] = grant(1, list(range(1, 61)))
    program = await follow(service.url)
    for site in range(1, 61):
        await program.live.subscribe(f"site_{site}")
    for _ in range(60):
        await program.next(Snapshot)
    for site in range(1, 61):
        await program.live.unsubscribe(f"site_{site}")
        await program.live.subscribe(f"site_{site}")
        await asyncio.sleep(0)
    for _ in range(60):
        await program.next(Snapshot)
    assert not any(isinstance(event, StateChange) and event.state is LinkState.WAITING for event in program.events)


async def test_it_says_goodbye_and_leaves_no_session(service: Running, follow: Follow) -> None:
    program = await follow(service.url, "site_7")
    await program.next(Snapshot)
    await program.live.close()
    assert await program.ended() is None
    await until(lambda: "\nems_realtime_sessions 0" in service.get("/metrics").text, "no session is left")


async def test_what_waits_can_still_be_taken_after_a_close(service: Running) -> None:
    async with LiveClient(service.url, token=ALICE, origin=ORIGIN, proxy=None) as live:
        await until(lambda: live.state is LinkState.LIVE, "the link is open")
    assert [type(event) async for event in live] == [StateChange, Grant]


async def test_it_is_iterated_inside_async_with_only(service: Running) -> None:
    live = LiveClient(service.url, token=ALICE)
    with pytest.raises(RuntimeError, match="async with"):
        await anext(live)
    async with live:
        pass
    with pytest.raises(RuntimeError, match="once"):
        await live.__aenter__()
