"""Commands are given: checked, recorded, put on their edge's stream; and what no edge answers expires.

A command is committed before Redis is told, so none is sent that nobody knows of. Whoever dies in between leaves a row
that is still `requested`; the worker sends it, or lets it expire. After `expires` nothing is ever sent.
"""

from __future__ import annotations

import math
import uuid
from datetime import timedelta

import msgspec
import redis
import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError

from accounts.models import User
from commands import clock
from commands.actions.steps import do_step, take_back, tell
from commands.models import Command, CommandStep, ControlEvent
from config.problems import Conflict, Unavailable
from config.redis import client
from ems_contract import PROTOCOL_VERSION, keys
from ems_contract.commands import Command as Message
from ems_contract.commands import CommandReason, CommandState
from ems_contract.points import Kind
from sites.models import Point, Site

LONGEST_WAIT = 3600
"""s that a command may wait for its edge."""
LONGEST_LEASE = 86_400
GRACE = timedelta(seconds=30)
"""What an edge did within the time may still be on its way to us."""
KEPT = timedelta(days=400)
"""How long what rules did can be looked up."""
_AT_ONCE = 500

log = structlog.get_logger()


class Replayed(Conflict):
    """Make a new id for another command."""

    default_code = "replayed"
    default_detail = "A command with this id was given already, and it says something else."


def check_command(point: Point, value: float | None, lease: int | None) -> None:
    """The limits that the edge checks again. Raises ValidationError naming the field."""
    if not point.writable or point.device is None:
        raise ValidationError({"point": f"{point.key} is read-only."})
    if value is None:
        if lease is not None:
            raise ValidationError({"lease": "Only a value is held for a time; leave this out."})
        return
    if lease is not None and point.default is None:
        raise ValidationError({"lease": f"{point.key} has no default to go back to; set one at the point first."})
    if not math.isfinite(value):
        raise ValidationError({"value": "Write a finite number."})
    if point.minimum is not None and value < point.minimum:
        raise ValidationError({"value": f"Below the minimum, {_told(point.minimum, point)}."})
    if point.maximum is not None and value > point.maximum:
        raise ValidationError({"value": f"Above the maximum, {_told(point.maximum, point)}."})
    if point.kind == Kind.STATE and not _is_state(point, value):
        known = ", ".join(f"{number} ({name})" for number, name in list((point.states or {}).items())[:20])
        raise ValidationError({"value": f"Not a state of {point.key}; use {known or 'a whole number'}."})


def _is_state(point: Point, value: float) -> bool:
    return value.is_integer() and (not point.states or str(int(value)) in point.states)


def _told(limit: float, point: Point) -> str:
    return f"{limit:.10g} {point.unit}".strip()


def do_request(
    user: User,
    site: Site,
    point: Point,
    value: float | None,
    lease: int | None = None,
    expires_in: int = 30,
    id: uuid.UUID | None = None,  # noqa: A002 - as in the body
) -> tuple[Command, bool]:
    """(the command, whether it is new). The same id with the same content is the same command. Raises Replayed.

    What was asked of the point before and has not left for its edge yet never will.
    """
    requested = clock.now()
    device = point.device
    content = {"point": point, "value": value, "lease": lease, "requested_by": user}
    rows = Command.objects.opened("by the id that its giver made")
    with transaction.atomic():
        command, new = rows.get_or_create(
            uid=id or uuid.uuid4(),
            defaults={
                **content,
                "site": site,
                "edge": device.edge if device is not None else None,
                "point_key": point.key,
                "requested": requested,
                "expires": requested + timedelta(seconds=expires_in),
            },
        )
        if new:
            CommandStep.objects.create(site=site, command=command, state=command.state, at=requested)
            _supersede(command)
    if not new and (
        {name: getattr(command, name) for name in content} != content
        or command.expires - command.requested != timedelta(seconds=expires_in)
    ):
        raise Replayed
    return command, new


