"""The single writer: whatever an edge writes to a device, it writes here.

Rules and commands claim a point for a value; the strongest claim (`setpoints_claims.py`) is written, one write at a
time for each device, and read back. When the last claim goes, the point's default is restored.

Written: when someone new holds the point or the holder's value changed, never for a claim that is merely repeated.
Besides: a write that failed is tried again, after 1 to 30 s, as long as it is wanted; and where two polls in a row say
that a held point has another value (a device that restarted), it is written again, at most every 30 s.

That a point is held is on the disk before anything is written to it. So a value that nobody holds any more is never
left behind: an edge that starts reads back what is claimed again, and restores the defaults of the rest.

No call waits for a device: what became of a claim comes as `Outcome`s to those who `listen`. `setpoints_writer.py` is
the implementation; `setpoints_station.py` what goes on at one device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Result(StrEnum):
    """What became of a claim, or of the restoring of a default."""

    WRITTEN = "written"
    """The device took it; the read-back is under way."""
    IN_FORCE = "in_force"
    """The device says the value itself. Again after an interruption: someone stronger let go, the device came back."""
    OVERRULED = "overruled"
    """Someone else holds the point. The claim stays and comes into force when the others let go."""
    OUT_OF_LIMITS = "out_of_limits"
    """The value must not be written; an earlier claim of this holder stays as it was. Where the limits were changed
    it is the claim itself that goes."""
    LATE = "late"
    """Its time to be written has passed; nothing was written, and the claim is gone."""
    REFUSED = "refused"
    """The device said no. The claim stays and is tried again, as after the next two."""
    SILENT = "silent"
    """The device did not answer; it may or may not have the value."""
    DIFFERS = "differs"
    """It was written, and the device says something else."""
    LEFT = "left"
    """Nobody holds the point any more, and it has neither a default nor a giving up: it stays as it is."""


FAILURES = frozenset({Result.REFUSED, Result.SILENT, Result.DIFFERS})


@dataclass(frozen=True, slots=True)
class Outcome:
    """`holder` None: the point's default, and `value` None: given up without one. `detail` is a sentence for people.

    `by`: of an overruled claim, who holds the point.
    """

    point: str
    holder: str | None
    value: float | None
    result: Result
    read_back: float | None = None
    detail: str = ""
    by: str | None = None


Listener = Callable[[Outcome], None]


class Claimant(Protocol):
    """What a rule or a command needs of the single writer."""

    def claim(self, point: str, holder: str, priority: int, value: float) -> None:
        """Hold `point` at `value`. Idempotent; a newer value of the same holder replaces the older one."""

    def release(self, point: str, holder: str) -> None:
        """Let go; the next strongest claim, or the default, comes into force. Nothing happens without a claim."""

    def holder(self, point: str) -> str | None:
        """Whose claim is the strongest now; None where nobody has any."""

    def listen(self, listener: Listener) -> None:
        """Hear every outcome, of all holders: a listener picks its own. It must not block, and is never called from
        within a call here."""
