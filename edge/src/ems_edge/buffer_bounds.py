"""Who must leave a buffer that is full or holds what is too old. Pure, and the same for every implementation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from ems_contract.telemetry import GAP_BUFFER_EXPIRED, GAP_BUFFER_FULL, Gap

from ems_edge.buffer import Name, NewBatch, dropped

EXPIRE_AT_ONCE = 2
"""Batches dropped for their age with each append: enough to keep up, and to catch up after a long pause."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch in the buffer. `first` and `last` in ms, `gaps` those that it carries."""

    name: Name
    size: int
    first: int
    last: int
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Victim:
    kept: Kept
    reason: str

    @property
    def leaves(self) -> list[Gap]:
        """What history must be told instead."""
        return [*self.kept.gaps, dropped(self.kept.name, self.kept.first, self.kept.last, self.reason)]


def victims(
    rows: Callable[[], Iterable[Kept]], lent: Collection[Name], excess: int, horizon: int | None
) -> list[Victim]:
    """`rows` gives what is kept, oldest first, as often as it is asked.

    Whoever is older than `horizon` (ms) and not lent, a few at a time; then as many as free `excess` bytes: those that
    nobody holds, and only then those in flight.
    """
    chosen: list[Victim] = []
    if horizon is not None:
        for kept in rows():
            if kept.last >= horizon or len(chosen) == EXPIRE_AT_ONCE:
                break
            if kept.name not in lent:
                chosen.append(Victim(kept, GAP_BUFFER_EXPIRED))
    excess -= sum(victim.kept.size for victim in chosen)
    gone = {victim.kept.name for victim in chosen}
    for held in (False, True):
        if excess <= 0:
            break
        for kept in rows():
            if (kept.name in lent) is not held or kept.name in gone:
                continue
            chosen.append(Victim(kept, GAP_BUFFER_FULL))
            excess -= kept.size
            if excess <= 0:
                break
    return chosen


def horizon(batch: NewBatch, max_age: int | None) -> int | None:
    """What ended before this is too old once `batch` is there; None where age is no matter. All in ms."""
    return None if max_age is None else batch.now - max_age
