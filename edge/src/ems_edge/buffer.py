"""The buffer protocol: where batches wait until history has them.

Call order: `open` once; then the rest in any order and concurrently; `close` once, last.

A batch goes through three hands. `append` stores it durably and lends it to the caller, who publishes it (it is then
in flight) or gives it back. `begin` lends the oldest batches that nobody holds, for backfill. `settle` deletes exactly
what receipts list, whoever holds it. Nothing else deletes a batch, except two bounds. Where `max_bytes` would be
passed the oldest batch that is not lent is dropped (a lent one only when nothing else is left). One that is older than
`max_age` is dropped unless it is lent, two with each append at most: a clock that jumps a year ahead cannot empty the
buffer before someone has seen it. Each drop is counted, and becomes a gap.

Gaps that no stored batch carries yet are in `gaps()`. The next batch carries them: `append` takes them off that list in
the same transaction that stores the batch; when a batch that carries gaps is dropped, they are on the list again. So a
gap is either on the list or in a batch, and a crash in between changes nothing.

Guarantee: when `append` returns, the batch survives a power cut (memory: survives nothing). What is lent is known in
memory only: after a restart nobody holds anything.

Errors: BufferFullError, from anything that changes the store, when the disk takes no change now. After an `append` that
raised it the batch is not stored and its loss is on `gaps()`; anything else may simply be called again. A damaged store
raises nothing: it is set aside, what can be read of it goes on, and the loss is on `gaps()`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec
from ems_contract.receipts import Ranges
from ems_contract.telemetry import GAP_BUFFER_FULL, Gap


class Name(NamedTuple):
    """What a batch is called for ever."""

    boot: str
    seq: int


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A batch to store. `first` and `last` are the ts of its samples, ms; `gaps` those that it carries.

    `clock` is the time that the edge stands by, ms: ages are counted from it, and the next life goes on from it. None:
    it is `last`, as always when the clock can be relied on.
    """

    name: Name
    payload: bytes
    first: int
    last: int
    gaps: tuple[Gap, ...] = ()
    clock: int | None = None

    @property
    def now(self) -> int:
        return self.last if self.clock is None else self.clock


@dataclass(frozen=True, slots=True)
class Lent:
    name: Name
    payload: bytes


@dataclass(frozen=True, slots=True)
class Backlog:
    """`size` in bytes of payload, `oldest` in ms; `dropped` of this life were lost to a bound or to a full disk."""

    batches: int = 0
    size: int = 0
    oldest: int | None = None
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Stats:
    """`size` in bytes of payload, `oldest` and `newest` in ms; `boots`: batches of each boot."""

    batches: int = 0
    size: int = 0
    oldest: int | None = None
    newest: int | None = None
    boots: dict[str, int] = field(default_factory=dict)


class BufferFullError(Exception):
    """The store takes no change, and dropping the oldest did not help."""


class Buffer(Protocol):
    async def open(self) -> int | None:
        """The time that an earlier life stood by last, ms; None for the first life."""

    def gaps(self) -> list[Gap]: ...

    async def note_gap(self, gap: Gap) -> None:
        """Something else was lost. Kept in memory until a batch carries it."""

    async def append(self, batch: NewBatch) -> None: ...

    async def begin(self, max_bytes: int, max_count: int) -> list[Lent]:
        """Oldest first; at least one batch if there is any, then as many as fit in both limits.

        Who is cancelled while waiting holds nothing.
        """

    async def claim(self, names: Collection[Name]) -> set[Name]:
        """Lend these as far as they are stored and nobody holds them: they were found in flight."""

    def give_back(self, names: Iterable[Name]) -> None: ...

    async def settle(self, receipts: Mapping[str, Ranges]) -> list[Name]:
        """Delete what is listed; the answer says what that was."""

    async def backlog(self) -> Backlog:
        """How much waits; at once, however much it is."""

    async def stats(self) -> Stats:
        """The same boot by boot; reads the whole index."""

    async def close(self) -> None: ...


def dropped(name: Name, first: int, last: int, reason: str = GAP_BUFFER_FULL) -> Gap:
    """The gap that the loss of one batch leaves."""
    return Gap(first, last, reason, name.boot, name.seq, name.seq)


def merge_gaps(gaps: Iterable[Gap]) -> list[Gap]:
    """Neighbours become one: the same boot with seqs that follow each other, the same span of nameless ones."""
    merged: list[Gap] = []
    for gap in gaps:
        last = merged[-1] if merged else None
        if last is None or (last.reason, last.boot) != (gap.reason, gap.boot):
            merged.append(gap)
        elif gap.boot is None:
            if gap.start <= last.end:
                merged[-1] = msgspec.structs.replace(last, end=max(last.end, gap.end))
            else:
                merged.append(gap)
        elif last.seq_to is not None and gap.seq_from == last.seq_to + 1:
            merged[-1] = msgspec.structs.replace(
                last, start=min(last.start, gap.start), end=max(last.end, gap.end), seq_to=gap.seq_to
            )
        elif gap != last:
            merged.append(gap)
    return merged


def without(gaps: list[Gap], carried: Collection[Gap]) -> list[Gap]:
    return [gap for gap in gaps if gap not in carried]
