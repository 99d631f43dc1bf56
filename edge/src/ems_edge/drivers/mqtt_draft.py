"""A profile, drafted from what a device announced to Home Assistant. Pure. It is where an integrator begins."""

from __future__ import annotations

import re
from typing import Any

import yaml
from ems_contract.points import UNITS

from ems_edge.drivers.mqtt_discovery import Entity, HomeDevice

_KEY_LENGTH = 48
_OTHER_UNITS: dict[str, dict[str, Any]] = {
    "kW": {"unit": "W", "scale": 1000},
    "MW": {"unit": "W", "scale": 1000000},
    "mW": {"unit": "W", "scale": 0.001},
    "kWh": {"unit": "Wh", "scale": 1000},
    "MWh": {"unit": "Wh", "scale": 1000000},
    "kVA": {"unit": "VA", "scale": 1000},
    "kvar": {"unit": "var", "scale": 1000},
    "mV": {"unit": "V", "scale": 0.001},
    "kV": {"unit": "V", "scale": 1000},
    "mA": {"unit": "A", "scale": 0.001},
    "hPa": {"unit": "Pa", "scale": 100},
    "kPa": {"unit": "Pa", "scale": 1000},
    "mbar": {"unit": "Pa", "scale": 100},
    "bar": {"unit": "Pa", "scale": 100000},
    "°F": {"unit": "°C", "scale": 5 / 9, "offset": -160 / 9},
    "min": {"unit": "s", "scale": 60},
    "d": {"unit": "h", "scale": 24},
    "L": {"unit": "m³", "scale": 0.001},
}


def draft(device: HomeDevice) -> str:
    """The profile's YAML. What is left out is named in a comment, with the reason."""
    taken: set[str] = set()
    left_out = dict(device.left_out)
    points: list[dict[str, Any]] = []
    for entity in device.entities:
        if entity.unit in UNITS or entity.unit in _OTHER_UNITS:
            points.append(_point(entity, taken))
        else:
            left_out[entity.id] = f"its unit {entity.unit} is none of ours"
    profile: dict[str, Any] = {
        "profile": _word(f"ha_{device.name}", set()),
        "name": device.name.strip() or device.id,
        "driver": "mqtt",
        "source": "The device's own announcement to Home Assistant",
        "verified": False,
    }
    if device.availability is not None:
        topic, online, offline = device.availability
        profile["availability"] = {"topic": topic, "online": online, "offline": offline}
    profile["points"] = points
    head = [f"# Drafted from the announcement of {device.maker} {device.model}. Check it, the timeout first."]
    head += [f"# Left out: {name}, because {why}." for name, why in left_out.items()]
    text = yaml.safe_dump(profile, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
    return "".join(f"{_one_line(line)}\n" for line in head) + text


def _point(entity: Entity, taken: set[str]) -> dict[str, Any]:
    point: dict[str, Any] = {"key": _word(entity.name, taken), "name": entity.name.strip() or entity.id}
    point |= _OTHER_UNITS.get(entity.unit, {"unit": entity.unit})
    if entity.counts and point["unit"] in ("Wh", "VAh", "varh", "m³"):
        point["kind"] = "register"
    point["topic"] = entity.topic
    if entity.path is not None:
        point["path"] = entity.path
    if entity.states is not None:
        off, on = entity.states
        point |= {"kind": "state", "values": {off: 0, on: 1}, "states": {0: "off", 1: "on"}, "timeout": 0}
    if entity.minimum is not None and entity.maximum is not None:
        scale, offset = point.get("scale", 1), point.get("offset", 0)
        point |= {"minimum": entity.minimum * scale + offset, "maximum": entity.maximum * scale + offset, "timeout": 0}
    if entity.command_topic is not None:
        point["writable"] = True
        point["command"] = {"topic": entity.command_topic}
        if entity.commands is not None:
            point["command"]["texts"] = {0: entity.commands[0], 1: entity.commands[1]}
    return point


def _word(text: str, taken: set[str]) -> str:
    """A key from a name: Zone-Temp 1 -> zone_temp_1; a second one becomes zone_temp_1_2."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    plain = plain if plain[:1].isalpha() else f"p_{plain}".rstrip("_")
    word, number = plain[:_KEY_LENGTH], 1
    while word in taken:
        number += 1
        end = f"_{number}"
        word = plain[: _KEY_LENGTH - len(end)] + end
    taken.add(word)
    return word


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
