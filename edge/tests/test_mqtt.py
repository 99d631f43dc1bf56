"""The MQTT driver on a real broker, with mosquitto's own clients as devices: what is said, how long that counts."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

import pytest
from edge_support.broker import Broker
from edge_support.mqtt import PLUG, Watcher, device, driver, linked, reads, reasons
from edge_support.waiting import free_port, stays, until
from ems_contract.points import Reason
from ems_edge.driver import PushingDevice, WritableDevice, WriteError

STATE = json.dumps({"power": 1250.5, "energy": {"total": 3.185}})
ALL = {"power": 1250.5, "energy": 3185.0, "relay": 1.0, "limit": -2500.0}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.kill()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A topic prefix that no other test uses."""
    return str(request.node.name).replace("[", "_").replace("]", "")[:60]


async def everything(broker: Broker, name: str) -> None:
    await broker.say(f"{name}/state", STATE)
    await broker.say(f"{name}/relay", "ON")
    await broker.say(f"{name}/limit", "-2.5")


async def test_what_a_device_publishes_is_read(broker: Broker, name: str) -> None:
    async with driver() as made:
        plug = device(made, broker, id=name)
        assert isinstance(plug, PushingDevice)
        assert isinstance(plug, WritableDevice)
        await linked(plug)
        assert reasons(await plug.read()) == {Reason.NOT_POLLED}
        await everything(broker, name)
        await reads(plug, "limit", -2500.0)
        assert await plug.read() == ALL


async def test_before_a_connection_everything_is_lost_and_nothing_waits(broker: Broker, name: str) -> None:
    async with driver() as made:
        assert reasons(await device(made, broker, id=name).read()) == {Reason.CONNECTION_LOST}


async def test_changes_are_told_as_they_come_and_only_changes(broker: Broker, name: str) -> None:
    async with driver() as made:
        plug, watcher = device(made, broker, id=name), Watcher()
        plug.watch(watcher)
        await linked(plug)
        await broker.say(f"{name}/relay", "OFF")
        await until(lambda: watcher.of("relay") == [0.0], "the first")
        await broker.say(f"{name}/relay", "OFF")
        await broker.say(f"{name}/relay", "ON")
        await until(lambda: watcher.of("relay") == [0.0, 1.0], "the change")
        await broker.say(f"{name}/relay", "NEITHER")
        await until(lambda: watcher.of("relay")[2:] == [Reason.OUT_OF_RANGE], "what cannot be")


async def test_a_silent_point_is_bad_after_its_timeout_and_what_is_said_once_stays(broker: Broker, name: str) -> None:
    async with driver() as made:
        plug = device(made, broker, id=name, timeout=0.4)
        await linked(plug)
        await everything(broker, name)
        await reads(plug, "limit", -2500.0)
        await reads(plug, "power", Reason.TIMEOUT)
        values = await plug.read()
        assert (values["relay"], values["limit"]) == (1.0, -2500.0)
        await broker.say(f"{name}/state", STATE)
        await reads(plug, "power", 1250.5)


async def test_a_device_that_never_spoke_is_bad_for_its_silence(broker: Broker, name: str) -> None:
    async with driver() as made:
        plug = device(made, broker, id=name, timeout=0.2)
        await reads(plug, "power", Reason.TIMEOUT)
        assert (await plug.read())["relay"] is Reason.NOT_POLLED


async def test_a_retained_message_is_a_value_until_its_timeout(broker: Broker, name: str) -> None:
    await broker.say(f"{name}/state", STATE, retain=True)
    async with driver() as made:
        plug = device(made, broker, id=name, timeout=0.4)
        await reads(plug, "power", 1250.5)
        await reads(plug, "power", Reason.TIMEOUT)


async def test_a_retained_message_is_as_old_as_it_says(broker: Broker, name: str) -> None:
    profile = PLUG.replace("path: power}", "path: power, time: at}")
    await broker.say(f"{name}/state", json.dumps({"power": 7, "at": time.time() - 31}), retain=True)
    async with driver() as made:
        plug = device(made, broker, profile, id=name)
        await linked(plug)
        await reads(plug, "power", Reason.TIMEOUT)
        await broker.say(f"{name}/state", json.dumps({"power": 8, "at": time.time() - 31}))
        await reads(plug, "power", 8.0)  # said just now, whatever the device's clock shows


async def test_a_profile_may_not_believe_what_is_retained(broker: Broker, name: str) -> None:
    await broker.say(f"{name}/state", STATE, retain=True)
    async with driver() as made:
        plug = device(made, broker, PLUG + "retained: false\n", id=name)
        await linked(plug)
        await broker.say(f"{name}/limit", "1")
        await reads(plug, "limit", 1000.0)
        assert (await plug.read())["power"] is Reason.NOT_POLLED


async def test_the_last_will_of_a_device_makes_it_lost_until_it_is_back(broker: Broker, name: str) -> None:
    async with driver() as made:
        plug, watcher = device(made, broker, id=name), Watcher()
        plug.watch(watcher)
        await linked(plug)
        async with broker.device(f"{name}/online", "online", "offline") as process:
            await everything(broker, name)
            await reads(plug, "limit", -2500.0)
            process.kill()
            await reads(plug, "power", Reason.CONNECTION_LOST)
            assert reasons(await plug.read()) == {Reason.CONNECTION_LOST}
            await until(lambda: watcher.of("relay")[-1:] == [Reason.CONNECTION_LOST], "it is told")
        async with broker.device(f"{name}/online", "online", "offline"):
            await reads(plug, "relay", Reason.NOT_POLLED)  # it may have been switched while it was away
            await broker.say(f"{name}/relay", "OFF")
            await reads(plug, "relay", 0.0)


