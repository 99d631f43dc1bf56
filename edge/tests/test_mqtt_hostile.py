"""What may come from a broker: anything, and any amount of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest
from edge_support.broker import Broker
from edge_support.mqtt import PLUG, Watcher, device, driver, linked, reads
from edge_support.waiting import until
from ems_contract.points import Reason
from ems_edge.drivers.mqtt_payload import Payload

STATE = json.dumps({"power": 1250.5, "energy": {"total": 3.185}})


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    started = Broker(tmp_path / "broker")
    yield started
    started.kill()


HOSTILE = {
    "a number that is none": b'{"power": NaN}',
    "a number beyond all": b'{"power": 1e999}',
    "a number of a thousand digits": b'{"power": 1' + b"0" * 1000 + b"}",
    "a depth without end": b'{"power": ' * 200_000,
    "depth in brackets": b"[" * 500_000,
    "ten megabytes": b'{"power": "' + b"x" * 10_000_000 + b'"}',
    "bad UTF-8": b'{"power": "\xff\xfe"}',
    "half a document": b'{"power": 1250.5',
    "a list": b'{"power": [1]}',
    "an object": b'{"power": {"now": 1}}',
    "a text": b'{"power": "__import__(\'os\')"}',
    "something else": b"\x00\x01\x02",
}


async def test_nothing_that_is_said_breaks_the_driver(broker: Broker) -> None:
    async with driver() as made:
        plug, watcher = device(made, broker), Watcher()
        plug.watch(watcher)
        await linked(plug)
        for what, payload in HOSTILE.items():
            await broker.say("plug/state", STATE)
            await reads(plug, "power", 1250.5)
            await broker.say("plug/state", payload)
            wanted = Reason.OUT_OF_RANGE if "digits" in what else Reason.GARBLED
            await reads(plug, "power", wanted)
        await until(lambda: watcher.of("power")[-1:] == [Reason.GARBLED], "it is told")
        await broker.say("plug/state", b"")
        await reads(plug, "power", Reason.NO_VALUE)
        for payload in (b"x" * 100_000, b"\xff", b"maybe", b""):
            await broker.say("plug/online", payload)
        await broker.say("plug/state", STATE)
        await reads(plug, "power", 1250.5)


async def test_a_retained_time_that_no_clock_has_costs_nothing(broker: Broker) -> None:
    timed = PLUG.replace("path: power}", "path: power, time: at}")
    async with driver() as made:
        await broker.say("plug/state", b'{"power": 5, "at": 1' + b"0" * 400 + b"}", retain=True)
        plug = device(made, broker, timed)
        await reads(plug, "power", 5.0)
        await broker.say("plug/state", STATE)
        await reads(plug, "power", 1250.5)


async def test_topics_without_end_do_not_fill_the_memory(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ems_edge.drivers.mqtt_device.MOST_TOPICS", 10)
    async with driver() as made:
        plug = device(made, broker, PLUG.replace("{id}/state", "+/state"), id="plug")
        for number in range(100):
            plug.topics["+/state"](f"{number}/state", Payload(STATE.encode()), False)
        assert len(plug._said) == 10


async def test_a_thousand_messages_a_second_and_never_the_last_lost(broker: Broker) -> None:
    """Ten devices, 100 messages a second each; what is told is less, and ends with the last."""
    async with driver() as made:
        watchers = [Watcher() for _ in range(10)]
        plugs = [device(made, broker, id=f"plug{number}") for number in range(10)]
        for plug, watcher in zip(plugs, watchers, strict=True):
            plug.watch(watcher)
        await linked(plugs[0])
        async with aiomqtt.Client("127.0.0.1", broker.port) as sender:
            began = time.monotonic()
            for count in range(1, 101):
                for number in range(10):
                    await sender.publish(f"plug{number}/state", json.dumps({"power": count}), qos=0)
                await asyncio.sleep(max(began + count / 100 - time.monotonic(), 0))
        for plug, watcher in zip(plugs, watchers, strict=True):
            await reads(plug, "power", 100.0)
            await until(lambda watcher=watcher: watcher.of("power")[-1:] == [100.0], "the last is told")
            told = watcher.of("power")
            assert told == sorted(told)  # type: ignore[type-var]
            assert 5 < len(told) <= 100


async def test_who_falls_behind_skips_what_is_past(broker: Broker) -> None:
    async with driver() as made:
        plug, watcher = device(made, broker), Watcher()
        plug.watch(watcher)
        await linked(plug)
        async with aiomqtt.Client("127.0.0.1", broker.port) as sender:
            for count in range(3000):
                await sender.publish("plug/state", json.dumps({"power": count}), qos=0)
        await reads(plug, "power", 2999.0)
        assert len(watcher.told) < 1000
