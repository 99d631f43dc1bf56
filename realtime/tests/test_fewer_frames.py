"""A client that asks for an interval sees the same site in fewer frames; whatever holds for the others holds for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from ems_contract import keys
from ems_realtime import merge, pace
from ems_realtime.broker_memory import MemoryBroker
from ems_realtime.feed import MARGIN_MS
from ems_realtime.session import Session
from realtime_support.backend import Backend
from realtime_support.batches import BOOT, batch, grant, now_ms, token
from realtime_support.deadline import until
from realtime_support.house import ALERT, COMMAND, SETTINGS, House, kinds, tick
from realtime_support.image import pictured
from realtime_support.redis_process import RedisProcess
from realtime_support.running import Running
from realtime_support.viewer import Viewer
from realtime_support.wires import SlowWire

ALICE = token(1)
NEVER = 60_000
"""An interval that does not end within a test."""


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for company."""
    monkeypatch.setattr(pace, "COMPANY", 0.0)


async def follow(house: House, interval: int, *, user: int = 1, instant: bool = True) -> tuple[Session, SlowWire]:
    """A session with its snapshot of site 7. The hub takes any interval; what is offered is the protocol's business."""
    session, wire = house.enter(user, [7, 8], instant=instant)
    house.hub.subscribe(session, 7, interval)
    await until(lambda: wire.buffered() or kinds(wire), "the snapshot")
    await tick(3)
    return session, wire


def ranges(frame: dict[str, Any]) -> list[tuple[int, int]]:
    return [(run["seq_from"], run["seq_to"]) for run in frame["batches"]]


async def test_everyone_who_asked_for_the_same_gets_one_frame_made_once_and_the_others_every_batch(
    house: House,
) -> None:
    paced = [(await follow(house, 200, user=user))[1] for user in range(3)]
    _, every = await follow(house, 0, user=4)
    for _ in range(5):
        house.publish()
        await tick(3)
    await until(lambda: all(kinds(wire) == ["snapshot", "merged"] for wire in paced), "one frame")
    frame = paced[0].frames()[1]
    assert all(wire.taken == paced[0].taken for wire in paced)
    assert (frame["site"], frame["interval"], ranges(frame)) == ("site_7", 200, [(1, 5)])
    assert [reading["values"] for reading in frame["batches"][0]["readings"]] == [{"grid_meter.power_0": 5.0}]
    assert pictured(every).seen == {("edge_1", BOOT): {1, 2, 3, 4, 5}}
    assert set(kinds(every)) == {"snapshot", "telemetry"}
    assert house.metrics.value("merged") == 3
    assert house.metrics.value("deliveries") == 5


