"""The hub and its fan-out, without a network: a broker in memory and wires that are read by hand."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

import pytest
from ems_realtime.hub import Hub
from ems_realtime.metrics import Metrics
from ems_realtime.outbox import Outbox
from ems_realtime.session import Session
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from realtime_support.deadline import until
from realtime_support.house import ALERT, COMMAND, SETTINGS, House, kinds, tick
from realtime_support.wires import SlowWire


def applied(frames: list[dict[str, Any]]) -> list[list[int]]:
    """What a client sees that keeps the rule: one list of seqs for each stretch between gaps."""
    stretches: list[list[int]] = [[]]
    floor = 0
    for frame in frames:
        if frame["type"] == "gap":
            stretches.append([])
        elif frame["type"] == "snapshot":
            floor = max((found["seq"] for found in frame["batches"]), default=0)
            stretches[-1] += [floor] if floor else []
        elif frame["type"] == "telemetry":
            stretches[-1] += [found["seq"] for found in frame["batches"] if found["seq"] > floor]
    return stretches


STEPS = st.lists(
    st.sampled_from(["publish", "publish", "publish", "tick", "enter", "leave", "interrupt", "suspend", "busy"]),
    max_size=60,
)


@given(STEPS)
@example(["enter", "tick", "tick", "tick", "enter", "busy", "tick", "publish"])  # pending while a snapshot is read
@hypothesis_settings(max_examples=60)
def test_between_two_gaps_a_viewer_sees_every_seq_once(steps: list[str]) -> None:
    async def story() -> None:
        house = House()
        await house.start()
        everyone: list[tuple[Session, SlowWire]] = []
        suspended: list[Session] = []
        for step in steps:
            match step:
                case "publish":
                    house.publish()
                case "tick":
                    await tick()
                case "busy":  # batches wait for company
                    turns = house.hub._fanout._turns
                    turns._busy, turns._measured = 0.01, asyncio.get_running_loop().time()
                case "enter":
                    session, wire = house.enter(1, [7])
                    house.hub.subscribe(session, 7)
                    everyone.append((session, wire))
                case "leave" if everyone:
                    session, _ = everyone[0]
                    if session not in suspended:
                        house.hub.unsubscribe(session, 7)
                        house.hub.remove(session)
                        everyone.pop(0)
                case "interrupt":
                    house.broker.interrupt()
                    house.publish()  # nobody hears it
                    await tick()
                    house.broker.restore()
                case "suspend" if everyone:
                    session, wire = everyone[-1]
                    if session in suspended:
                        suspended.remove(session)
                        house.hub.resume(session)
                    else:
                        suspended.append(session)
                        house.hub.suspend(session)
        for session in suspended:
            house.hub.resume(session)
        last = house.publish()
        for session, wire in everyone:
            await until(lambda wire=wire: (applied(wire.frames())[-1] or [0])[-1] == last, f"{session} sees the last")
            for stretch in applied(wire.frames()):
                assert stretch == list(range(stretch[0], stretch[-1] + 1)) if stretch else True
        await house.stop()

    asyncio.run(story())


async def test_batches_that_come_together_leave_in_one_frame_made_once(house: House) -> None:
    wires = []
    for user in range(3):
        session, wire = house.enter(user, [7])
        house.hub.subscribe(session, 7)
        wires.append(wire)
    await until(lambda: all(kinds(wire) == ["snapshot"] for wire in wires), "snapshots")
    for _ in range(5):
        house.publish()
    await until(lambda: all(kinds(wire) == ["snapshot", "telemetry"] for wire in wires), "one frame")
    assert [found["seq"] for found in wires[0].frames()[1]["batches"]] == [1, 2, 3, 4, 5]
    assert house.metrics.value("batches") == 5
    assert house.metrics.value("deliveries") == 15


async def test_a_slow_reader_gets_a_gap_and_a_snapshot_and_holds_up_nobody(house: House) -> None:
    (slow, slow_wire), (quick, quick_wire) = house.enter(1, [7], instant=False), house.enter(2, [7])
    for session in (slow, quick):
        house.hub.subscribe(session, 7)
    await until(lambda: kinds(quick_wire) == ["snapshot"], "the snapshot")
    for _ in range(100):
        house.publish(points=20)
        await tick(3)
    last = house.publish(points=20)
    await until(lambda: applied(quick_wire.frames()) == [list(range(1, last + 1))], "the quick one has all")
    assert slow_wire.buffered() <= SETTINGS.outbox_bytes
    house.broker.publish_alert(7, json.dumps(ALERT).encode())
    house.broker.publish_command(7, json.dumps(COMMAND).encode())
    assert slow_wire.waiting.count(b'"alert"') == 2, "an alert is never left out"
    assert slow_wire.waiting.count(b'"type":"command","site"') == 1, "nor is a command"
    slow_wire.instant = True
    slow_wire.drain()
    await until(lambda: "gap" in kinds(slow_wire), "the gap")
    gap = next(frame for frame in slow_wire.frames() if frame["type"] == "gap")
    assert gap["reason"] == "slow_reader"
    assert kinds(slow_wire)[kinds(slow_wire).index("gap") + 1] == "snapshot"
    assert applied(slow_wire.frames())[-1][-1] == last
    assert house.metrics.value("gaps", reason="slow_reader") == 1


async def test_a_frozen_reader_is_closed_as_too_slow(house: House) -> None:
    frozen, wire = house.enter(1, [7], instant=False)
    house.hub.subscribe(frozen, 7)
    await until(lambda: wire.closed, "it is closed")
    assert wire.closed is not None
    assert wire.closed[0] == 4413
    assert frozen.closed


async def test_alerts_beyond_the_bound_end_the_session_instead_of_being_dropped(house: House) -> None:
    session, wire = house.enter(1, [7], instant=False)
    house.hub.subscribe(session, 7)
    await until(wire.buffered, "the snapshot")
    sent = 0
    while wire.closed is None:
        house.broker.publish_alert(7, json.dumps({**ALERT, "message": "m" * 1_000}).encode())
        sent += 1
    assert wire.closed[0] == 4413
    assert wire.waiting.count(b'"type":"alert"') == sent - 1
    assert sent > SETTINGS.outbox_bytes / 1_200


async def test_a_suspended_session_gets_nothing_of_any_site_until_it_is_resumed(house: House) -> None:
    session, wire = house.enter(1, [7, 8])
    for site in (7, 8):
        house.hub.subscribe(session, site)
    await until(lambda: kinds(wire) == ["snapshot", "snapshot"], "snapshots")
    house.publish()
    house.hub.suspend(session)
    house.publish()
    for site in (7, 8):
        house.broker.publish_alert(site, json.dumps(ALERT).encode())
        house.broker.publish_command(site, json.dumps(COMMAND).encode())
    await tick(10)
    assert kinds(wire) == ["snapshot", "snapshot"]
    house.hub.unsubscribe(session, 8)
    house.hub.resume(session)
    await until(lambda: kinds(wire)[2:] == ["alert", "command", "gap", "snapshot"], "what was withheld")
    assert all(frame["site"] == "site_7" for frame in wire.frames()[2:])


async def test_steps_of_commands_and_what_rules_did_go_to_whoever_watches_the_site(house: House) -> None:
    session, wire = house.enter(1, [7])
    _, other_wire = house.enter(2, [7, 8])
    house.hub.subscribe(session, 7)
    await until(lambda: kinds(wire) == ["snapshot"], "the snapshot")
    rule = {"v": 1, "type": "control", "id": "e", "rule": "r", "point": "battery.power", "action": "started", "ts": 1}
    for site in (7, 8):
        house.broker.publish_command(site, json.dumps({**COMMAND, "unknown": "<b>"}).encode())
        house.broker.publish_command(site, json.dumps(rule).encode())
    command, control = wire.frames()[1:]
    assert command == {"type": "command", "site": "site_7", "command": COMMAND}
    assert control == {"type": "control", "site": "site_7", "control": rule}
    assert kinds(other_wire) == []
    assert house.metrics.value("commands") == 2


@pytest.mark.parametrize(
    "payload",
    [b"\xff", b"[" * 5_000, b'{"type":"config","v":1,"revision":"a","ts":1}', b'{"id":"' + b"a" * 70_000 + b'"}'],
)
async def test_what_is_no_event_of_a_command_is_dropped_and_counted(house: House, payload: bytes) -> None:
    session, wire = house.enter(1, [7])
    house.hub.subscribe(session, 7)
    await until(lambda: kinds(wire) == ["snapshot"], "the snapshot")
    house.broker.publish_command(7, payload)
    assert kinds(wire) == ["snapshot"]
    assert house.metrics.value("dropped", reason="command") == 1


async def test_an_interruption_gives_everyone_a_gap_and_a_snapshot_and_says_whether_it_hears(house: House) -> None:
    session, wire = house.enter(1, [7])
    house.hub.subscribe(session, 7)
    await until(lambda: kinds(wire) == ["snapshot"], "the snapshot")
    house.broker.interrupt()
    assert wire.frames()[-1] | {"server_time": 0} == {"type": "heartbeat", "live": False, "server_time": 0}
    late, late_wire = house.enter(2, [7])
    house.hub.subscribe(late, 7)
    await tick(10)
    assert kinds(late_wire) == []
    house.broker.restore()
    await until(lambda: kinds(wire)[2:] == ["heartbeat", "gap", "snapshot"], "gap and snapshot")
    assert wire.frames()[3]["reason"] == "interrupted"
    await until(lambda: kinds(late_wire) == ["heartbeat", "snapshot"], "the late one's first snapshot")


async def test_silence_is_broken_by_heartbeats(house: House) -> None:
    _, wire = house.enter(1, [7])
    await until(lambda: kinds(wire) == ["heartbeat"], "a heartbeat", 6.0)


async def test_it_forgets_a_session_that_is_gone_everywhere(house: House) -> None:
    session, wire = house.enter(1, [7])
    house.hub.subscribe(session, 7)
    house.hub.remove(session)
    house.hub.remove(session)
    await tick(5)
    assert house.broker.watched == frozenset()
    assert house.hub.users == []
    assert kinds(wire) == []
    house.hub.send(session, b"never")
    assert not wire.taken


async def test_draining_closes_everyone_with_a_restart_and_refuses_the_late(house: House) -> None:
    wires = [house.enter(user, [7])[1] for user in range(20)]
    began = asyncio.get_running_loop().time()
    await house.hub.drain(0.2)
    assert 0.15 <= asyncio.get_running_loop().time() - began < 1.0
    assert {wire.closed[0] for wire in wires if wire.closed} == {1012}
    late = SlowWire()
    house.hub.add(Session("192.0.2.1", Outbox(late, 1_000, 0.0)))
    assert late.closed is not None
    assert late.closed[0] == 1012


async def test_too_many_from_one_address_are_refused(house: House) -> None:
    hub = Hub(house.broker, dataclasses.replace(SETTINGS, max_sockets_per_address=2), Metrics())
    wires = [SlowWire() for _ in range(4)]
    for number, wire in enumerate(wires):
        hub.add(Session("192.0.2.1" if number < 3 else "192.0.2.2", Outbox(wire, 1_000, 0.0)))
    assert [wire.closed and wire.closed[0] for wire in wires] == [None, None, 4429, None]
