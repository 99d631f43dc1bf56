"""A battery whose setpoint can be commanded, and its edge, which says things."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import redis

from commands.models import Command, CommandStep
from commands.relay import Relay
from ems_contract import PROTOCOL_VERSION, keys
from ems_contract.commands import Command as Message
from ems_contract.commands import CommandEvent, CommandState
from ems_contract.control import ControlAction
from ems_contract.control import ControlEvent as ControlMessage
from sites.models import Edge, Point, Site
from testing.cast import Cast, ClientOf, EdgeKit, edge_kit

URL = "/api/commands"
NOW = int(time.time() * 1000)
Hear = Callable[[], None]


def battery_on(site: Site, device: str = "battery") -> EdgeKit:
    """Its point takes -50 kW to 40 kW and goes back to 0."""
    kit = edge_kit(site, device)
    point = kit.point
    point.writable, point.minimum, point.maximum, point.default = True, -50_000.0, 40_000.0, 0.0
    point.save()
    return kit


@pytest.fixture
def battery(cast: Cast) -> EdgeKit:
    return battery_on(cast.own)


def body(point: Point, **fields: Any) -> dict[str, Any]:
    return {"site": point.site_id, "point": point.pk, "value": -20_000.0, **fields}


def states(command: Command) -> list[str]:
    return list(CommandStep.objects.filter(command=command).values_list("state", flat=True))


def rule_event(**fields: Any) -> ControlMessage:
    said: dict[str, Any] = {
        "id": "6f1d7a52-1",
        "rule": "peak_shaving",
        "point": "battery.active_power",
        "action": ControlAction.STARTED,
        "ts": NOW,
        "value": 4_000.0,
        "input": 91_000.0,
    }
    return ControlMessage(v=PROTOCOL_VERSION, **{**said, **fields})


def in_stream(edge: Edge, client: redis.Redis) -> list[Message]:
    entries: Any = client.xrange(keys.commands_stream(edge.site_id, edge.pk))
    return [msgspec.json.decode(fields[b"command"], type=Message) for _, fields in entries]


@dataclass(frozen=True)
class Said:
    """What an edge says; `relay` lets the worker hear it."""

    client: redis.Redis
    edge: Edge

    def raw(self, payload: bytes, field: str = keys.EVENT_FIELD) -> None:
        self.client.xadd(keys.edge_events_stream(self.edge.site_id, self.edge.pk), {field: payload})

    def event(self, event: msgspec.Struct) -> None:
        self.raw(msgspec.json.encode(event))

    def about(self, command: Command, state: CommandState, **fields: Any) -> None:
        said = {"ts": int(time.time() * 1000), "point": command.point_key, "value": command.value, **fields}
        self.event(CommandEvent(v=PROTOCOL_VERSION, id=str(command.uid), state=state, **said))

    @property
    def waiting(self) -> int:
        return int(self.client.xlen(keys.edge_events_stream(self.edge.site_id, self.edge.pk)))


@pytest.fixture
def says(battery: EdgeKit, clean_redis: redis.Redis) -> Said:
    """The battery's edge."""
    return Said(clean_redis, battery.edge)


@pytest.fixture
def hear() -> Hear:
    """One turn of the worker's job."""
    return Relay().run


@pytest.fixture
def command(cast: Cast, battery: EdgeKit, client_of: ClientOf) -> Command:
    """Given by Max and sent: -20 kW for a quarter of an hour."""
    answer = client_of(cast.max).post(URL, body(battery.point, lease=900), format="json")
    assert answer.status_code == 201, answer.content
    return Command.objects.get(uid=answer.json()["id"])


@dataclass(frozen=True)
class Watching:
    """Subscribed to a site's commands channel."""

    subscriber: Any

    def heard(self, number: int) -> list[dict[str, Any]]:
        """The next messages; fails if they do not come in 5 s."""
        messages: list[dict[str, Any]] = []
        until = time.monotonic() + 5
        while len(messages) < number:
            assert time.monotonic() < until, f"{len(messages)} of {number} messages: {messages}"
            message = self.subscriber.get_message(ignore_subscribe_messages=True, timeout=0.1)
            if message is not None:
                messages.append(msgspec.json.decode(message["data"]))
        return messages

    @property
    def silent(self) -> bool:
        return self.subscriber.get_message(ignore_subscribe_messages=True, timeout=0.05) is None


@pytest.fixture
def watching(cast: Cast, clean_redis: redis.Redis) -> Any:
    subscriber = clean_redis.pubsub()
    subscriber.subscribe(keys.commands_channel(cast.own.pk))
    assert subscriber.get_message(timeout=5) is not None
    yield Watching(subscriber)
    subscriber.close()
