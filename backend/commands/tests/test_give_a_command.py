"""Commands are given through the API: checked, recorded, put on the edge's stream, shown."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import redis

from audit.models import AuditEvent
from commands.models import Command
from commands.tests.conftest import URL, Watching, body, in_stream
from ems_contract import keys
from sites.models import Point
from sites.tests.test_tokens_on_sites import token_client
from testing.cast import Cast, ClientOf, EdgeKit


def test_it_is_recorded_and_put_on_its_edges_stream(
    cast: Cast, battery: EdgeKit, client_of: ClientOf, clean_redis: redis.Redis
) -> None:
    answer = client_of(cast.max).post(URL, body(battery.point, lease=900), format="json")
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert told["state"] == "sent"
    assert told["edge"] == battery.edge.pk
    assert told["requested_by"] == {"id": cast.max.pk, "name": "Max"}
    assert [step["state"] for step in told["history"]] == ["requested", "sent"]
    (message,) = in_stream(battery.edge, clean_redis)
    assert (message.id, message.point, message.value, message.lease) == (
        told["id"],
        battery.point.key,
        -20_000.0,
        900,
    )
    assert message.expires - message.requested == 30_000
    assert message.requested_by == f"user_{cast.max.pk}"


def test_whoever_watches_the_site_is_told(
    cast: Cast, battery: EdgeKit, client_of: ClientOf, watching: Watching
) -> None:
    given = client_of(cast.max).post(URL, body(battery.point), format="json").json()
    (message,) = watching.heard(1)
    assert (message["type"], message["id"], message["state"]) == ("command", given["id"], "sent")
    assert (message["point"], message["value"]) == (battery.point.key, -20_000.0)


def test_every_step_is_in_the_audit_log_with_who_did_it(cast: Cast, command: Command) -> None:
    events = list(AuditEvent.objects.filter(action__startswith="command.").order_by("id"))
    assert [event.action for event in events] == ["command.created", "command.changed"]
    assert {event.actor_name for event in events} == {"max@example.com"}
    assert events[1].after is not None
    assert events[1].after["state"] == "sent"
    assert events[1].target == command.point_key


def test_the_same_id_with_the_same_content_is_the_same_command(
    cast: Cast, battery: EdgeKit, client_of: ClientOf, clean_redis: redis.Redis
) -> None:
    client, said = client_of(cast.max), body(battery.point, id=str(uuid.uuid4()))
    first, again = (client.post(URL, said, format="json") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(in_stream(battery.edge, clean_redis)) == 1


@pytest.mark.parametrize("other", [{"value": 1.0}, {"lease": 60}, {"expires_in": 31}])
def test_the_same_id_with_another_content_is_refused(
    cast: Cast, battery: EdgeKit, client_of: ClientOf, clean_redis: redis.Redis, other: dict[str, Any]
) -> None:
    client, said = client_of(cast.max), body(battery.point, id=str(uuid.uuid4()))
    client.post(URL, said, format="json")
    answer = client.post(URL, {**said, **other}, format="json")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:ems:problem:replayed"
    assert len(in_stream(battery.edge, clean_redis)) == 1


def test_somebody_elses_id_is_refused(cast: Cast, battery: EdgeKit, client_of: ClientOf) -> None:
    said = body(battery.point, id=str(uuid.uuid4()))
    client_of(cast.max).post(URL, said, format="json")
    assert client_of(cast.alice).post(URL, said, format="json").status_code == 409


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"value": 40_001.0}, "value", "Above the maximum, 40000 W."),
        ({"value": -50_001.0}, "value", "Below the minimum, -50000 W."),
        ({"value": "NaN"}, "value", "A valid number is required."),
        ({"value": None, "lease": 5}, "lease", "Only a value is held for a time; leave this out."),
        ({"lease": 86_401}, "lease", "Ensure this value is less than or equal to 86400."),
        ({"expires_in": 3_601}, "expires_in", "Ensure this value is less than or equal to 3600."),
        ({"requested_by": 1}, "requested_by", "There is no such field."),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_name(
    cast: Cast, battery: EdgeKit, client_of: ClientOf, wrong: dict[str, Any], field: str, sentence: str
) -> None:
    answer = client_of(cast.max).post(URL, body(battery.point, **wrong), format="json")
    assert answer.status_code == 400
    assert {"field": field, "message": sentence} in answer.json()["errors"]
    assert not Command.objects.exists()


def test_a_point_that_is_read_only_takes_none(cast: Cast, battery: EdgeKit, client_of: ClientOf) -> None:
    Point.objects.filter(pk=battery.point.pk).update(writable=False)
    answer = client_of(cast.max).post(URL, body(battery.point), format="json")
    assert answer.json()["errors"] == [{"field": "point", "message": "battery.active_power is read-only."}]


def test_a_lease_needs_a_default_to_go_back_to(cast: Cast, battery: EdgeKit, client_of: ClientOf) -> None:
    Point.objects.filter(pk=battery.point.pk).update(default=None)
    answer = client_of(cast.max).post(URL, body(battery.point, lease=60), format="json")
    assert answer.json()["errors"][0]["field"] == "lease"


@pytest.mark.parametrize(("value", "status"), [(1.0, 201), (2.0, 400), (0.5, 400), (None, 201)])
def test_a_state_takes_its_numbers_only(
    cast: Cast, battery: EdgeKit, client_of: ClientOf, value: float | None, status: int
) -> None:
    Point.objects.filter(pk=battery.point.pk).update(kind="state", states={"0": "off", "1": "on"})
    assert client_of(cast.max).post(URL, body(battery.point, value=value), format="json").status_code == status


def test_a_point_of_another_site_is_refused_as_one_that_does_not_exist(
    cast: Cast, battery: EdgeKit, client_of: ClientOf
) -> None:
    client = client_of(cast.alice)
    other, absent = (
        client.post(URL, {**body(battery.point), "site": cast.other.pk, "point": point}, format="json")
        for point in (battery.point.pk, 999_999)
    )
    assert other.status_code == absent.status_code == 400
    assert other.json() == absent.json()


def test_a_viewer_and_an_operator_where_the_site_forbids_it_give_none(
    cast: Cast, battery: EdgeKit, client_of: ClientOf
) -> None:
    assert client_of(cast.bob).post(URL, body(battery.point), format="json").status_code == 403
    assert client_of(cast.olga).post(URL, body(battery.point), format="json").status_code == 403
    cast.own.operators_may_control = True
    cast.own.save()
    assert client_of(cast.bob).post(URL, body(battery.point), format="json").status_code == 403
    assert client_of(cast.olga).post(URL, body(battery.point), format="json").status_code == 201


def test_who_may_view_the_site_sees_its_commands_and_nobody_else(
    cast: Cast, command: Command, client_of: ClientOf
) -> None:
    shown = client_of(cast.bob).get(f"{URL}/{command.uid}").json()
    assert shown["point_key"] == command.point_key
    listed = client_of(cast.bob).get(f"{URL}?site={cast.own.pk}&state=sent&ordering=-requested").json()
    assert [each["id"] for each in listed["results"]] == [str(command.uid)]
    charlie = client_of(cast.charlie)
    absent = charlie.get(f"{URL}/{uuid.uuid4()}")
    assert (charlie.get(f"{URL}/{command.uid}").status_code, absent.status_code) == (404, 404)
    assert charlie.get(URL).json()["count"] == 0


def test_an_access_token_needs_the_scope_control(cast: Cast, battery: EdgeKit) -> None:
    for scopes, status in ((["read", "reports", "alerts", "manage"], 403), (["control"], 201)):
        client = token_client(cast.max, scopes=scopes)
        assert client.post(URL, body(battery.point), format="json").status_code == status


def test_it_is_recorded_as_failed_if_redis_takes_none(
    cast: Cast, battery: EdgeKit, client_of: ClientOf, clean_redis: redis.Redis
) -> None:
    client = client_of(cast.max)
    clean_redis.set(keys.commands_stream(cast.own.pk, battery.edge.pk), "no stream")
    answer = client.post(URL, body(battery.point), format="json")
    assert answer.status_code == 503
    command = Command.objects.get()
    assert (command.state, command.reason) == ("failed", "not_sent")


def test_a_person_who_gives_too_many_in_a_minute_is_slowed_down(
    cast: Cast, battery: EdgeKit, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.views.CommandsByPerson.rate", "2/minute")
    client = client_of(cast.max)
    answers = [client.post(URL, body(battery.point), format="json") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert client_of(cast.alice).post(URL, body(battery.point), format="json").status_code == 201
