"""The network, the service and Redis fail; the program is told, and goes on by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from client_support.people import ALICE
from client_support.relay import Relay
from ems_client import (
    EndReason,
    Event,
    Gap,
    Hole,
    LinkState,
    LiveClient,
    LiveEndedError,
    Refused,
    Snapshot,
    StateChange,
    Telemetry,
)
from ems_client import link as protocol
from ems_contract import keys
from realtime_support.backend import Backend
from realtime_support.batches import grant
from realtime_support.deadline import until
from realtime_support.redis_process import RedisProcess
from realtime_support.running import ORIGIN, Running

Follow = Callable[..., Any]
Publish = Callable[..., None]


def waiting(change: StateChange) -> bool:
    return change.state is LinkState.WAITING


def live(change: StateChange) -> bool:
    return change.state is LinkState.LIVE


async def test_a_connection_that_is_cut_comes_back_and_says_what_was_missed(
    relay: Relay, follow: Follow, publish: Publish
) -> None:
    publish(7, 1)
    program = await follow(relay.url, "site_7", "site_8")
    await program.next(Snapshot)
    publish(7, 2)
    before = (await program.next(Telemetry)).batches[0].readings[0].ts
    target, relay.target = relay.target, None
    relay.cut()
    assert (await program.next(Gap, when=lambda gap: gap.site == "site_7")).reason == "disconnected"
    await program.next(StateChange, when=waiting)
    publish(7, 3)
    publish(7, 4)
    relay.target = target
    await program.next(StateChange, when=live)
    snapshot = await program.next(Snapshot, when=lambda event: event.site == "site_7")
    hole = await program.next(Hole)
    assert (hole.site, hole.edge) == ("site_7", "edge_1")
    assert (hole.start, hole.end) == (before, snapshot.batches[0].readings[0].ts)
    publish(7, 5)
    assert [batch.seq for batch in (await program.next(Telemetry)).batches] == [5]
    assert not any(isinstance(event, Hole) and event.site == "site_8" for event in program.events)


async def test_a_connection_that_falls_silent_is_left_for_another(
    start: Callable[..., Running], follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "SILENCE_GRACE", 0.3)
    service = start(heartbeat=0.3)
    async with Relay(service.port) as relay:
        program = await follow(relay.url, "site_7")
        await program.next(Snapshot)
        relay.freeze()
        lost = await program.next(StateChange, when=waiting)
        assert "nothing was heard" in lost.reason
        relay.thaw()
        await program.next(Snapshot)
        assert relay.accepted >= 2


async def test_a_service_that_restarts_is_found_again(
    start: Callable[..., Running], follow: Follow, publish: Publish
) -> None:
    publish(7, 1)
    first = start()
    async with Relay(first.port) as relay:
        program = await follow(relay.url, "site_7")
        await program.next(Snapshot)
        second = start()
        relay.target = second.port
        await asyncio.to_thread(first.stop)
        restarted = await program.next(StateChange, when=waiting)
        assert "SERVICE_RESTART" in restarted.reason
        publish(7, 2)
        assert [batch.seq for batch in (await program.next(Snapshot)).batches] == [2]


async def test_redis_dies_under_the_service_and_the_program_hears_of_it(
    start: Callable[..., Running], follow: Follow, mortal_redis: RedisProcess
) -> None:
    service = start(redis_url=mortal_redis.url)
    program = await follow(service.url, "site_7")
    await program.next(Snapshot)
    mortal_redis.kill()
    await program.next(StateChange, when=lambda change: change.state is LinkState.STALE)
    mortal_redis.start()
    gap = await program.next(Gap)
    assert gap.reason == "interrupted"
    await program.next(Snapshot)
    await until(lambda: program.live.state is LinkState.LIVE, "the service hears Redis")


async def test_access_that_ends_while_it_is_open_ends_the_program_with_a_reason(
    service: Running, follow: Follow, redis: RedisProcess, backend: Backend
) -> None:
    program = await follow(service.url, "site_7", "site_8")
    await program.next(Snapshot)
    await program.next(Snapshot)
    backend.answers[ALICE] = grant(1, [8])
    _change_access(redis)
    assert (await program.next(Refused)).site == "site_7"
    backend.answers[ALICE] = 403
    _change_access(redis)
    error = await program.ended()
    assert isinstance(error, LiveEndedError)
    assert error.reason is EndReason.REVOKED
    assert isinstance(program.events[-1], StateChange)
    assert program.events[-1].state is LinkState.ENDED


def _change_access(redis: RedisProcess) -> None:
    redis.admin.incr(keys.user_epoch(1))
    redis.admin.publish(keys.permission_changed_channel(1), '{"v":1,"user":1,"epoch":1,"reason":"test"}')


async def test_a_program_that_is_busy_gets_a_gap_then_a_snapshot_and_the_link_stays(
    service: Running, publish: Publish
) -> None:
    publish(7, 1, points=100)
    client = LiveClient(service.url, token=ALICE, origin=ORIGIN, proxy=None, queue_bytes=65_536)
    async with client as live, asyncio.timeout(20):
        await live.subscribe("site_7")
        await _take_until(live, lambda event: isinstance(event, Snapshot))
        for seq in range(2, 202):  # 4 kB each; the program is busy with something else meanwhile
            publish(7, seq, points=100)
        await until(lambda: not client._inbox.caught_up, "the queue has filled")
        events = await _take_until(live, lambda event: isinstance(event, Snapshot))
        publish(7, 202, points=100)
        events += await _take_until(live, lambda event: _newest_seq(event) == 202)
        assert {event.reason for event in events if isinstance(event, Gap)} == {"slow_consumer"}
        assert any(isinstance(event, Hole) for event in events)
        assert not any(isinstance(event, StateChange) for event in events), "the link stayed open"


async def test_a_program_that_takes_nothing_at_all_is_told_in_the_end(service: Running, redis: RedisProcess) -> None:
    event = {"v": 1, "id": "a1", "state": "raised", "severity": "critical", "ts": 1, "rule": "r", "message": "m" * 5000}
    async with LiveClient(service.url, token=ALICE, origin=ORIGIN, proxy=None, queue_bytes=65_536) as live:
        await live.subscribe("site_7")
        await _take_until(live, lambda event: isinstance(event, Snapshot))
        for _ in range(50):
            redis.admin.publish(keys.alerts_channel(7), json.dumps(event))
        await until(lambda: live.state is LinkState.ENDED, "the client gives up")
        alerts = await _take_until(live, lambda event: live._inbox.caught_up)
        assert 15 <= len(alerts) <= 26, "twice the bound was kept"
        with pytest.raises(LiveEndedError, match="takes none") as ended:
            await _take_until(live, lambda event: False)
        assert ended.value.reason is EndReason.SLOW_CONSUMER


async def _take_until(live: LiveClient, enough: Callable[[Event], bool]) -> list[Event]:
    """The events up to the one that is enough."""
    events = []
    async for event in live:
        events.append(event)
        if enough(event):
            break
    return events


def _newest_seq(event: Event) -> int:
    return event.batches[-1].seq if isinstance(event, Snapshot | Telemetry) and event.batches else 0
