"""What an edge says of its commands, its rules and its configuration is recorded once, told, and then forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import redis
from django.utils import timezone

from audit.models import AuditEvent
from commands import relay
from commands.models import Command, CommandStep, ControlEvent
from commands.tests.conftest import URL, Said, Watching, battery_on, body, in_stream
from ems_contract import PROTOCOL_VERSION, keys
from ems_contract.commands import CommandEvent, CommandState
from ems_contract.control import ControlAction
from ems_contract.control import ControlEvent as ControlMessage
from ems_contract.edge_events import ConfigEvent
from sites.models import Edge
from testing.cast import Cast, ClientOf, EdgeKit

Hear = Callable[[], None]
NOW = int(time.time() * 1000)


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


def test_a_word_about_another_edges_command_is_set_aside_and_told(
    cast: Cast, command: Command, hear: Hear, clean_redis: redis.Redis, watching: Watching
) -> None:
    """Of the same site and of another one: which edge it is comes from the stream's name."""
    thieves = [battery_on(site, f"thief_{site.pk}").edge for site in (cast.own, cast.foreign)]
    for thief in thieves:
        said = Said(clean_redis, thief)
        said.about(command, CommandState.VERIFIED)
        hear()
        assert said.waiting == 0
        event = AuditEvent.objects.filter(action="edge_event.refused").latest("id")
        assert (event.actor_name, event.site_id, event.outcome) == (thief.wire_name, thief.site_id, "denied")
        assert event.details["code"] == "not_its_command"
    command.refresh_from_db()
    assert command.state == "sent"
    assert watching.silent


HOSTILE = {
    "bad UTF-8": (b'{"type":"config","v":1,"revision":"\xff","ts":1}', "unreadable"),
    "deep JSON": (b"[" * 16_000, "unreadable"),
    "NaN": (b'{"type":"control","v":1,"ts":1,"value":NaN}', "unreadable"),
    "a number beyond all": (b'{"type":"config","v":1,"revision":"a","ts":1e999}', "unreadable"),
    "half of a character": (b'{"type":"config","v":1,"revision":"\\ud800","ts":1}', "unreadable"),
    "not JSON": (b"\x00\x01", "unreadable"),
    "an unknown type": (b'{"type":"shutdown","v":1}', "unreadable"),
    "an unknown version": (b'{"type":"config","v":2,"revision":"a","ts":1}', "unknown_version"),
    "too large": (b'{"type":"config","v":1,"revision":"' + b"a" * 20_000 + b'","ts":1}', "too_large"),
    "no id": (b'{"type":"command","v":1,"id":"x","point":"a.b","state":"sent","ts":1}', "no_command_id"),
    "a rule's name as none is": (
        b'{"type":"control","v":1,"id":"1","rule":"<b>","point":"a.b","action":"started","ts":1}',
        "malformed_names",
    ),
}


@pytest.mark.parametrize(("payload", "code"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_cannot_be_believed_is_set_aside_and_the_queue_goes_on(
    command: Command, says: Said, hear: Hear, payload: bytes, code: str
) -> None:
    says.raw(payload)
    says.about(command, CommandState.VERIFIED)
    hear()
    assert states(command)[-1] == "verified"
    assert says.waiting == 0
    assert AuditEvent.objects.filter(action="edge_event.refused").latest("id").details["code"] == code


def test_an_entry_without_an_event_is_set_aside(says: Said, hear: Hear) -> None:
    says.raw(b"{}", field="batch")
    hear()
    assert says.waiting == 0
    assert AuditEvent.objects.latest("id").details["code"] == "no_event"


@pytest.mark.parametrize("ts", [-(10**30), 0, 10**15, 10**30])
def test_a_time_that_cannot_be_is_brought_within_reason(command: Command, says: Said, hear: Hear, ts: int) -> None:
    says.event(
        CommandEvent(
            v=PROTOCOL_VERSION,
            id=str(command.uid),
            point=command.point_key,
            state=CommandState.VERIFIED,
            ts=ts,
            lease_until=ts,
            detail="a\x00\u202eb",
        )
    )
    says.event(rule_event(ts=ts))
    hear()
    command.refresh_from_db()
    step = CommandStep.objects.filter(command=command, state="verified").get()
    now = timezone.now()
    assert command.requested <= step.at <= now + timedelta(seconds=1)
    assert command.lease_until is not None
    assert command.requested <= command.lease_until <= now + timedelta(seconds=961)
    assert command.detail == "a b"
    assert now - timedelta(days=31) < ControlEvent.objects.get().at <= now + timedelta(seconds=1)


def test_numbers_beyond_a_column_harm_nobody_else(command: Command, says: Said, hear: Hear) -> None:
    says.event(rule_event(id="a", value=1e308))
    says.about(command, CommandState.VERIFIED, read_back=-1e308)
    hear()
    command.refresh_from_db()
    assert command.read_back == -1e308
    assert ControlEvent.objects.get().value == 1e308


def test_a_stream_whose_ids_were_made_up_is_begun_anew(
    command: Command, says: Said, hear: Hear, clean_redis: redis.Redis
) -> None:
    key = keys.edge_events_stream(says.edge.site_id, says.edge.pk)
    clean_redis.xadd(key, {"event": b"x"}, id="18446744073709551615-1")
    hear()
    says.about(command, CommandState.VERIFIED)
    hear()
    assert states(command)[-1] == "verified"


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
