"""Profiles of MQTT devices: on which topic, and where in its payload, a point is.

profile: tasmota_energy
name: Tasmota plug
driver: mqtt
variables: {id: "The device's topic"}   # to be given in the connection; {id} stands for it in topics and payloads
topic: tele/{id}/SENSOR                 # for points that do not say otherwise; + may stand for one level
timeout: 60                             # s without a message until a value is too old
availability: {topic: "tele/{id}/LWT", online: Online, offline: Offline}
ask: [{topic: "cmnd/{id}/STATUS", payload: "8"}]        # what makes it say everything; every: s to repeat it
points:
  - {key: active_power, name: Active power, unit: W, path: ENERGY.Power}
  - key: relay
    ...
    topic: stat/{id}/POWER              # no path: the whole payload is the value
    timeout: 0                          # only said when it changes
    values: {"OFF": 0, "ON": 1}         # what texts stand for; JSON booleans are 0 and 1 by themselves
    writable: true
    command: {topic: "cmnd/{id}/POWER", payload: "{value}", texts: {0: "OFF", 1: "ON"}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import aiomqtt
import msgspec

from ems_edge.decode import Scaling
from ems_edge.driver import DeviceSpec
from ems_edge.drivers.mqtt import Connection, check_variable
from ems_edge.drivers.mqtt_source import (
    VALUE,
    Ask,
    Availability,
    Command,
    MqttSpec,
    Path,
    TopicSource,
    parse_path,
    variables,
)
from ems_edge.problems import ConfigError, Document, did_you_mean
from ems_edge.profile_common import CommonPoint, CommonProfile

Seconds = Annotated[float, msgspec.Meta(ge=0, le=86400)]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")


class MqttCommand(msgspec.Struct, frozen=True, kw_only=True):
    topic: str
    payload: str = "{value}"
    texts: dict[int, str] = {}
    decimals: Annotated[int, msgspec.Meta(ge=0, le=12)] = 6


class MqttAvailability(msgspec.Struct, frozen=True, kw_only=True):
    topic: str
    online: str = "online"
    offline: str = "offline"


class MqttAsk(msgspec.Struct, frozen=True, kw_only=True):
    topic: str
    payload: str = ""
    every: Annotated[float, msgspec.Meta(ge=1, le=86400)] | None = None


class MqttPoint(CommonPoint, frozen=True, kw_only=True):
    topic: str | None = None
    path: str | None = None
    values: dict[str, float] = msgspec.field(default_factory=dict)
    timeout: Seconds | None = None
    time: str | None = None
    command: MqttCommand | None = None


class MqttProfile(CommonProfile, frozen=True, kw_only=True):
    driver: Literal["mqtt"]
    points: list[MqttPoint]
    topic: str | None = None
    variables: dict[str, str] = msgspec.field(default_factory=dict)
    timeout: Seconds = 60.0
    availability: MqttAvailability | None = None
    ask: list[MqttAsk] = msgspec.field(default_factory=list)
    retained: bool = True
    """False: what the broker has kept of a topic is not believed, only what is said now."""

    def all_points(self) -> list[MqttPoint]:
        return self.points

    def sources(self) -> tuple[TopicSource, ...]:
        return tuple(self.source_of(point) for point in self.points)

    def source_of(self, point: MqttPoint) -> TopicSource:
        return TopicSource(
            point.key,
            topic=point.topic or self.topic or "",
            scaling=Scaling(**point.scaling()),
            path=_path(point.path),
            values=point.values,
            timeout=point.timeout,
            time=_path(point.time),
            command=None if point.command is None else Command(**msgspec.structs.asdict(point.command)),
        )

    def spec(self, device: str, connection: dict[str, str | int | float | bool], interval: float) -> DeviceSpec:
        availability = self.availability
        return MqttSpec(
            device,
            connection,
            interval,
            self.sources(),
            None if availability is None else Availability(**msgspec.structs.asdict(availability)),
            tuple(Ask(ask.topic, ask.payload, ask.every) for ask in self.ask),
            self.timeout,
            self.retained,
        )

    def check_connection(self, document: Document, shape: type[Any]) -> None:
        """The driver's own fields, and besides them exactly the profile's variables."""
        given = document.data if isinstance(document.data, dict) else {}
        own = {name: value for name, value in given.items() if name in shape.__struct_fields__}
        Document(document.file, own if given else document.data, document.node, document.prefix).convert(shape)
        for name, value in given.items():
            if name in own:
                continue
            if name not in self.variables:
                known = [*shape.__struct_fields__, *self.variables]
                raise document.error(name, "there is no such field", did_you_mean(name, known))
            try:
                check_variable(name, value)
            except ValueError:
                raise document.error(name, f"{value!r:.60} cannot be a part of a topic", "leave out + and #") from None
        for name, meaning in self.variables.items():
            if name not in given:
                raise document.error(name, "is missing", f"add it: {meaning}")

    def check(self, document: Document) -> None:
        self._check_variables(document)
        self._check_topics(document)
        for number, point in enumerate(self.points):
            _check_point(document, point, f"points[{number}]")

    def _templates(self) -> Iterator[tuple[str, str]]:
        """(field, template) of every topic and payload."""
        if self.topic is not None:
            yield "topic", self.topic
        if self.availability is not None:
            yield "availability.topic", self.availability.topic
        for number, ask in enumerate(self.ask):
            yield f"ask[{number}].topic", ask.topic
            yield f"ask[{number}].payload", ask.payload
        for number, point in enumerate(self.points):
            if point.topic is not None:
                yield f"points[{number}].topic", point.topic
            if point.command is not None:
                yield f"points[{number}].command.topic", point.command.topic
                yield f"points[{number}].command.payload", point.command.payload

    def _check_variables(self, document: Document) -> None:
        used: set[str] = set()
        for field, template in self._templates():
            for name in variables(template):
                if name not in self.variables and not (name == VALUE and field.endswith("command.payload")):
                    remedy = f"declare it in variables: {{{name}: what it is}}"
                    raise document.error(field, f"nobody knows what {{{name}}} is", remedy)
                used.add(name)
        for name in self.variables:
            if not _NAME.match(name) or name == VALUE or name in Connection.__struct_fields__:
                remedy = "use another lower-case word"
                raise document.error(f"variables.{name}", f"{name!r} cannot be a variable", remedy)
            if name not in used:
                raise document.error(f"variables.{name}", "is used nowhere", "leave it out")

    def _check_topics(self, document: Document) -> None:
        for field, template in self._templates():
            if not field.endswith("topic"):
                continue
            heard = field == "topic" or (field.startswith("points") and not field.endswith("command.topic"))
            try:
                _ = aiomqtt.Wildcard(template) if heard and "#" not in template else aiomqtt.Topic(template)
            except ValueError:
                remedy = "write it without # and with + for whole levels" if heard else "write it without # and +"
                raise document.error(field, f"{template!r} is no topic", remedy) from None


def _path(text: str | None) -> Path | None:
    return None if text is None else parse_path(text)


def _check_point(document: Document, point: MqttPoint, at: str) -> None:
    def wrong(field: str, problem: str, remedy: str) -> ConfigError:
        return document.error(f"{at}.{field}", problem, remedy)

    for field in ("path", "time"):
        try:
            _path(getattr(point, field))
        except ValueError as error:
            raise wrong(field, str(error), "write it as in ENERGY.Power[0]") from None
    if point.topic is None and document.data.get("topic") is None:
        raise wrong("topic", "is missing", "give the point a topic, or the profile one for all")
    if point.writable and point.command is None:
        raise wrong("command", "is missing", "say how it is written, or leave writable out")
    if point.command is not None and not point.writable:
        raise wrong("writable", "is missing", "write writable: true, or leave the command out")
    if point.command is not None and VALUE not in variables(point.command.payload):
        raise wrong("command.payload", "does not say what is written", "put {value} where it belongs")
    for number in point.command.texts if point.command is not None and point.states else ():
        if number not in point.states:
            raise wrong("command.texts", f"{number} is none of the states", f"add it to states, or leave {number} out")
    for text, meant in point.values.items():
        if point.states and meant not in point.states:
            raise wrong("values", f"{text!r} stands for {meant:g}, which is none of the states", "add it to states")
