"""What an edge says, as far as it can be believed: decoded, in shape, and cut to what a row can hold. Pure.

Whoever holds an edge's key can write anything into its stream. What is no event is refused with a word, and the rest
goes on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from commands.models import LONGEST_DETAIL, LONGEST_REASON
from ems_contract import PROTOCOL_VERSION, keys
from ems_contract.commands import CommandEvent
from ems_contract.control import ControlEvent
from ems_contract.edge_events import ConfigEvent, EdgeEvent
from ems_contract.points import is_point_key

LARGEST = 16 * 1024
"""Bytes of one event; the longest that an edge writes has 1 kB."""
LONGEST_PROBLEM = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_RULE = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
_decoder = msgspec.json.Decoder(EdgeEvent)


class Refused(Exception):
    """Its first argument is a word for the log: why."""


def read(fields: Mapping[bytes, bytes] | None) -> EdgeEvent:
    """Of one stream entry. Raises Refused."""
    payload = (fields or {}).get(keys.EVENT_FIELD.encode())
    if payload is None:
        raise Refused("no_event")
    if len(payload) > LARGEST:
        raise Refused("too_large")
    try:
        event: EdgeEvent = _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("unreadable") from error
    if event.v != PROTOCOL_VERSION:
        raise Refused("unknown_version")
    match event:
        case CommandEvent():
            return _command(event)
        case ControlEvent():
            return _control(event)
        case ConfigEvent():
            problem = line(event.problem, LONGEST_PROBLEM)
            return msgspec.structs.replace(event, revision=line(event.revision, 64), problem=problem)


def _command(event: CommandEvent) -> CommandEvent:
    try:
        UUID(event.id)
    except ValueError as error:
        raise Refused("no_command_id") from error
    return msgspec.structs.replace(
        event, reason=line(event.reason or "", LONGEST_REASON), detail=line(event.detail or "", LONGEST_DETAIL)
    )


def _control(event: ControlEvent) -> ControlEvent:
    if not _ID.match(event.id) or not _RULE.match(event.rule) or not is_point_key(event.point):
        raise Refused("malformed_names")
    return msgspec.structs.replace(event, detail=line(event.detail or "", LONGEST_DETAIL))


def line(text: str, longest: int) -> str:
    """One line that a database and a page can hold."""
    return _CONTROL.sub(" ", text).strip()[:longest]


def moment(milliseconds: int, earliest: datetime, latest: datetime) -> datetime:
    """The edge's time, within reason: a clock that is wrong puts nothing into another century."""
    first, last = int(earliest.timestamp() * 1000), int(latest.timestamp() * 1000)
    if milliseconds <= first:
        return earliest
    return latest if milliseconds >= last else datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
