"""Home Assistant's MQTT discovery: what devices say of themselves under `homeassistant/.../config`. Pure.

Sensors, binary sensors, switches and numbers become points; the rest, and what only a template program could read, is
named with the reason why it is left out. Abbreviations and `~` are as in Home Assistant's documentation of discovery.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiomqtt
import msgspec

from ems_edge.drivers.mqtt_payload import MAX_BYTES

PREFIX = "homeassistant"
KINDS = ("sensor", "binary_sensor", "switch", "number")

_LONG = {
    "avty": "availability",
    "avty_t": "availability_topic",
    "cmd_t": "command_topic",
    "cmd_tpl": "command_template",
    "cmps": "components",
    "dev": "device",
    "ids": "identifiers",
    "mdl": "model",
    "mf": "manufacturer",
    "obj_id": "object_id",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_cla": "state_class",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_t": "state_topic",
    "t": "topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
_CONFIG = re.compile(r"(?P<kind>[a-z_]+)/(?:[A-Za-z0-9_-]+/)?(?P<object>[A-Za-z0-9_-]+)/config\Z")
_TEMPLATE = re.compile(r"\{\{\s*value_json(?P<path>[^|}]+?)\s*(?P<filters>(?:\|[^|}]+)*)\}\}\Z")
_LONGEST_TEMPLATE = 300
_FILTER = re.compile(r"\|\s*(float|int|round)(\s*\([^()]*\))?\s*")
_STEP = re.compile(r"""\.(?P<name>[A-Za-z_]\w*)|\[\s*(?:(?P<index>\d+)|'(?P<one>[^']+)'|"(?P<two>[^"]+)")\s*\]""")


@dataclass(frozen=True, slots=True)
class Entity:
    """One value of a device. `path` is this driver's own, None for a plain payload. Texts are those for off and on."""

    kind: str
    id: str
    name: str
    topic: str
    path: str | None = None
    unit: str = ""
    counts: bool = False
    states: tuple[str, str] | None = None
    command_topic: str | None = None
    commands: tuple[str, str] | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(slots=True)
class HomeDevice:
    """`availability` is topic, online, offline. `left_out`: entity -> why."""

    id: str
    name: str
    maker: str = ""
    model: str = ""
    availability: tuple[str, str, str] | None = None
    entities: list[Entity] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


class _UnusableError(ValueError):
    """An entity that is left out; the message says why."""


def discovered(messages: Iterable[tuple[str, bytes]], prefix: str = PREFIX) -> list[HomeDevice]:
    """The devices that these (topic, payload) announce. Never raises; what is no announcement is skipped."""
    devices: dict[str, HomeDevice] = {}
    for topic, payload in messages:
        found = _CONFIG.match(topic.removeprefix(f"{prefix}/")) if topic.startswith(f"{prefix}/") else None
        config = _document(payload)
        if found is None or config is None:
            continue
        parts = {found["object"]: {**config, "platform": found["kind"]}}
        if found["kind"] == "device":  # one announcement for all of a device's entities
            common = {name: value for name, value in config.items() if name != "components"}
            listed = config.get("components")
            inner = {name: _expanded(part) for name, part in listed.items()} if isinstance(listed, dict) else {}
            parts = {name: {**common, **part} for name, part in inner.items()}
        for name, part in parts.items():
            _take(devices, name, part)
    for device in devices.values():
        device.entities.sort(key=lambda entity: (entity.name, entity.id))
    return sorted(devices.values(), key=lambda device: device.id)


def _take(devices: dict[str, HomeDevice], object_id: str, config: Mapping[str, Any]) -> None:
    about = _expanded(config.get("device"))
    ids = about.get("identifiers")
    known = ids[0] if isinstance(ids, list) and ids else ids
    device_id = str(known or about.get("name") or object_id)
    device = devices.setdefault(device_id, HomeDevice(device_id, str(about.get("name") or device_id)))
    device.maker = device.maker or str(about.get("manufacturer") or "")
    device.model = device.model or str(about.get("model") or "")
    try:
        device.entities.append(_entity(object_id, config))
        device.availability = device.availability or _availability(config)
    except _UnusableError as why:
        device.left_out[object_id] = str(why)


