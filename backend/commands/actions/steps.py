"""One step of a command: its row, a line of its history and, once that is committed, a message to whoever watches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import redis
import structlog

from commands.clock import milliseconds
from commands.models import Command, CommandStep
from config.redis import client
from ems_contract import PROTOCOL_VERSION, keys
from ems_contract.commands import CommandEvent, CommandState

log = structlog.get_logger()


def do_step(command: Command, state: CommandState, at: datetime, reason: str = "", **fields: Any) -> None:
    """In the caller's transaction, which holds the row locked. `fields`: further columns that change with it."""
    changes = {"state": state.value, "reason": reason, **fields}
    for name, value in changes.items():
        setattr(command, name, value)
    command.save(update_fields=list(changes))
    CommandStep.objects.create(site=command.site, command=command, state=state.value, reason=reason, at=at)


def event_of(command: Command, at: datetime) -> CommandEvent:
    """What is told of the state that it is in since `at`."""
    return CommandEvent(
        v=PROTOCOL_VERSION,
        id=str(command.uid),
        point=command.point_key,
        state=CommandState(command.state),
        ts=milliseconds(at),
        value=command.value,
        reason=command.reason or None,
        detail=command.detail or None,
        read_back=command.read_back,
        lease_until=milliseconds(command.lease_until) if command.lease_until else None,
    )


def tell(command: Command, at: datetime) -> None:
    """After the commit. At most once: whoever misses it asks for the command. Redis being away is logged only."""
    try:
        client().publish(keys.commands_channel(command.site_id), msgspec.json.encode(event_of(command, at)))
    except redis.RedisError as error:
        log.warning("a command's step is not told", command=str(command.uid), error=type(error).__name__)


def take_back(command: Command) -> None:
    """After the commit of an end: its entry leaves the edge's stream. If Redis is away it goes with a later one."""
    if not command.entry or command.edge_id is None:
        return
    try:
        client().xdel(keys.commands_stream(command.site_id, command.edge_id), command.entry)
    except redis.RedisError as error:
        log.warning("a command stays in its stream", command=str(command.uid), error=type(error).__name__)