def _supersede(newer: Command) -> None:
    older = Command.objects.opened("of the same point").filter(
        point=newer.point_id, state=CommandState.REQUESTED.value, pk__lt=newer.pk
    )
    for command in older.select_for_update(of=("self",), skip_locked=True).select_related("site"):
        do_step(command, CommandState.REJECTED, newer.requested, CommandReason.SUPERSEDED.value)
        transaction.on_commit(lambda command=command: tell(command, newer.requested))  # type: ignore[misc]


def do_send(command: Command) -> Command:
    """Put it on its edge's stream, once it is committed, and return it as it is then.

    Somebody else who is sending it is left alone. Raises Unavailable; then it was recorded as failed.
    """
    try:
        _send(command.pk)
    except redis.RedisError as error:
        log.error("a command is not sent", command=str(command.uid), error=type(error).__name__)
        _fail(command.pk)
        raise Unavailable("Redis did not take the command. Nothing is written; give it again in a moment.") from error
    return _rows().get(pk=command.pk)


def _send(pk: int) -> None:
    """Killed after Redis has it and before the commit, it is sent again: an edge knows its id."""
    with transaction.atomic():
        command = _locked(pk)
        if command is None:
            return
        at = clock.now()
        if command.edge_id is None or command.expires <= at:
            do_step(command, CommandState.EXPIRED, at, CommandReason.EXPIRED.value)
        else:
            do_step(command, CommandState.SENT, at, entry=_add(command, command.edge_id))
    tell(command, at)


def _fail(pk: int) -> None:
    with transaction.atomic():
        command = _locked(pk)
        if command is not None:
            do_step(
                command,
                CommandState.FAILED,
                clock.now(),
                CommandReason.NOT_SENT.value,
                detail="Redis did not take it; whether the edge has it is not known.",
            )


def _locked(pk: int) -> Command | None:
    """While it is `requested` and nobody else has it."""
    rows = _rows().filter(pk=pk, state=CommandState.REQUESTED.value)
    return rows.select_for_update(of=("self",), skip_locked=True).first()


def _rows() -> QuerySet[Command]:
    return Command.objects.opened("the door was opened").select_related("site")


def _add(command: Command, edge: int) -> str:
    """The id of its entry. What has expired long ago leaves the stream at the same time."""
    message = Message(
        v=PROTOCOL_VERSION,
        id=str(command.uid),
        point=command.point_key,
        value=command.value,
        requested=clock.milliseconds(command.requested),
        expires=clock.milliseconds(command.expires),
        requested_by=f"user_{command.requested_by_id}",
        lease=command.lease,
    )
    oldest = clock.milliseconds(command.requested - GRACE) - LONGEST_WAIT * 1000
    entry: bytes = client().xadd(  # type: ignore[assignment]
        keys.commands_stream(command.site_id, edge),
        {keys.COMMAND_FIELD: msgspec.json.encode(message)},
        minid=oldest,
        approximate=False,
    )
    return entry.decode()


# In the worker ------------------------------------------------------------------------------------------------------


def send_left() -> None:
    """The job: what was left by a process that died. Raises redis.RedisError; then the rows stay."""
    left = Command.objects.filter(state=CommandState.REQUESTED.value).order_by("pk")
    for pk in left.values_list("pk", flat=True)[:_AT_ONCE]:
        _send(pk)


def expire() -> None:
    """The job: what no edge has answered. A later word of the edge still stands over it."""
    now = clock.now()
    silent = Q(state=CommandState.SENT.value, expires__lt=now - GRACE)
    unsent = Q(state=CommandState.REQUESTED.value, expires__lt=now)
    while True:
        with transaction.atomic():
            rows = Command.objects.filter(silent | unsent).select_related("site").order_by("pk")
            late = list(rows.select_for_update(of=("self",), skip_locked=True)[:_AT_ONCE])
            for command in late:
                do_step(
                    command,
                    CommandState.EXPIRED,
                    now,
                    CommandReason.EXPIRED.value,
                    detail="Its edge did not answer in time." if command.entry else "It was not sent in time.",
                )
        for command in late:
            tell(command, now)
            take_back(command)
        if len(late) < _AT_ONCE:
            return


def sweep() -> None:
    """The job: forget what rules did long ago. Commands stay."""
    ControlEvent.objects.filter(at__lt=clock.now() - KEPT).delete()
