"""What a command may do, and what is said of it: the rules, without any I/O. Times in ms of Redis' clock."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from ems_contract import PROTOCOL_VERSION
from ems_contract.commands import Command, CommandEvent, CommandReason, CommandState
from ems_contract.control import COMMAND_PRIORITY

from ems_edge.setpoints import Outcome, Result
from ems_edge.setpoints_claims import Claim, called
from ems_edge.setpoints_limits import Setpoint

LONGEST_ID = 64
_HOLDER = "command:"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A step that a command takes, and why; `detail` is a sentence for people."""

    state: CommandState
    reason: CommandReason | None = None
    detail: str = ""
    read_back: float | None = None


def decode(payload: bytes) -> Command:
    """Raises ValueError for what is no command of this version."""
    try:
        command = msgspec.json.decode(payload, type=Command)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if command.v != PROTOCOL_VERSION:
        raise ValueError(f"version {command.v} is not known")
    if not 0 < len(command.id) <= LONGEST_ID:
        raise ValueError("the id is empty or too long")
    return command


def holder_of(command_id: str) -> str:
    """As whom a command claims its point."""
    return f"{_HOLDER}{command_id}"


def id_of(holder: str | None) -> str | None:
    """The inverse of `holder_of`; None for a rule, or nobody."""
    return holder.removeprefix(_HOLDER) if holder is not None and holder.startswith(_HOLDER) else None


def check(
    command: Command, now: int, setpoint: Setpoint | None, strongest: Claim | None, *, known: bool
) -> Verdict | None:
    """Why nothing is written; None where it may be. `known`: the edge has the point, writable or not."""
    if now >= command.expires:
        late = (now - command.expires) / 1000
        return Verdict(
            CommandState.EXPIRED, CommandReason.EXPIRED, f"It came {late:.1f} s after its time; nothing was written."
        )

    def rejected(reason: CommandReason, detail: str) -> Verdict:
        return Verdict(CommandState.REJECTED, reason, detail)

    if not known:
        return rejected(CommandReason.UNKNOWN_POINT, f"this edge has no point {command.point!r:.100}")
    if setpoint is None:
        return rejected(CommandReason.READ_ONLY, f"{command.point} cannot be written")
    if command.value is None:
        return None
    if (problem := setpoint.problem(command.value)) is not None:
        return rejected(*problem)
    if command.lease is not None and command.lease <= 0:
        return Verdict(CommandState.EXPIRED, CommandReason.EXPIRED, "Its lease was over before it began.")
    if strongest is not None and strongest.priority < COMMAND_PRIORITY:
        detail = f"{command.point} is held by {called(strongest.holder)}"
        return rejected(CommandReason.OVERRULED, detail)
    return None


def verdict_of(outcome: Outcome, setpoint: Setpoint | None) -> Verdict:
    """What the writer's word means for the command whose claim it is about, as long as it is not in force."""
    match outcome.result:
        case Result.WRITTEN:
            return Verdict(CommandState.WRITTEN)
        case Result.IN_FORCE | Result.LEFT:
            return Verdict(CommandState.VERIFIED, None, outcome.detail, outcome.read_back)
        case Result.LATE:
            detail = "The device was busy for longer than the command had time; nothing was written."
            return Verdict(CommandState.EXPIRED, CommandReason.EXPIRED, detail)
        case Result.OVERRULED:
            if id_of(outcome.by) is not None:
                detail = "A newer command came before this one was written."
                return Verdict(CommandState.REJECTED, CommandReason.SUPERSEDED, detail)
            return Verdict(CommandState.REJECTED, CommandReason.OVERRULED, outcome.detail)
        case Result.OUT_OF_LIMITS:
            problem = setpoint.problem(outcome.value) if setpoint is not None and outcome.value is not None else None
            return Verdict(CommandState.REJECTED, problem[0] if problem else CommandReason.READ_ONLY, outcome.detail)
        case Result.REFUSED:
            return Verdict(CommandState.FAILED, CommandReason.DEVICE_REFUSED, outcome.detail)
        case Result.SILENT:
            return Verdict(CommandState.FAILED, CommandReason.DEVICE_SILENT, outcome.detail)
        case Result.DIFFERS:
            detail, read_back = outcome.detail, outcome.read_back
            return Verdict(CommandState.FAILED, CommandReason.READ_BACK_DIFFERS, detail, read_back)


def event(command: Command, verdict: Verdict, now: int, lease_until: int | None = None) -> CommandEvent:
    return CommandEvent(
        v=PROTOCOL_VERSION,
        id=command.id,
        point=command.point,
        state=verdict.state,
        ts=now,
        value=command.value,
        reason=verdict.reason.value if verdict.reason else None,
        detail=_sentence(verdict.detail),
        read_back=verdict.read_back,
        lease_until=lease_until,
    )


def _sentence(text: str) -> str | None:
    return f"{text}." if text and not text.endswith((".", "!", "?")) else text or None
