"""Profiles of MQTT devices: what they may say, and what the built-in ones make of their makers' payloads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from edge_support.mqtt import PLUG
from ems_contract.points import Reason
from ems_edge.config import check_config
from ems_edge.decode import Value
from ems_edge.drivers.mqtt import MqttDriver
from ems_edge.drivers.mqtt_payload import Payload
from ems_edge.drivers.mqtt_source import MqttSpec, TopicSource, fill
from ems_edge.problems import ConfigError, Document, parse_yaml
from ems_edge.profile import Profiles, check_profile


def test_a_good_profile_is_taken() -> None:
    profile = check_profile(parse_yaml(PLUG, "plug.yaml"))
    spec = profile.spec("plug", {"host": "broker", "id": "kitchen"}, 1.0)
    assert isinstance(spec, MqttSpec)
    assert [source.topic for source in spec.points if isinstance(source, TopicSource)][:3] == [
        "{id}/state",
        "{id}/state",
        "{id}/relay",
    ]
    assert spec.availability is not None
    assert (spec.availability.online, spec.availability.offline) == ("online", "offline")
    relay = profile.contract_points("plug")[2]
    assert (relay.writable, relay.states) == (True, {"0": "off", "1": "on"})


@pytest.mark.parametrize(
    ("old", "new", "field", "remedy"),
    [
        ('topic: "{id}/state"', 'topic: "{ide}/state"', "topic", "declare it in variables: {ide: what it is}"),
        ('topic: "{id}/state"', "topic: a/#", "topic", "with + for whole levels"),
        ('topic: "{id}/state"', "topic: a/b+", "topic", "with + for whole levels"),
        ('topic: "{id}/state"\n', "", "points[0].topic", "give the point a topic"),
        ('"{id}/online"', '"{id}/+"', "availability.topic", "without # and +"),
        ('"{id}/relay/set"', '"+/relay/set"', "points[2].command.topic", "without # and +"),
        ("{id: its topic}", "{id: its topic, base: unused}", "variables.base", "leave it out"),
        ("{id: its topic}", "{id: its topic, host: mine}", "variables.host", "another lower-case word"),
        ("{id: its topic}", "{id: its topic, value: mine}", "variables.value", "another lower-case word"),
        ("path: power", "path: 'power['", "points[0].path", "ENERGY.Power[0]"),
        ("path: power", "path: power, time: .", "points[0].time", "ENERGY.Power[0]"),
        ("path: power", "pth: power", "points[0].pth", "did you mean 'path'?"),
        ("timeout: 30", "timeout: -1", "timeout", "-1 stands there"),
        ('"ON": 1}\n    states', '"ON": 2}\n    states', "points[2].values", "add it to states"),
        ('texts: {0: "OFF", 1: "ON"}', 'texts: {0: "OFF", 2: "ON"}', "points[2].command.texts", "leave 2 out"),
        (', texts: {0: "OFF", 1: "ON"}', ", payload: ON", "points[2].command.payload", "put {value} where it belongs"),
        (
            '    command: {topic: "{id}/limit/set", payload: \'{"kw":{value}}\'}\n',
            "",
            "points[3].command",
            "leave writable",
        ),
        ("    maximum: 5000\n    writable: true\n", "", "points[3].writable", "write writable: true"),
    ],
)
def test_a_mistake_names_its_field_and_remedy(old: str, new: str, field: str, remedy: str) -> None:
    assert old in PLUG
    with pytest.raises(ConfigError) as caught:
        check_profile(parse_yaml(PLUG.replace(old, new), "plug.yaml"))
    assert caught.value.field == field
    assert remedy in str(caught.value)


def configured(**connection: Any) -> Document:
    where = {"host": "10.0.0.5", "id": "tasmota_5014E2", **connection}
    where = {name: value for name, value in where.items() if value is not None}
    device = {"key": "plug", "name": "Plug", "driver": "mqtt", "profile": "tasmota_energy", "connection": where}
    return Document("edge.yaml", {"revision": "1", "devices": [device]})


def test_a_connection_has_the_profiles_variables() -> None:
    plan = check_config(configured(port=8883, tls=True, username="u", password="secret", timeout=10), Profiles())
    driver, spec = plan.devices["plug"]
    assert (driver, spec.connection["id"]) == ("mqtt", "tasmota_5014E2")
    assert "secret" not in repr(plan)


@pytest.mark.parametrize(
    ("connection", "field", "words"),
    [
        ({"id": None}, "id", "is missing; add it: the device's topic"),
        ({"idd": "x"}, "idd", "did you mean 'id'?"),
        ({"id": "a/#"}, "id", "cannot be a part of a topic"),
        ({"id": ""}, "id", "cannot be a part of a topic"),
        ({"id": "a\0b"}, "id", "cannot be a part of a topic"),
        ({"id": 1.5}, "id", "cannot be a part of a topic"),
        ({"host": ""}, "host", "expected str of length >= 1"),
        ({"port": 70000}, "port", "expected int <= 65535"),
        ({"tls": "yes"}, "tls", "expected bool"),
        ({"password": 17}, "password", "'[redacted]' stands there"),
    ],
)
def test_a_mistake_in_a_connection_names_its_field(connection: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_config(configured(**connection), Profiles())
    assert caught.value.field == f"devices[0].connection.{field}"
    assert words in str(caught.value)


def test_the_driver_refuses_what_the_configuration_would() -> None:
    profile = Profiles().get("tasmota_energy")
    for connection, words in (
        ({"host": "b"}, "id is missing from its connection"),
        ({"host": "b", "id": "+"}, "id: '\\+' cannot be a part of a topic"),
        ({"host": "b", "id": "a", "port": 0}, "Expected `int` >= 1"),
    ):
        with pytest.raises(ValueError, match=f"plug: .*{words}"):
            MqttDriver().device(profile.spec("plug", connection, 1.0))


TASMOTA = {
    "tele/x/SENSOR": {
        "Time": "2026-02-04T23:17:01",
        "ENERGY": {
            "Total": 3.185,
            "Yesterday": 3.058,
            "Today": 0.127,
            "Power": 52,
            "ApparentPower": 66,
            "ReactivePower": 40,
            "Factor": 0.79,
            "Voltage": 221,
            "Current": 0.278,
        },
    },
    "stat/x/POWER": "ON",
}
SWITCH = {
    "x/status/switch:0": {
        "id": 0,
        "source": "switch",
        "output": False,
        "apower": 12.5,
        "voltage": 238.2,
        "current": 0.06,
        "aenergy": {"total": 0.134, "by_minute": [0, 0, 0], "minute_ts": 1632600459},
        "temperature": {"tC": 49.5, "tF": 121.1},
    }
}
PRO_3EM = {
    "x/status/em:0": {
        "id": 0,
        "a_current": 1.1, "a_voltage": 231.2, "a_act_power": 253.0, "a_aprt_power": 254.0, "a_pf": 0.99, "a_freq": 50.0,
        "b_current": 2.2, "b_voltage": 232.3, "b_act_power": 510.0, "b_aprt_power": 511.0, "b_pf": 0.98, "b_freq": 50.1,
        "c_current": 3.3, "c_voltage": 233.4, "c_act_power": -770.0, "c_aprt_power": 771.0, "c_pf": 0.97,
        "n_current": None, "total_current": 6.6, "total_act_power": -7.0, "total_aprt_power": 1536.0,
    },
    "x/status/emdata:0": {"id": 0, "total_act": 6000.25, "total_act_ret": 60},
}  # fmt: skip
VICTRON = {
    "N/x/system/0/Ac/Grid/L1/Power": {"value": 936},
    "N/x/system/0/Ac/Consumption/L2/Power": {"value": None},
    "N/x/system/0/Dc/Battery/Power": {"value": -1520.5},
    "N/x/system/0/Dc/Battery/Soc": {"value": 81},
    "N/x/system/0/Dc/Battery/State": {"value": 2},
    "N/x/grid/30/Ac/Energy/Forward": {"value": 1234.56},
    "N/x/hub4/0/AcPowerSetpoint": {"value": -100},
}
EM3 = {
    "shellies/x/emeter/0/power": "-312.45",
    "shellies/x/emeter/2/total": "12345.6",
    "shellies/x/relay/0": "overpower",
}


@pytest.mark.parametrize(
    ("profile", "said", "expected"),
    [
        (
            "tasmota_energy",
            TASMOTA,
            {"active_power": 52.0, "energy_import": 3185.0, "power_factor": 0.79, "relay": 1.0, "voltage": 221.0},
        ),
        ("shelly_plus_plug", SWITCH, {"active_power": 12.5, "energy_import": 0.134, "temperature": 49.5, "relay": 0.0}),
        ("shelly_plus_1pm", SWITCH, {"active_power": 12.5, "voltage": 238.2, "current": 0.06}),
        (
            "shelly_pro_3em",
            PRO_3EM,
            {"active_power": -7.0, "active_power_l3": -770.0, "voltage_l2": 232.3, "energy_import": 6000.25},
        ),
        ("shelly_em3", EM3, {"active_power_l1": -312.45, "energy_import_l3": 12345.6, "relay": 2.0}),
        (
            "victron_gx",
            VICTRON,
            {
                "grid_power_l1": 936.0,
                "consumption_l2": Reason.NO_VALUE,
                "battery_power": 1520.5,
                "state_of_charge": 81.0,
                "battery_state": 2.0,
                "grid_energy_import": 1234560.0,
                "grid_setpoint": -100.0,
            },
        ),
    ],
)
def test_a_profile_understands_its_device(profile: str, said: dict[str, Any], expected: dict[str, Value]) -> None:
    found = Profiles().get(profile)
    assert found.source.count("https://") >= 1
    values: dict[str, Value] = {}
    for source in found.sources():
        assert isinstance(source, TopicSource)
        topic = fill(source.topic, dict.fromkeys(("id", "base", "portal"), "x"))
        for where, payload in said.items():
            if where == topic.replace("/+/", "/30/"):
                text = payload if isinstance(payload, str) else json.dumps(payload)
                values[source.name] = Payload(text.encode()).value(source)
    assert {name: values[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("profile", "point", "value", "topic", "payload"),
    [
        ("tasmota_energy", "relay", 1, "cmnd/x/POWER", "ON"),
        ("shelly_em3", "relay", 0, "shellies/x/relay/0/command", "off"),
        ("victron_gx", "grid_setpoint", -100, "W/x/hub4/0/AcPowerSetpoint", '{"value":-100}'),
        (
            "shelly_plus_plug",
            "relay",
            1,
            "x/rpc",
            '{"id":1,"src":"ems","method":"Switch.Set","params":{"id":0,"on":true}}',
        ),
    ],
)
def test_a_command_is_as_the_maker_wants_it(profile: str, point: str, value: float, topic: str, payload: str) -> None:
    source = next(source for source in Profiles().get(profile).sources() if source.name == point)
    assert isinstance(source, TopicSource)
    assert source.command is not None
    names = {**dict.fromkeys(("id", "base", "portal"), "x"), "value": source.command.text(value)}
    assert (fill(source.command.topic, names), fill(source.command.payload, names)) == (topic, payload)
