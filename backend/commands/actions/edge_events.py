"""What an edge says is recorded: the steps of its commands, what its rules did, whether it took its configuration.

All of one reading in one transaction, with the edge named as who acts. Anything may be said again: a state that is
known, or lies behind the known one, changes nothing. Which edge it is comes from the stream's name; a word about
another edge's command is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from django.db import DataError, transaction

from commands.actions.steps import do_step, event_of
from commands.edge_events import moment
from commands.models import Command, ControlEvent
from commands.states import edge_may_say
from ems_contract import keys
from ems_contract.commands import CommandEvent, CommandState
from ems_contract.control import ControlEvent as ControlMessage
from ems_contract.edge_events import ConfigEvent, EdgeEvent
from sites.models import Edge

_HELD_UP = timedelta(days=30)
"""An event may have waited that long on its edge."""
_SLACK = timedelta(minutes=1)


@dataclass
class Outcome:
    """`told`: encoded messages for whoever watches the site; `ended`: commands that need their entry no more;
    `refused`: events with the reason why they are set aside."""

    told: list[bytes] = field(default_factory=list)
    ended: list[Command] = field(default_factory=list)
    refused: list[tuple[EdgeEvent, str]] = field(default_factory=list)


def do_record(site_id: int, edge_id: int, events: Sequence[EdgeEvent], now: datetime) -> Outcome:
    """Committed when it returns. An event that the database will not hold is refused alone."""
    with structlog.contextvars.bound_contextvars(edge=keys.edge_name(edge_id)):
        try:
            return _record(site_id, edge_id, events, now)
        except DataError:
            if len(events) == 1:
                return Outcome(refused=[(events[0], "not_storable")])
        outcome = Outcome()
        for event in events:
            one = do_record(site_id, edge_id, [event], now)
            outcome.told += one.told
            outcome.ended += one.ended
            outcome.refused += one.refused
        return outcome


def _record(site_id: int, edge_id: int, events: Sequence[EdgeEvent], now: datetime) -> Outcome:
    outcome = Outcome()
    with transaction.atomic():
        edge = Edge.objects.select_related("site").filter(pk=edge_id, site=site_id).first()
        if edge is None:  # deleted meanwhile: nobody is left to hear it
            return outcome
        commands = _commands(edge, events)
        controls: list[ControlEvent] = []
        for event in events:
            match event:
                case CommandEvent():
                    _command(commands.get(UUID(event.id)), event, now, outcome)
                case ControlMessage():
                    row = _control(edge, event, now)
                    controls.append(row)
                    outcome.told.append(msgspec.json.encode(event))
                case ConfigEvent():
                    at = moment(event.ts, now - _HELD_UP, now)
                    Edge.objects.filter(pk=edge.pk).update(
                        config_revision=event.revision, config_problem=event.problem, config_at=at
                    )
        ControlEvent.objects.bulk_create(controls, ignore_conflicts=True)
    return outcome


def _commands(edge: Edge, events: Sequence[EdgeEvent]) -> dict[UUID, Command]:
    """Those of this edge that are spoken of, locked."""
    uids = {UUID(event.id) for event in events if isinstance(event, CommandEvent)}
    if not uids:
        return {}
    rows = Command.objects.filter(uid__in=uids, edge=edge, site=edge.site_id).select_related("site").order_by("pk")
    return {row.uid: row for row in rows.select_for_update(of=("self",))}


def _command(command: Command | None, event: CommandEvent, now: datetime, outcome: Outcome) -> None:
    if command is None or command.point_key != event.point:
        outcome.refused.append((event, "not_its_command"))
        return
    known = CommandState(command.state)
    at = moment(event.ts, command.requested, max(now, command.requested))
    if edge_may_say(known, event.state, answered=command.answered is not None):
        do_step(
            command,
            event.state,
            at,
            event.reason or "",
            detail=event.detail or "",
            read_back=event.read_back,
            lease_until=_lease_until(command, event, now),
            answered=command.answered or now,
        )
    elif event.state != known:
        return
    outcome.told.append(msgspec.json.encode(event_of(command, at)))  # also what was said before: it may not have left
    if event.state is not CommandState.WRITTEN:
        outcome.ended.append(command)


def _lease_until(command: Command, event: CommandEvent, now: datetime) -> datetime | None:
    if event.lease_until is None or command.lease is None:
        return None
    return moment(event.lease_until, command.requested, now + timedelta(seconds=command.lease) + _SLACK)


def _control(edge: Edge, event: ControlMessage, now: datetime) -> ControlEvent:
    return ControlEvent(
        site_id=edge.site_id,
        organization_id=edge.organization_id,
        edge=edge,
        event=event.id,
        rule=event.rule,
        point_key=event.point,
        action=event.action.value,
        value=event.value,
        input=event.input,
        at=moment(event.ts, now - _HELD_UP, now),
        detail=event.detail or "",
    )
