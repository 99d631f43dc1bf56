"""Commands are given through the API: recorded, limited, put on the edge's stream."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import pytest
import redis

from commands.models import Command
from ems_contract import keys
from ems_contract.commands import Command as Message
from sites.models import Point
from testing.cast import Cast, ClientOf, EdgeKit, edge_kit

URL = "/api/commands"


@pytest.fixture
def kit(cast: Cast) -> EdgeKit:
    kit = edge_kit(cast.own, "battery")
    point = kit.point
    point.writable, point.minimum, point.maximum, point.default = True, -50_000.0, 40_000.0, 0.0
    point.save()
    return kit


def body(point: Point, **fields: Any) -> dict[str, Any]:
    return {"site": point.site_id, "point": point.pk, "value": -20_000.0, **fields}


def stream(kit: EdgeKit, client: redis.Redis) -> list[Message]:
    entries: Any = client.xrange(keys.commands_stream(kit.edge.site_id, kit.edge.pk))
    return [msgspec.json.decode(fields[b"command"], type=Message) for _, fields in entries]


def test_it_is_recorded_and_put_on_its_edges_stream(
    cast: Cast, kit: EdgeKit, client_of: ClientOf, clean_redis: redis.Redis
) -> None:
    answer = client_of(cast.max).post(URL, body(kit.point, lease=900), format="json")
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert told["state"] == "sent"
    assert told["edge"] == kit.edge.pk
    assert told["requested_by"] == {"id": cast.max.pk, "name": "Max"}
    assert [step["state"] for step in told["history"]] == ["requested", "sent"]
    (message,) = stream(kit, clean_redis)
    assert (message.id, message.point, message.value, message.lease) == (
        told["id"],
        kit.point.key,
        -20_000.0,
        900,
    )
    assert message.expires - message.requested == 30_000
