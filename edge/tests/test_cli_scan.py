"""scan: who answers, and the profile that a device makes by itself, from scan to read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from edge_support.bench import ems_edge, typed
from edge_support.broker import PASSWORD, USER, Broker
from edge_support.devices import Endpoint, endpoint, meter
from edge_support.sunspec import inverter
from edge_support.waiting import free_port
from ems_edge.cli.scan import _word


@pytest.fixture
async def served() -> AsyncIterator[Endpoint]:
    async with endpoint({2: meter(), 3: inverter()}) as found:
        yield found


def at(served: Endpoint) -> list[str]:
    return ["host=127.0.0.1", f"port={served.port}", "timeout=0.1"]


def list_of(folder: Path) -> list[Path]:
    return list(folder.glob("*.yaml"))


async def test_the_units_behind_an_address_are_found(served: Endpoint) -> None:
    said = await ems_edge("scan", "modbus", *at(served), "--units", "1-4")
    assert said.code == 0
    assert [line.split()[:2] for line in said.out.splitlines()] == [["unit", "2"], ["unit", "3"]]
    assert f"host=127.0.0.1 port={served.port} unit=2 timeout=0.1" in said.out
    found = json.loads((await ems_edge("scan", "modbus", *at(served), "--units", "2", "--json")).out)
    assert found[0]["connection"] == {"host": "127.0.0.1", "port": served.port, "unit": 2, "timeout": 0.1}


async def test_a_sunspec_device_is_scanned_drafted_validated_and_read(served: Endpoint, tmp_path: Path) -> None:
    said = await ems_edge("scan", "sunspec", *at(served), "--units", "2-3", "--draft", tmp_path)
    assert said.code == 0
    assert said.out.startswith("ACME Sun 10  host=127.0.0.1")
    assert "models 1, 103, 120, 123, 160" in said.out
    (file,) = list_of(tmp_path)
    assert file.name == "acme_sun_10.yaml"
    assert f"ems-edge validate {file}" in said.err
    assert typed("validate", file).code == 0
    read = await ems_edge("read", file, "active_power", *at(served), "unit=3")
    assert read.rows == [["active_power", "4321", "W", "good"]]
    again = await ems_edge("scan", "sunspec", *at(served), "--units", "3", "--draft", tmp_path)
    assert again.code == 0  # the profile says the same


async def test_a_profile_that_somebody_worked_on_stays_and_the_scan_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "acme_sun_10.yaml"
    async with endpoint({3: inverter(), 4: inverter()}) as served:
        file.write_text("mine")
        said = await ems_edge("scan", "sunspec", *at(served), "--units", "3-4", "--draft", tmp_path)
    assert said.code == 1
    assert len(said.out.splitlines()) == 2
    assert said.err.count("is there already; move it, or give another folder") == 2
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "word"), [("10.0 Symo", "device_10_0_symo"), ("../NULL", "device_null"), ("", "device")]
)
def test_a_profile_made_of_a_device_has_a_name_that_profiles_may_have(name: str, word: str) -> None:
    assert _word(name) == word


async def test_what_a_device_calls_itself_gives_the_terminal_no_orders(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker")
    about = {"ids": ["1"], "name": "Plug\x1b[2J\x9b31m", "manufacturer": "[bold]ACME\r\x07"}
    announced = {"name": "Power", "state_topic": "a", "device": about}
    try:
        await broker.say("homeassistant/sensor/1/config", json.dumps(announced), retain=True)
        said = await ems_edge("scan", "mqtt", "host=127.0.0.1", f"port={broker.port}", "--patience", "0.2")
    finally:
        await asyncio.to_thread(broker.kill)
    assert said.out.startswith("Plug\ufffd[2J\ufffd31m ")
    assert "[bold]ACME\ufffd\ufffd" in said.out


async def test_devices_that_announce_themselves_on_a_broker_are_found_and_drafted(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker")
    announced = {"name": "Power", "state_topic": "boiler/power", "unit_of_measurement": "W"}
    announced |= {"device": {"ids": ["plug_1"], "name": "Boiler plug"}}
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD + "\n")
    words = ["scan", "mqtt", "host=127.0.0.1", f"port={broker.port}", f"username={USER}", f"password=@{secret}"]
    try:
        await broker.say("homeassistant/sensor/plug_1/power/config", json.dumps(announced), retain=True)
        said = await ems_edge(*words, "--patience", "0.2", "--draft", tmp_path / "drafts")
        told = await ems_edge(*words, "--patience", "0.2", "--json")
    finally:
        await asyncio.to_thread(broker.kill)
    assert said.code == 0
    assert said.out.startswith("Boiler plug  host=127.0.0.1")
    assert PASSWORD not in said.out + said.err + told.out + told.err
    assert json.loads(told.out)[0]["connection"]["password"] == "[redacted]"
    (file,) = list_of(tmp_path / "drafts")
    assert typed("validate", file).code == 0


def test_where_nobody_answers_the_exit_code_is_1() -> None:
    said = typed("scan", "modbus", "host=127.0.0.1", f"port={free_port()}", "timeout=0.2", "--units", "1,2")
    assert said.code == 1
    assert said.err == "nobody answers; check address, wiring and settings, or scan a wider range\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["modbus", "host=x", "--units", "0-300"], "--units: '0-300' is no unit; write 1-247, or 1,3,10-20"),
        (["modbus", "host=x", "--units", "one"], "--units: 'one' is no unit"),
        (["modbus"], "host: is missing"),
        (["modbus", "--hosts", "10.0.0.0/8"], "scan 1024 at once"),
        (["bacnet", "somewhere"], "somewhere"),
        (["mqtt", "port=1883"], "host"),
    ],
)
def test_a_wrong_option_is_exit_code_2(words: list[str], told: str) -> None:
    said = typed("scan", *words)
    assert said.code == 2
    assert told in said.err