def _entity(object_id: str, config: Mapping[str, Any]) -> Entity:
    kind = str(config.get("platform"))
    if kind not in KINDS:
        raise _UnusableError(f"a {kind} is no point")
    return Entity(
        kind,
        object_id,
        str(config.get("name") or object_id),
        topic=_topic(config, "state_topic"),
        path=_path(config.get("value_template")),
        unit=str(config.get("unit_of_measurement") or ""),
        counts=config.get("state_class") in ("total", "total_increasing"),
        **_switched(kind, config),
    )


def _switched(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """What else an entity has that is on or off, or that can be set."""
    more: dict[str, Any] = {}
    if kind in ("binary_sensor", "switch"):
        commands = str(config.get("payload_off", "OFF")), str(config.get("payload_on", "ON"))
        more["states"] = str(config.get("state_off", commands[0])), str(config.get("state_on", commands[1]))
        if kind == "switch":
            more |= {"command_topic": _topic(config, "command_topic"), "commands": commands}
    if kind == "number":
        if str(config.get("command_template", "{{ value }}")).replace(" ", "") != "{{value}}":
            raise _UnusableError("its command is a template program")
        more["command_topic"] = _topic(config, "command_topic")
        more["minimum"], more["maximum"] = _number(config.get("min", 1)), _number(config.get("max", 100))
        if not more["minimum"] < more["maximum"]:
            raise _UnusableError("its limits are none")
    return more


def _topic(config: Mapping[str, Any], name: str) -> str:
    topic = str(config.get(name) or "")
    try:
        if set(topic) & set("{}"):
            raise ValueError(topic)
        return aiomqtt.Topic(topic).value
    except ValueError:
        raise _UnusableError(f"it has no {name} that can be used") from None


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _UnusableError("its limits are no numbers")
    try:
        return float(value)
    except OverflowError:
        raise _UnusableError("its limits are none") from None


def _path(template: object) -> str | None:
    """`{{ value_json.ENERGY['Power'] | float }}` -> ENERGY.Power; conversions may follow, and nothing else."""
    text = "" if template is None else str(template).strip()
    if text.replace(" ", "") in ("{{value}}", ""):
        return None
    # A path is short; over a long text the expression below would go back and forth for minutes.
    found = _TEMPLATE.match(text) if len(text) <= _LONGEST_TEMPLATE else None
    if found is None or _FILTER.sub("", found["filters"]).strip():
        raise _UnusableError("its value is a template program")
    path, at = "", 0
    while step := _STEP.match(found["path"], at):
        word = step["name"] or step["one"] or step["two"]
        plain = word is not None and not set(word) & set('.[]"')
        path += f"[{step['index']}]" if word is None else f".{word}" if plain else f'["{word}"]'
        at = step.end()
    if at < len(found["path"]) or not path or '"' in path.replace('["', "").replace('"]', ""):
        raise _UnusableError("its value is a template program")
    return path.removeprefix(".")


def _availability(config: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Of several topics the first: more is seldom, and one that is offline is enough."""
    several = config.get("availability")
    first = _expanded(several[0]) if isinstance(several, list) and several else {}
    topic = first.get("topic") or config.get("availability_topic")
    if not topic:
        return None
    online, offline = (
        str(first.get(name) or config.get(name) or usual)
        for name, usual in (("payload_available", "online"), ("payload_not_available", "offline"))
    )
    return _topic({"topic": _based(str(topic), config)}, "topic"), online, offline


def _document(payload: bytes) -> dict[str, Any] | None:
    if len(payload) > MAX_BYTES:
        return None
    try:
        document = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return _expanded(document) if isinstance(document, dict) else None


def _expanded(config: object) -> dict[str, Any]:
    """Long names for the short ones, and whole topics for those that begin or end with `~`."""
    if not isinstance(config, dict):
        return {}
    named = {_LONG.get(str(name), str(name)): value for name, value in config.items()}
    return {
        name: _based(value, named) if name.endswith("topic") and isinstance(value, str) else value
        for name, value in named.items()
    }


def _based(topic: str, config: Mapping[str, Any]) -> str:
    base = config.get("~")
    if isinstance(base, str) and topic.startswith("~"):
        return base + topic[1:]
    return topic[:-1] + base if isinstance(base, str) and topic.endswith("~") else topic