async def test_a_device_that_is_asked_says_everything(broker: Broker, name: str) -> None:
    ask = f'ask: [{{topic: "{name}/tell", payload: all}}, {{topic: "{name}/alive", every: 1}}]\n'
    async with broker.listening(f"{name}/tell") as told, broker.listening(f"{name}/alive") as alive, driver() as made:
        plug = device(made, broker, PLUG + ask, id=name)
        await until(lambda: told == ["all"], "the question")
        await until(lambda: len(alive) >= 2, "the repeated one")
        async with broker.device(f"{name}/online", "online", "offline") as process:
            process.kill()
            await reads(plug, "power", Reason.CONNECTION_LOST)
        async with broker.device(f"{name}/online", "online", "offline"):
            await until(lambda: told == ["all", "all"], "the question to a device that came back")


async def test_devices_share_one_connection(broker: Broker, name: str) -> None:
    before = broker.log.count("New client connected")
    async with driver() as made:
        plugs = [device(made, broker, id=f"{name}{number}") for number in range(20)]
        await linked(plugs[0])
        late = device(made, broker, id=f"{name}late")
        for number, plug in enumerate(plugs):
            await broker.say(f"{name}{number}/limit", str(number / 10))
            await reads(plug, "limit", 100.0 * number)
        await broker.say(f"{name}late/limit", "2")
        await reads(late, "limit", 2000.0)
        said_by_us = 21
        assert broker.log.count("New client connected") - before == 1 + said_by_us


async def test_a_topic_may_leave_a_level_open(broker: Broker, name: str) -> None:
    profile = PLUG.replace('topic: "{id}/limit"\n', 'topic: "{id}/+/limit"\n')
    async with driver() as made:
        plug = device(made, broker, profile, id=name)
        await linked(plug)
        await broker.say(f"{name}/30/limit", "1.5")
        await reads(plug, "limit", 1500.0)


async def test_a_command_is_sent_and_read_back(broker: Broker, name: str) -> None:
    async with (
        broker.listening(f"{name}/relay/set") as relay,
        broker.listening(f"{name}/limit/set") as limit,
        driver() as made,
    ):
        plug = device(made, broker, id=name)
        await plug.write("relay", 1.0)  # the first connection is waited for
        await until(lambda: relay == ["ON"], "the command")
        reading = asyncio.create_task(plug.read_back("relay"))
        await broker.say(f"{name}/relay", "ON")
        assert await reading == 1.0
        await plug.write("limit", -2345.6)
        await until(lambda: limit == ['{"kw":-2.3456}'], "the command")
        reading = asyncio.create_task(plug.read_back("limit"))
        await broker.say(f"{name}/limit", "-2")
        await stays(lambda: not reading.done(), "it waits for what was written", 0.3)
        await broker.say(f"{name}/limit", "-2.3456")
        assert await reading == -2345.6


async def test_what_a_device_made_of_a_command_is_told(
    broker: Broker, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ems_edge.drivers.mqtt_device.READ_BACK", 0.5)
    async with driver() as made:
        plug = device(made, broker, id=name)
        await linked(plug)
        await broker.say(f"{name}/relay", "ON")
        await reads(plug, "relay", 1.0)
        await plug.write("relay", 1.0)
        assert await plug.read_back("relay") == 1.0  # it is so already, and says nothing
        await plug.write("relay", 0.0)
        assert await plug.read_back("relay") is Reason.TIMEOUT
        await plug.write("limit", 4000.0)
        await broker.say(f"{name}/limit", "3.5")
        assert await plug.read_back("limit") == 3500.0  # clipped by the device


async def test_what_cannot_be_written_is_refused(broker: Broker, name: str) -> None:
    async with broker.listening(f"{name}/#") as heard, driver() as made:
        nowhere = device(made, broker, id=name, port=free_port())
        with pytest.raises(WriteError, match=r"plug.relay was not written: no connection to the broker") as lost:
            await nowhere.write("relay", 1.0)
        assert lost.value.reason is Reason.CONNECTION_LOST
        plug = device(made, broker, id=name)
        await linked(plug)
        with pytest.raises(ValueError, match=r"2 is none of 0, 1"):
            await plug.write("relay", 2.0)
        with pytest.raises(ValueError, match="not a number"):
            await plug.write("limit", float("nan"))
        with pytest.raises(ValueError, match=r"plug.power cannot be written"):
            await plug.write("power", 1.0)
        with pytest.raises(WriteError, match="cannot be given up") as given_up:
            await plug.write("limit", None)
        assert given_up.value.reason is Reason.OTHER
        await broker.say(f"{name}/online", "offline")
        await reads(plug, "power", Reason.CONNECTION_LOST)
        with pytest.raises(WriteError, match="the device is offline"):
            await plug.write("relay", 1.0)
        await until(lambda: heard == ["offline"], "only what the test said")
