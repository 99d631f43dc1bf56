"""What an edge says and cannot mean is set aside, told in the audit log, and the queue goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from audit.models import AuditEvent
from commands.models import Command, CommandStep, ControlEvent
from commands.tests.conftest import Hear, Said, Watching, battery_on, rule_event, states
from ems_contract import PROTOCOL_VERSION, keys
from ems_contract.commands import CommandEvent, CommandState
from testing.cast import Cast


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
