"""Commands: requested -> sent -> written -> verified | rejected | failed | expired | reverted. Times in ms.

At least once on the edge's stream; the edge journals the id before it writes, so a redelivery is reported and not
written again. `expires` counts in Redis time.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class CommandState(StrEnum):
    REQUESTED = "requested"
    SENT = "sent"
    WRITTEN = "written"
    VERIFIED = "verified"
    REJECTED = "rejected"
    FAILED = "failed"
    EXPIRED = "expired"
    REVERTED = "reverted"


FINAL_STATES = frozenset(
    {
        CommandState.VERIFIED,
        CommandState.REJECTED,
        CommandState.FAILED,
        CommandState.EXPIRED,
        CommandState.REVERTED,
    }
)


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    """Write `value` (in the point's unit) to `point`. After `lease` seconds the configured default returns."""

    v: int
    id: str
    point: str
    value: float
    requested: int
    expires: int
    requested_by: str
    lease: int | None = None


class CommandEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of one command, for the browser and the audit log."""

    v: int
    id: str
    point: str
    state: CommandState
    ts: int
    value: float | None = None
    reason: str | None = None
