"""What an edge says of its commands, its rules and its configuration is recorded once, told, and then forgotten."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest
import redis

from audit.models import AuditEvent
from commands import relay
from commands.models import Command, ControlEvent
from commands.tests.conftest import NOW, URL, Hear, Said, Watching, body, in_stream, rule_event, states
from ems_contract import PROTOCOL_VERSION, keys
from ems_contract.commands import CommandEvent, CommandState
from ems_contract.edge_events import ConfigEvent
from sites.models import Edge
from testing.cast import Cast, ClientOf, EdgeKit


def test_each_step_is_recorded_told_and_forgotten(
    command: Command, says: Said, hear: Hear, watching: Watching, clean_redis: redis.Redis
) -> None:
    until = int(time.time() * 1000) + 900_000
    says.about(command, CommandState.WRITTEN)
    says.about(command, CommandState.VERIFIED, read_back=-20_000.0, lease_until=until)
    hear()
    command.refresh_from_db()
    assert (command.state, command.read_back) == ("verified", -20_000.0)
    assert command.lease_until is not None
    assert int(command.lease_until.timestamp() * 1000) == until
    assert states(command) == ["requested", "sent", "written", "verified"]
    assert [message["state"] for message in watching.heard(2)] == ["written", "verified"]
    assert says.waiting == 0
    assert in_stream(says.edge, clean_redis) == []


def test_a_lease_that_has_ended_is_told(command: Command, says: Said, hear: Hear, watching: Watching) -> None:
    says.about(command, CommandState.VERIFIED)
    says.about(command, CommandState.REVERTED, reason="lease_ended", detail="The default is in force again.")
    hear()
    command.refresh_from_db()
    assert (command.state, command.reason, command.detail) == (
        "reverted",
        "lease_ended",
        "The default is in force again.",
    )
    assert watching.heard(2)[1]["reason"] == "lease_ended"


def test_a_step_of_an_edge_is_in_the_audit_log_with_the_edge_as_who_did_it(
    command: Command, says: Said, hear: Hear
) -> None:
    says.about(command, CommandState.REJECTED, reason="overruled")
    hear()
    event = AuditEvent.objects.filter(action="command.changed").latest("id")
    assert event.actor_name == says.edge.wire_name
    assert (event.before, event.after) == (
        {"state": "sent", "reason": ""},
        {"state": "rejected", "reason": "overruled"},
    )
    assert event.organization_id == command.organization_id


def test_what_is_said_again_or_lies_behind_changes_nothing(command: Command, says: Said, hear: Hear) -> None:
    for state in (CommandState.VERIFIED, CommandState.WRITTEN, CommandState.VERIFIED, CommandState.FAILED):
        says.about(command, state)
        hear()
    command.refresh_from_db()
    assert command.state == "verified"
    assert states(command) == ["requested", "sent", "verified"]


def test_an_edge_does_not_say_what_is_the_backends_to_say(command: Command, says: Said, hear: Hear) -> None:
    says.about(command, CommandState.REQUESTED)
    says.about(command, CommandState.SENT)
    hear()
    assert states(command) == ["requested", "sent"]
    assert says.waiting == 0


def test_the_word_of_the_edge_stands_over_an_end_that_was_only_assumed(
    command: Command, says: Said, hear: Hear
) -> None:
    Command.objects.filter(pk=command.pk).update(state="expired", reason="expired")
    says.about(command, CommandState.VERIFIED)
    hear()
    command.refresh_from_db()
    assert (command.state, command.reason) == ("verified", "")


def test_killed_after_the_commit_it_is_told_again_and_recorded_once(
    command: Command, says: Said, hear: Hear, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    says.about(command, CommandState.VERIFIED)
    says.event(rule_event())
    with monkeypatch.context() as patched:
        patched.setattr(relay, "_publish", killed)
        with pytest.raises(KeyboardInterrupt):
            hear()
    assert says.waiting == 2
    hear()
    assert states(command) == ["requested", "sent", "verified"]
    assert ControlEvent.objects.count() == 1
    assert [message["type"] for message in watching.heard(2)] == ["command", "control"]
    assert says.waiting == 0


def test_what_a_rule_did_is_recorded_once_told_and_listed(
    cast: Cast, says: Said, hear: Hear, watching: Watching, client_of: ClientOf
) -> None:
    for _ in range(2):
        says.event(rule_event())
        hear()
    assert watching.heard(1)[0]["rule"] == "peak_shaving"
    listed = client_of(cast.bob).get(f"/api/sites/{cast.own.pk}/control-events", {"rule": "peak_shaving"}).json()
    assert listed["count"] == 1
    (event,) = listed["results"]
    assert event.pop("at").endswith("Z")
    assert event == {
        "id": "6f1d7a52-1",
        "rule": "peak_shaving",
        "point": "battery.active_power",
        "action": "started",
        "value": 4_000.0,
        "input": 91_000.0,
        "detail": "",
    }
    assert client_of(cast.charlie).get(f"/api/sites/{cast.own.pk}/control-events").status_code == 404


def test_a_configuration_that_was_refused_is_shown_with_its_problem(
    cast: Cast, says: Said, hear: Hear, client_of: ClientOf
) -> None:
    says.event(ConfigEvent(v=PROTOCOL_VERSION, revision="abc", ts=NOW, problem="devices.0: no such profile\x00"))
    hear()
    state = client_of(cast.bob).get(f"/api/edges/{says.edge.pk}").json()["config_state"]
    assert (state["revision"], state["problem"]) == ("abc", "devices.0: no such profile")
    assert not AuditEvent.objects.filter(action="edge.changed").exists()


def test_edges_that_came_meanwhile_are_heard_and_those_that_went_are_not(
    cast: Cast, says: Said, battery: EdgeKit, clean_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "WAIT_MS", 1)
    job = relay.Relay()
    job.run()
    newcomer = Said(clean_redis, Edge.objects.create(site=cast.own, name="New"))
    newcomer.event(ConfigEvent(v=PROTOCOL_VERSION, revision="1", ts=NOW))
    until = time.monotonic() + 5
    while newcomer.waiting:
        assert time.monotonic() < until
        job.run()
    newcomer.edge.refresh_from_db()
    assert newcomer.edge.config_revision == "1"


def test_an_edge_that_says_much_is_heard_little_by_little(says: Said, hear: Hear) -> None:
    for number in range(100):
        says.event(rule_event(id=str(number)))
    until = time.monotonic() + 10
    while says.waiting:
        assert time.monotonic() < until
        hear()
    assert ControlEvent.objects.count() == 100


def test_two_who_command_the_same_point_are_both_recorded_and_sent_in_one_order(
    cast: Cast, battery: EdgeKit, client_of: ClientOf, clean_redis: redis.Redis, says: Said, hear: Hear
) -> None:
    first, second = (
        client_of(user).post(URL, body(battery.point, value=value), format="json").json()["id"]
        for user, value in ((cast.max, 1.0), (cast.alice, 2.0))
    )
    assert [message.id for message in in_stream(battery.edge, clean_redis)] == [first, second]
    older, newer = (Command.objects.get(uid=uid) for uid in (first, second))
    says.about(older, CommandState.VERIFIED)
    says.about(older, CommandState.REVERTED, reason="superseded")
    says.about(newer, CommandState.VERIFIED)
    hear()
    older.refresh_from_db()
    newer.refresh_from_db()
    assert (older.state, older.reason, newer.state) == ("reverted", "superseded", "verified")


def test_a_message_of_a_command_is_what_the_contract_says(command: Command, says: Said, hear: Hear) -> None:
    with says.client.pubsub() as subscriber:
        subscriber.subscribe(keys.commands_channel(command.site_id))
        assert subscriber.get_message(timeout=5) is not None
        says.about(command, CommandState.FAILED, reason="device_refused", detail="Exception 2")
        hear()
        message: Any = subscriber.get_message(timeout=5)
    event = msgspec.json.decode(message["data"], type=CommandEvent)
    assert (event.id, event.point, event.state, event.reason, event.detail, event.value) == (
        str(command.uid),
        command.point_key,
        CommandState.FAILED,
        "device_refused",
        "Exception 2",
        -20_000.0,
    )