async def test_a_hole_in_what_was_published_shows_as_two_runs(house: House, soon: None) -> None:
    _, wire = await follow(house, NEVER // 100)
    for seq in (1, 2, 4, 5):
        house.broker.publish_telemetry(7, batch(seq))
    await until(lambda: kinds(wire) == ["snapshot", "merged"], "a frame")
    assert ranges(wire.frames()[1]) == [(1, 2), (4, 5)]


async def test_alerts_and_commands_do_not_wait(house: House) -> None:
    _, wire = await follow(house, NEVER)
    house.broker.publish_alert(7, json.dumps(ALERT).encode())
    house.broker.publish_command(7, json.dumps(COMMAND).encode())
    assert kinds(wire) == ["snapshot", "alert", "command"]


async def test_a_site_of_very_many_points_is_not_kept_in_memory_for_longer_than_it_may(
    house: House, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "WEIGH_AT", 8_000)
    monkeypatch.setattr(merge, "MOST", 4_000)
    _, wire = await follow(house, NEVER)
    house.publish()
    await until(lambda: kinds(wire) == ["snapshot", "merged"], "the first frame comes at once")
    for _ in range(50):
        house.publish(points=20)
    await tick(5)
    assert kinds(wire) == ["snapshot", "merged"]
    house.publish(points=300)
    await until(lambda: kinds(wire) == ["snapshot", "merged", "merged"], "a frame before its time")
    assert ranges(wire.frames()[2]) == [(2, 52)]


# When things go wrong -----------------------------------------------------------------------------------------------


async def test_a_slow_client_gets_a_gap_that_reaches_back_to_what_was_merged(house: House, soon: None) -> None:
    (_, slow), (_, quick) = [await follow(house, 50, user=user, instant=user == 2) for user in (1, 2)]
    began = now_ms()
    while house.metrics.value("fell_behind") == 0:
        house.publish(points=200)
        await asyncio.sleep(0.005)
    last = house.publish(points=200)
    await until(lambda: pictured(quick).seen["edge_1", BOOT] >= {last}, "the quick one has all")
    assert not pictured(quick).holes
    slow.instant = True
    slow.drain()
    await until(lambda: kinds(slow)[-2:] == ["gap", "snapshot"], "the gap")
    gap = slow.frames()[-2]
    assert gap["reason"] == "slow_reader"
    assert gap["since"] + MARGIN_MS <= now_ms() - 50
    assert gap["since"] + MARGIN_MS >= began
    house.publish()
    await until(lambda: kinds(slow)[-1] == "merged", "it goes on as it asked")


async def test_who_has_no_room_for_its_fresh_snapshot_is_told_of_what_was_merged_too(house: House, soon: None) -> None:
    session, wire = await follow(house, NEVER, instant=False)
    house.publish()
    await until(lambda: house.metrics.value("merged") == 1, "the first frame comes at once")
    wire.drain()
    began = now_ms()
    house.publish()
    while wire.buffered() < SETTINGS.outbox_bytes:
        house.broker.publish_alert(7, json.dumps({**ALERT, "message": "m" * 1_000}).encode())
    await until(lambda: now_ms() > began + 50, "some time")
    house.hub.subscribe(session, 7, 0)
    await until(lambda: house.metrics.value("fell_behind") == 1, "no room")
    wire.drain()
    wire.instant = True
    await until(lambda: kinds(wire)[-2:] == ["gap", "snapshot"], "the gap")
    assert began <= wire.frames()[-2]["since"] + MARGIN_MS < began + 50


async def test_an_interruption_of_redis_is_told_at_once_from_where_merging_began(house: House, soon: None) -> None:
    _, wire = await follow(house, NEVER)
    house.publish()
    await until(lambda: kinds(wire) == ["snapshot", "merged"], "the first frame comes at once")
    began = now_ms()
    house.publish()
    await until(lambda: now_ms() > began + 20, "some time")
    house.broker.interrupt()
    house.broker.restore()
    await until(lambda: kinds(wire)[2:] == ["heartbeat", "heartbeat", "gap", "snapshot"], "gap and snapshot")
    assert began <= wire.frames()[4]["since"] + MARGIN_MS <= began + 20
    assert wire.frames()[5]["batches"][0]["seq"] == 2
    house.publish()
    await until(lambda: kinds(wire)[-1] == "merged", "it goes on as it asked")
    assert ranges(wire.frames()[-1]) == [(3, 3)]


async def test_who_leaves_after_an_interruption_gets_no_frame_that_was_about_to_be_sent(
    house: House, soon: None
) -> None:
    session, wire = await follow(house, NEVER)
    house.publish()
    line = house.hub._fanout._turns._line
    for _ in range(20):
        if not line:
            await tick()
    assert line, "the frame waits for its turn"
    house.broker.interrupt()
    house.broker.restore()
    house.hub.unsubscribe(session, 7)
    await until(lambda: not line, "the turn is over")
    assert kinds(wire) == ["snapshot", "heartbeat", "heartbeat"]


async def test_while_access_is_in_doubt_nothing_that_was_merged_leaves(house: House, soon: None) -> None:
    session, wire = await follow(house, 50)
    _, trusted = await follow(house, 50, user=2)
    house.publish()
    await until(lambda: kinds(wire) == ["snapshot", "merged"], "the first frame comes at once")
    began = now_ms()
    house.publish()
    house.hub.suspend(session)
    house.publish()
    await until(lambda: kinds(trusted) == ["snapshot", "merged", "merged"], "the next frame")
    assert kinds(wire) == ["snapshot", "merged"]
    house.hub.resume(session)
    await until(lambda: kinds(wire)[2:] == ["gap", "snapshot"], "gap and snapshot")
    assert began <= wire.frames()[2]["since"] + MARGIN_MS < began + 40
    house.publish()
    await until(lambda: kinds(wire)[-1] == "merged", "it goes on as it asked")


@pytest.mark.parametrize("interval", [0, 1_000])
async def test_a_gap_that_waits_for_its_snapshot_survives_a_change_of_access(
    house: House, monkeypatch: pytest.MonkeyPatch, interval: int
) -> None:
    session, wire = await follow(house, interval)
    answering = asyncio.Event()
    answer = MemoryBroker.latest

    async def latest(broker: MemoryBroker, site: int) -> dict[str, bytes]:
        await answering.wait()
        return await answer(broker, site)

    monkeypatch.setattr(MemoryBroker, "latest", latest)
    house.broker.interrupt()
    lost = now_ms()
    house.broker.restore()
    await until(lambda: now_ms() > lost + 50, "some time")
    house.hub.suspend(session)
    house.hub.resume(session)
    answering.set()
    await until(lambda: "gap" in kinds(wire), "the gap")
    gap = next(frame for frame in wire.frames() if frame["type"] == "gap")
    assert gap["since"] + MARGIN_MS <= lost


# Changing one's mind ------------------------------------------------------------------------------------------------


async def test_another_interval_begins_with_a_fresh_snapshot_and_the_same_one_changes_nothing(
    house: House, soon: None
) -> None:
    session, wire = await follow(house, 0)
    house.hub.subscribe(session, 7, NEVER)
    house.publish()
    await until(lambda: kinds(wire)[-1] == "snapshot" and kinds(wire).count("snapshot") == 2, "a fresh snapshot")
    house.publish()
    await until(lambda: kinds(wire)[-1] == "merged", "merged from now on")
    house.hub.subscribe(session, 7, NEVER)
    house.publish()
    await tick(5)
    assert kinds(wire).count("snapshot") == 2
    before = len(wire.frames())
    house.hub.subscribe(session, 7, 0)
    await until(lambda: kinds(wire)[before:] == ["snapshot"], "a snapshot in which what was merged is")
    house.publish()
    await until(lambda: kinds(wire)[before:] == ["snapshot", "telemetry"], "every batch from now on")
    picture = pictured(wire)
    assert picture.points["edge_1", "grid_meter.power_0"][1] == house.seq
    assert not picture.holes
    assert "gap" not in kinds(wire)


async def test_who_changes_its_interval_while_redis_is_away_is_told_of_the_gap_too(house: House) -> None:
    session, wire = await follow(house, 0)
    house.broker.interrupt()
    house.hub.subscribe(session, 7, 1_000)
    await tick(5)
    house.broker.restore()
    await until(lambda: kinds(wire)[-2:] == ["gap", "snapshot"], "gap and snapshot")
    house.publish()
    await until(lambda: kinds(wire)[-1] == "merged", "it goes on as it asked last")


async def test_who_leaves_leaves_nothing_to_merge_behind(house: House) -> None:
    session, wire = await follow(house, 30)
    house.hub.subscribe(session, 8, 30)
    await until(lambda: kinds(wire) == ["snapshot", "snapshot"], "snapshots")
    for site in (7, 8):
        house.publish(site)
    house.hub.unsubscribe(session, 7)
    await until(lambda: kinds(wire)[2:] == ["merged"], "a frame")
    assert wire.frames()[2]["site"] == "site_8"
    assert house.broker.watched == frozenset({8})
    house.hub.subscribe(session, 7, 0)
    await until(lambda: kinds(wire)[3:] == ["snapshot"], "it begins anew")
    house.publish()
    await until(lambda: kinds(wire)[4:] == ["telemetry"], "every batch")


# On a real socket ---------------------------------------------------------------------------------------------------


async def test_a_phone_that_asks_for_a_frame_a_second_gets_merged_frames_only(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = start(redis)

    def publish(seq: int) -> None:
        redis.admin.hset(keys.telemetry_latest(7), "edge_1", batch(seq))
        redis.admin.publish(keys.telemetry_channel(7), batch(seq))

    publish(1)
    async with await Viewer.login(service.url, ALICE) as phone:
        for interval in (-1, 60_001):
            await phone.send(type="subscribe", sites=["site_7"], interval=interval)
            refused = await phone.next("error")
            assert refused["code"] == 400
            assert "1 to 60000" in refused["message"]
        await phone.send(type="subscribe", sites=["site_7"], interval=300)
        assert (await phone.next("snapshot"))["batches"][0]["seq"] == 1
        seq, arrivals = 1, []
        while len(arrivals) < 2:
            publish(seq := seq + 1)
            await asyncio.sleep(0.02)
            arrivals = [frame for frame in phone.frames if frame["type"] == "merged"]
        assert {"telemetry", "gap"}.isdisjoint(phone.types())
        assert [frame["interval"] for frame in arrivals] == [1_000, 1_000]
        [(first, until_then)], [(then, last)] = map(ranges, arrivals)
        assert (first, then) == (2, until_then + 1)
        assert last - then >= 3, "a second's batches in one frame"
        assert list(arrivals[1]["batches"][0]["readings"][0]["values"].values()) == [last]
