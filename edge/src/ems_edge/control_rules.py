"""What a rule is to those who run it: what it sees, what it keeps, what it asks for. Pure: the time is given.

One rule's life: `begin` once; `take_over` at most once, with what the device was found to hold; then `step` at every
sample of its input and once a second. What it keeps is in its state, which is a value: the same state and the same
sight give the same step. Each kind has its own file: control_schedule, control_hysteresis, control_limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol


class Reading(NamedTuple):
    """The last good sample of the rule's input. `at` in s, on the clock of `Sight.now`."""

    value: float
    at: float


@dataclass(frozen=True, slots=True)
class Sight:
    """`now` in s, monotonic; `local` the time on the site. `in_force`: nobody stronger holds the rule's point."""

    now: float
    local: datetime
    reading: Reading | None = None
    in_force: bool = True

    def known(self, stale_after: float) -> Reading | None:
        """The reading, unless it is too old to act on."""
        fresh = self.reading is not None and self.now - self.reading.at <= stale_after
        return self.reading if fresh else None


@dataclass(frozen=True, slots=True)
class Step[State]:
    """`output` is what the rule claims its point for, None where it claims nothing. `stale`: its input is not known."""

    state: State
    output: float | None
    stale: bool = False


class Core[State](Protocol):
    def begin(self, now: float, /) -> State: ...

    def take_over(self, state: State, held: float, now: float, /) -> State:
        """The device holds `held` since before the edge began: go on from there if it is this rule's doing."""

    def step(self, state: State, sight: Sight, /) -> Step[State]: ...
