"""Devices that announce themselves as for Home Assistant: what is understood, left out, and drafted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from edge_support.broker import PASSWORD, USER, Broker
from edge_support.mqtt import device, driver, linked, reads
from edge_support.waiting import free_port, until
from ems_edge.drivers.mqtt_discovery import discovered
from ems_edge.drivers.mqtt_draft import draft
from ems_edge.drivers.mqtt_scan import discover, scan
from ems_edge.problems import parse_yaml
from ems_edge.profile import check_profile
from ems_edge.profile_mqtt import MqttProfile
from hypothesis import given
from hypothesis import strategies as st

ABOUT = {"ids": ["plug_1"], "name": "Boiler plug", "mf": "ACME", "mdl": "P1"}
POWER = {
    "~": "boiler/",
    "name": "Power",
    "stat_t": "~SENSOR",
    "val_tpl": "{{ value_json.ENERGY['Power'] | float }}",
    "unit_of_meas": "kW",
    "avty_t": "~LWT",
    "pl_avail": "Online",
    "pl_not_avail": "Offline",
    "dev": ABOUT,
}
ANNOUNCED: dict[str, Any] = {
    "homeassistant/sensor/plug_1/power/config": POWER,
    "homeassistant/sensor/plug_1_energy/config": {
        "name": "Energy",
        "state_topic": "boiler/SENSOR",
        "value_template": "{{ value_json['ENERGY'].Total[0] | round(3) }}",
        "unit_of_measurement": "kWh",
        "state_class": "total_increasing",
        "device": ABOUT,
    },
    "homeassistant/sensor/plug_1_outside/config": {
        "name": "Outside",
        "state_topic": "boiler/outside",
        "unit_of_measurement": "°F",
        "device": ABOUT,
    },
    "homeassistant/switch/plug_1_relay/config": {
        "name": "Relay",
        "state_topic": "boiler/relay",
        "command_topic": "boiler/relay/set",
        "payload_on": "an",
        "payload_off": "aus",
        "device": ABOUT,
    },
    "homeassistant/number/plug_1_limit/config": {
        "name": "Limit",
        "state_topic": "boiler/limit",
        "command_topic": "boiler/limit/set",
        "min": 0,
        "max": 3.5,
        "unit_of_measurement": "kW",
        "device": ABOUT,
    },
    "homeassistant/sensor/plug_1_clever/config": {
        "state_topic": "boiler/SENSOR",
        "value_template": "{% if value_json.a %}1{% else %}0{% endif %}",
        "device": ABOUT,
    },
    "homeassistant/sensor/plug_1_lux/config": {"state_topic": "boiler/lux", "unit_of_meas": "lx", "device": ABOUT},
    "homeassistant/light/plug_1_led/config": {"command_topic": "boiler/led", "device": ABOUT},
    "homeassistant/device/meter_2/config": {
        "dev": {"ids": "meter_2", "name": "Meter"},
        "o": {"name": "meter2mqtt"},
        "cmps": {
            "import": {"p": "sensor", "name": "Power", "stat_t": "meter/power", "unit_of_meas": "W"},
            "door": {"p": "binary_sensor", "name": "Power", "stat_t": "meter/door"},
        },
    },
}  # fmt: skip


def messages(announced: dict[str, Any]) -> list[tuple[str, bytes]]:
    return [(topic, json.dumps(config).encode()) for topic, config in announced.items()]


def profile_of(text: str) -> MqttProfile:
    profile = check_profile(parse_yaml(text, "draft.yaml"))
    assert isinstance(profile, MqttProfile)
    return profile


def test_entities_are_gathered_by_their_device() -> None:
    meter, plug = discovered(messages(ANNOUNCED))
    assert (plug.id, plug.name, plug.maker, plug.model) == ("plug_1", "Boiler plug", "ACME", "P1")
    assert plug.availability == ("boiler/LWT", "Online", "Offline")
    assert [entity.name for entity in plug.entities] == ["Energy", "Limit", "Outside", "Power", "Relay", "plug_1_lux"]
    assert plug.left_out == {
        "plug_1_clever": "its value is a template program",
        "plug_1_led": "a light is no point",
    }
    assert [entity.id for entity in meter.entities] == ["door", "import"]


def test_a_draft_is_a_profile() -> None:
    meter, plug = (draft(found) for found in discovered(messages(ANNOUNCED)))
    profile = profile_of(plug)
    energy, limit, outside, power, relay = profile.points
    assert (profile.profile, profile.verified) == ("ha_boiler_plug", False)
    assert (power.unit, power.scale, power.topic, power.path) == ("W", 1000, "boiler/SENSOR", "ENERGY.Power")
    assert (energy.unit, energy.kind.value, energy.path) == ("Wh", "register", "ENERGY.Total[0]")
    assert profile.source_of(outside).scaling.value(212) == pytest.approx(100)
    assert (relay.values, relay.states) == ({"aus": 0, "an": 1}, {0: "off", 1: "on"})
    assert relay.command is not None
    assert relay.command.texts == {0: "aus", 1: "an"}
    assert (limit.maximum, limit.scale) == (3500, 1000)
    assert "# Left out: plug_1_lux, because its unit lx is none of ours.\n" in plug
    assert [point.key for point in profile_of(meter).points] == ["power", "power_2"]


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{{ value_json.a }}", "a"),
        ("{{value_json['em:0'].act_power}}", "em:0.act_power"),
        ("{{ value_json['a.b'][2] | int }}", '["a.b"][2]'),
        ('{{ value_json["a"] | float(0) | round(1) }}', "a"),
        ("{{ value }}", None),
    ],
)
def test_a_template_that_only_points_is_a_path(template: str, path: str | None) -> None:
    announced = {"homeassistant/sensor/a/config": {**POWER, "val_tpl": template}}
    [found] = discovered(messages(announced))
    assert [entity.path for entity in found.entities] == [path]


@pytest.mark.parametrize(
    "template",
    [
        "{{ value_json.a * 2 }}",
        "{{ value_json.a | default(0) + 1 }}",
        "{{ value_json }}",
        "{{ states('sensor.x') }}",
        "{{ value_json.a }}{{ value_json.b }}",
        "{{ value_json['a\"b'] }}",
        "{{ value_json.__class__.__init__() }}",
        "{{ value_json" + " " * 100_000 + "x |",
    ],
)
def test_a_template_that_does_more_is_left_out(template: str) -> None:
    announced = {"homeassistant/sensor/a/config": {**POWER, "val_tpl": template}}
    [found] = discovered(messages(announced))
    assert not found.entities
    assert found.left_out == {"a": "its value is a template program"}


def test_a_limit_that_no_number_holds_leaves_the_entity_out() -> None:
    announced = {"homeassistant/number/a/config": {"stat_t": "a", "cmd_t": "b", "min": 0, "max": 10**400}}
    [found] = discovered(messages(announced))
    assert found.left_out == {"a": "its limits are none"}


_WORDS = st.sampled_from([*POWER, "cmps", "p", "min", "max", "cmd_t", "pl_on", "ids", "avty", "t"])
_CONFIG = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["sensor", "a/b", "{{ value }}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=6),
    max_leaves=20,
)


@given(_CONFIG, st.sampled_from(["sensor", "switch", "number", "binary_sensor", "device", "climate"]))
def test_whatever_is_announced_the_draft_of_it_is_a_profile_or_there_is_none(config: Any, kind: str) -> None:
    topic = f"homeassistant/{kind}/x/config"
    announced = [(topic, json.dumps(config).encode()), ("homeassistant/status", b"online"), (topic + "/x", b"[" * 999)]
    for found in discovered(announced):
        text = draft(found)
        assert "\npoints: []\n" in text or profile_of(text).points


async def test_a_broker_is_scanned_and_what_is_found_is_read(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker")
    try:
        for topic, payload in messages(ANNOUNCED):
            await broker.say(topic, payload, retain=True)
        where = {"host": "127.0.0.1", "port": broker.port}
        found = [one async for one in scan(where, patience=0.2)]
        assert [one.name for one in found] == ["Meter", "Boiler plug"]
        assert found[1].says["points"] == "Energy, Limit, Outside, Power, Relay, plug_1_lux"
        _, plug = await discover(where, patience=0.2)
        async with broker.listening("boiler/relay/set") as heard, driver() as made:
            ours = device(made, broker, draft(plug))
            await linked(ours)
            await broker.say("boiler/LWT", "Online", retain=True)
            await broker.say("boiler/SENSOR", json.dumps({"ENERGY": {"Power": 1.25, "Total": [7.5, 1]}}))
            await broker.say("boiler/relay", "an")
            await reads(ours, "power", 1250.0)
            await reads(ours, "energy", 7500.0)
            await reads(ours, "relay", 1.0)
            await ours.write("relay", 0)
            await until(lambda: heard == ["aus"], "the command")
    finally:
        broker.kill()


async def test_a_scan_without_a_broker_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ems_edge.drivers.mqtt_scan.ANSWER", 0.5)
    secured = Broker(tmp_path / "broker", secured=True)
    try:
        with pytest.raises(OSError, match=r"refuses the username|not authorised"):
            await discover({"host": "127.0.0.1", "port": secured.port, "username": USER, "password": "wrong"})
        right = {"host": "127.0.0.1", "port": secured.port, "username": USER, "password": PASSWORD}
        assert await discover(right, patience=0.05) == []
    finally:
        secured.kill()
    with pytest.raises(OSError, match="refused"):
        await discover({"host": "127.0.0.1", "port": free_port()})
    with pytest.raises(ValueError, match="base: there is no such field"):
        await discover({"host": "127.0.0.1", "base": "x"})
