"""What is known of one writable point, and what has to be done about it. Pure: no I/O, time is given."""

from __future__ import annotations

from dataclasses import dataclass, field

from ems_edge.setpoints import Outcome, Result
from ems_edge.setpoints_claims import Claim, Claims, called
from ems_edge.setpoints_limits import Setpoint

RETRY_FIRST, RETRY_LAST = 1.0, 30.0
REASSERT_EVERY = 30.0
"""A device that keeps changing a setpoint by itself is contradicted at most so often, s."""
CONTRARY_POLLS = 2
"""So many polls in a row must say something else: the first may have been under way when the value was written."""


@dataclass(frozen=True, slots=True)
class Target:
    """What should be in force: the strongest claim, or with `holder` None the default (`value` None: given up)."""

    holder: str | None
    value: float | None
    until: float | None = None


@dataclass(slots=True, eq=False)
class PointState:
    """`setpoint` None: the configuration no longer has the point; its claims wait for one that has it again."""

    setpoint: Setpoint | None
    claims: Claims = field(default_factory=Claims)
    held: bool = False
    """A claim was, or may have been, written since the default was restored."""
    known: float | None = None
    """What the device is known to have; None while it is written, after a failure, a restart or a giving up."""
    due: bool = False
    """The writer has to look at it."""
    forced: bool = False
    """Write it even where the device has the value already: someone new asks for it."""
    unsure: bool = False
    """Read before writing: it may be in force from an earlier life."""
    writing: str | None = None
    """Whose value is being written now."""
    away: bool = False
    """The last poll brought no value."""
    contrary: int = 0
    quiet_until: float = 0.0
    backoff: float = RETRY_FIRST

    def winner(self) -> str | None:
        claim = self.claims.strongest()
        return claim.holder if claim else None

    def overruled(self, holder: str) -> Outcome | None:
        """What its holder is to be told of a claim that is not the strongest."""
        claim, strongest = self.claims.of(holder), self.claims.strongest()
        if self.setpoint is None or claim is None or strongest is None or strongest is claim:
            return None
        detail = f"{self.setpoint.key} is held by {called(strongest.holder)}"
        return Outcome(self.setpoint.key, holder, claim.value, Result.OVERRULED, detail=detail, by=strongest.holder)

    def target(self) -> Target | None:
        """None where nobody asks for anything and nothing has to be undone."""
        claim: Claim | None = self.claims.strongest()
        if claim is not None:
            return Target(claim.holder, claim.value, claim.until)
        if self.held and self.setpoint is not None:
            return Target(None, self.setpoint.default)
        return None

    def has(self, target: Target) -> bool:
        """The device is known to have it."""
        return self.known is not None and self.known == target.value

    def in_force(self, target: Target) -> None:
        self.known = target.value
        if target.holder is not None:
            self.claims.written(target.holder)
        self.contrary, self.backoff = 0, RETRY_FIRST

    def retry(self) -> float:
        """In how many s to try again."""
        pause, self.backoff = self.backoff, min(self.backoff * 2, RETRY_LAST)
        return pause

    def polled(self, value: float | None, now: float) -> bool:
        """What a poll said, None for no value. True where something has to be done about it: the device is back and
        has not what it should have, or it lost what it had."""
        returned, self.away = self.away and value is not None, value is None
        if returned and self.known is None:
            return True
        if value is None or self.setpoint is None or self.known is None or self.due or not self.claims:
            return False
        if self.setpoint.same(self.known, value):
            self.contrary = 0
            return False
        self.contrary += 1
        if self.contrary < CONTRARY_POLLS or now < self.quiet_until:
            return False
        self.quiet_until = now + REASSERT_EVERY
        self.known = None
        return True
