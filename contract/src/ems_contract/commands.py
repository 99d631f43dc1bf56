"""Commands: requested -> sent -> written -> verified | rejected | failed | expired | reverted. Times in ms.

At least once on the edge's stream; the edge journals the id before it writes, so a redelivery is reported and not
written again. `expires` counts in Redis time. What became of a command comes back as `CommandEvent`s on the edge's
events stream, at least once too: a state that is known already, or lies behind the known one, changes nothing.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class CommandState(StrEnum):
    REQUESTED = "requested"
    """The backend has it."""
    SENT = "sent"
    """On the edge's stream."""
    WRITTEN = "written"
    """The device took it; the read-back is under way."""
    VERIFIED = "verified"
    """The device says the value itself. With a lease, `reverted` may follow."""
    REJECTED = "rejected"
    """Refused before anything was written."""
    FAILED = "failed"
    """The write or its read-back went wrong; the device may or may not have it."""
    EXPIRED = "expired"
    """Too late: nothing was written."""
    REVERTED = "reverted"
    """It was in force and is no longer: the lease ended, or it was released; the default is in force again."""


FINAL_STATES = frozenset(
    {
        CommandState.VERIFIED,
        CommandState.REJECTED,
        CommandState.FAILED,
        CommandState.EXPIRED,
        CommandState.REVERTED,
    }
)


class CommandReason(StrEnum):
    """Why a command was rejected, failed, expired or reverted; for people, `detail` says it in a sentence."""

    EXPIRED = "expired"
    UNKNOWN_POINT = "unknown_point"
    READ_ONLY = "read_only"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    NOT_A_STATE = "not_a_state"
    REPLAYED = "replayed"
    """The same id came again with another content."""
    SUPERSEDED = "superseded"
    """A newer command for the same point took its place."""
    OVERRULED = "overruled"
    """A local rule of higher priority holds the point."""
    DEVICE_REFUSED = "device_refused"
    DEVICE_SILENT = "device_silent"
    READ_BACK_DIFFERS = "read_back_differs"
    LEASE_ENDED = "lease_ended"
    RELEASED = "released"
    NOT_SENT = "not_sent"
    """The backend could not hand it over; if the edge has it all the same, its word stands."""
    NOT_KEPT = "not_kept"
    """The edge's disk takes nothing, so it cannot promise to write the value once and to take it back in time."""
    INTERRUPTED = "interrupted"
    """The edge restarted in the middle, and what it read back is not the value."""


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    """Hold `point` at `value` (in the point's unit) until another command or, with one, until the lease ends.

    `value` None gives the point back: its default is restored. `lease` in s, counted from the write.
    """

    v: int
    id: str
    point: str
    value: float | None
    requested: int
    expires: int
    requested_by: str
    lease: int | None = None


class CommandEvent(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="command"):
    """One step of one command, for the browser and the audit log. `value` is what was asked for."""

    v: int
    id: str
    point: str
    state: CommandState
    ts: int
    value: float | None = None
    reason: str | None = None
    """A CommandReason, or one that this version does not know."""
    detail: str | None = None
    read_back: float | None = None
    lease_until: int | None = None
