"""What nobody answered expires; what a process left behind is sent, or expires; nothing is sent after its time."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from commands.actions.commands import do_request, do_send, expire, send_left, sweep
from commands.models import Command, ControlEvent
from commands.tests.conftest import Watching, in_stream
from testing.cast import Cast, EdgeKit


def left(cast: Cast, battery: EdgeKit, value: float = 1.0) -> Command:
    """Committed by somebody who died before it was sent."""
    return do_request(cast.max, cast.own, battery.point, value)[0]


def ago(command: Command, seconds: float) -> Command:
    """The same, given so long before."""
    earlier = timedelta(seconds=seconds)
    command.requested, command.expires = command.requested - earlier, command.expires - earlier
    command.save()
    return command


def test_what_a_process_left_behind_is_sent_by_the_worker(
    cast: Cast, battery: EdgeKit, clean_redis: redis.Redis
) -> None:
    command = left(cast, battery)
    send_left()
    send_left()
    command.refresh_from_db()
    assert command.state == "sent"
    assert [message.id for message in in_stream(battery.edge, clean_redis)] == [str(command.uid)]


def test_nothing_is_sent_after_its_time(
    cast: Cast, battery: EdgeKit, clean_redis: redis.Redis, watching: Watching
) -> None:
    command = ago(left(cast, battery), 30.1)
    send_left()
    assert do_send(command).state == "expired"
    assert in_stream(battery.edge, clean_redis) == []
    assert watching.heard(1)[0]["state"] == "expired"


def test_what_was_left_behind_gives_way_to_a_newer_one(
    cast: Cast, battery: EdgeKit, clean_redis: redis.Redis, django_capture_on_commit_callbacks: object
) -> None:
    older = left(cast, battery)
    newer = left(cast, battery, 2.0)
    send_left()
    older.refresh_from_db()
    assert (older.state, older.reason) == ("rejected", "superseded")
    assert [message.id for message in in_stream(battery.edge, clean_redis)] == [str(newer.uid)]


@pytest.mark.parametrize(("seconds", "state"), [(0, "sent"), (59, "sent"), (61, "expired")])
def test_what_an_edge_does_not_answer_expires_half_a_minute_after_its_time(
    command: Command, battery: EdgeKit, clean_redis: redis.Redis, seconds: float, state: str
) -> None:
    ago(command, seconds)
    expire()
    command.refresh_from_db()
    assert command.state == state
    assert len(in_stream(battery.edge, clean_redis)) == (state == "sent")


def test_what_an_edge_has_answered_does_not_expire(command: Command) -> None:
    Command.objects.filter(pk=command.pk).update(state="written")
    ago(Command.objects.get(pk=command.pk), 3_600)
    expire()
    assert Command.objects.get(pk=command.pk).state == "written"


def test_a_stream_that_nobody_reads_keeps_no_command_that_has_long_expired(
    cast: Cast, battery: EdgeKit, clean_redis: redis.Redis
) -> None:
    from ems_contract import keys

    clean_redis.xadd(keys.commands_stream(cast.own.pk, battery.edge.pk), {"command": b"{}"}, id="1-1")
    do_send(left(cast, battery))
    assert len(in_stream(battery.edge, clean_redis)) == 1


def test_what_rules_did_long_ago_is_forgotten(cast: Cast, battery: EdgeKit) -> None:
    for days in (1, 401):
        ControlEvent.objects.create(
            site=cast.own,
            edge=battery.edge,
            event=str(days),
            rule="r",
            point_key="a.b",
            action="started",
            at=timezone.now() - timedelta(days=days),
        )
    sweep()
    assert [event.event for event in ControlEvent.objects.all()] == ["1"]
