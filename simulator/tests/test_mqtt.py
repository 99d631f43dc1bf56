"""MQTT devices of a site on a real broker: what they say obeys physics, is in the ledger, and fails on demand."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ems_simulator.faults import FaultKind, FaultRequest
from ems_simulator.ledger import Ledger, Published
from ems_simulator.main import app
from ems_simulator.mqtt import Broker, broker_of
from ems_simulator.mqtt_devices import HEATER_OHM
from ems_stack import peers
from typer.testing import CliRunner

from .bench import Bench, running, until

SHELLY, PLUG = "shellypro3em-factory", "tasmota_factory"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    home = tmp_path_factory.mktemp("broker")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    (home / "conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
    process = subprocess.Popen([str(peers.program("mosquitto")), "-c", str(home / "conf")], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
    yield Broker("127.0.0.1", port)
    process.kill()
    process.wait()


@dataclass
class Heard:
    """What mosquitto_sub heard of a site: topic -> payloads, in order."""

    by_topic: dict[str, list[str]]

    def last(self, topic: str) -> Any:
        """The newest document, or None."""
        said = self.by_topic.get(topic)
        return json.loads(said[-1]) if said else None

    def texts(self, topic: str) -> list[str]:
        return self.by_topic.get(topic, [])


@contextlib.asynccontextmanager
async def listening(broker: Broker) -> AsyncIterator[Heard]:
    words = [str(peers.program("mosquitto_sub")), "-h", broker.host, "-p", str(broker.port), "-q", "1", "-F", "%t %p"]
    process = await asyncio.create_subprocess_exec(*words, "-t", "#", stdout=asyncio.subprocess.PIPE)
    heard = Heard({})

    async def listen() -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            topic, _, payload = line.decode(errors="replace").rstrip("\n").partition(" ")
            heard.by_topic.setdefault(topic, []).append(payload)

    task = asyncio.create_task(listen())
    await tell(broker, "listening", "yes")
    while not heard.texts("listening"):
        await tell(broker, "listening", "yes")
    try:
        yield heard
    finally:
        process.kill()
        await process.wait()
        await task


async def tell(broker: Broker, topic: str, payload: str) -> None:
    words = [str(peers.program("mosquitto_pub")), "-h", broker.host, "-p", str(broker.port), "-q", "1"]
    process = await asyncio.create_subprocess_exec(*words, "-t", topic, *(["-m", payload] if payload else ["-n"]))
    assert await process.wait() == 0


@dataclass
class MqttBench:
    bench: Bench
    heard: Heard
    ledger_file: Path

    def ledger(self) -> list[Published]:
        assert self.bench.runtime.mqtt is not None
        self.bench.runtime.mqtt._ledger.flush()
        return [msgspec.json.decode(line, type=Published) for line in self.ledger_file.read_bytes().splitlines()]


@contextlib.asynccontextmanager
async def connected(directory: Path, broker: Broker, speed: float = 1e-6) -> AsyncIterator[MqttBench]:
    file = directory / "factory.mqtt.ndjson"
    async with (
        listening(broker) as heard,
        running(directory, speed=speed, joined=lambda runtime: runtime.join(broker, Ledger(file))) as bench,
    ):
        await until(lambda: bench.runtime.not_ready is None)
        await until(lambda: heard.last(f"tele/{PLUG}/SENSOR") and heard.last(f"{SHELLY}/status/emdata:0"))
        yield MqttBench(bench, heard, file)
        assert bench.runtime.mqtt is not None
        await bench.runtime.mqtt.close()


async def test_the_meter_says_what_the_load_meter_measures(tmp_path: Path, broker: Broker) -> None:
    async with connected(tmp_path, broker) as running_site:
        meter, heard = running_site.bench.runtime.devices["load_meter"], running_site.heard
        em, emdata = heard.last(f"{SHELLY}/status/em:0"), heard.last(f"{SHELLY}/status/emdata:0")
        assert em["total_act_power"] == meter.value("active_power")
        phases = sum(em[f"{phase}_act_power"] for phase in "abc")
        assert phases == pytest.approx(em["total_act_power"], abs=0.05)
        for number, phase in enumerate("abc", start=1):
            assert em[f"{phase}_voltage"] == meter.value(f"voltage_l{number}")
            apparent = em[f"{phase}_voltage"] * em[f"{phase}_current"]
            assert em[f"{phase}_aprt_power"] == pytest.approx(apparent, rel=1e-3)
            assert abs(em[f"{phase}_act_power"]) <= em[f"{phase}_aprt_power"]
        assert emdata == {"id": 0, "total_act": meter.value("energy_import"), "total_act_ret": 0.0}
        assert heard.texts(f"{SHELLY}/online")[-1] == "true"


async def test_the_plug_counts_what_it_takes_and_obeys(tmp_path: Path, broker: Broker) -> None:
    async with connected(tmp_path, broker, speed=300) as running_site:
        heard, sensor = running_site.heard, f"tele/{PLUG}/SENSOR"
        await until(lambda: heard.last(sensor)["ENERGY"]["Total"] > 0.05)
        energy = heard.last(sensor)["ENERGY"]
        assert energy["Power"] == pytest.approx(energy["Voltage"] ** 2 / HEATER_OHM, rel=1e-3)
        assert energy["Current"] == pytest.approx(energy["Power"] / energy["Voltage"], rel=1e-3)
        await tell(broker, f"cmnd/{PLUG}/POWER", "OFF")
        await until(lambda: heard.texts(f"stat/{PLUG}/POWER")[-1] == "OFF")
        await tell(broker, f"cmnd/{PLUG}/TelePeriod", "")
        await until(lambda: heard.last(sensor)["ENERGY"]["Power"] == 0)
        total, count = heard.last(sensor)["ENERGY"]["Total"], len(heard.texts(sensor))
        await until(lambda: len(heard.texts(sensor)) > count + 2)
        assert heard.last(sensor)["ENERGY"]["Total"] == total
        await tell(broker, f"cmnd/{PLUG}/POWER", "TOGGLE")
        await until(lambda: heard.last(sensor)["ENERGY"]["Total"] > total)
        assert heard.last(f"stat/{PLUG}/RESULT") == {"POWER": "ON"}
        totals = [json.loads(said)["ENERGY"]["Total"] for said in heard.texts(sensor)]
        assert totals == sorted(totals)


async def test_what_was_said_is_in_the_ledger(tmp_path: Path, broker: Broker) -> None:
    async with connected(tmp_path, broker, speed=30) as running_site:
        topic = f"{SHELLY}/status/em:0"
        await tell(broker, f"{SHELLY}/command", "status_update")
        await until(lambda: len(running_site.heard.texts(topic)) > 8)
        said = [entry.payload for entry in running_site.ledger() if entry.topic == topic]
        heard = running_site.heard.texts(topic)
        assert heard[: len(said)] == said[: len(heard)]
        assert {entry.device for entry in running_site.ledger()} == {"shelly_meter", "tasmota_plug"}


async def test_a_link_that_is_cut_leaves_a_last_will(tmp_path: Path, broker: Broker) -> None:
    async with connected(tmp_path, broker) as running_site:
        runtime, heard = running_site.bench.runtime, running_site.heard
        fault = runtime.inject(FaultRequest(FaultKind.LINK_CUT, "tasmota_plug"))
        await until(lambda: heard.texts(f"tele/{PLUG}/LWT")[-1] == "Offline")
        assert heard.texts(f"{SHELLY}/online")[-1] == "true"
        assert runtime.not_ready is None  # it was asked for
        runtime.clear_faults(fault)
        await until(lambda: heard.texts(f"tele/{PLUG}/LWT")[-1] == "Online")


async def test_stuck_garbled_and_reset(tmp_path: Path, broker: Broker) -> None:
    async with connected(tmp_path, broker, speed=30) as running_site:
        runtime, heard = running_site.bench.runtime, running_site.heard
        topic = f"{SHELLY}/status/em:0"
        runtime.inject(FaultRequest(FaultKind.STUCK, "shelly_meter"))
        before = len(heard.texts(topic)) + 1
        await until(lambda: len(heard.texts(topic)) > before + 3)
        assert len(set(heard.texts(topic)[before:])) == 1
        runtime.clear_faults()
        runtime.inject(FaultRequest(FaultKind.GARBAGE, "shelly_meter"))
        before = len(heard.texts(topic)) + 1
        await until(lambda: len(heard.texts(topic)) > before + 2)
        garbage = heard.texts(topic)[before:]
        assert not {entry.payload for entry in running_site.ledger()} & set(garbage)
        runtime.clear_faults()
        runtime.inject(FaultRequest(FaultKind.COUNTER_RESET, "shelly_meter"))
        await tell(broker, f"{SHELLY}/command", "status_update")
        await until(lambda: heard.last(f"{SHELLY}/status/emdata:0")["total_act"] < 1_000_000)


@pytest.mark.parametrize(
    ("url", "expected"),
    [("mqtt://host", Broker("host", 1883, None, "p")), ("mqtt://me@[::1]:1884", Broker("::1", 1884, "me", "p"))],
)
def test_the_address_of_a_broker(url: str, expected: Broker) -> None:
    assert broker_of(url, "p") == expected


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mqtt://me:hidden@host", "set EMS_MQTT_PASSWORD"),
        ("http://host", "write mqtt://host:1883"),
        ("host:1883", "write mqtt://host:1883"),
        ("mqtt://host:port", "Port could not be cast"),
    ],
)
def test_a_wrong_address_is_told_without_its_password(url: str, words: str) -> None:
    answer = CliRunner().invoke(app, ["run", "--mqtt", url], env={"COLUMNS": "200"})
    assert answer.exit_code == 2
    assert words in answer.output
    assert "hidden" not in answer.output
