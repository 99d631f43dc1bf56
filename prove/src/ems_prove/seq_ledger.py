"""What one viewer of one edge may not miss: every seq from its first snapshot on, unless a gap announced it. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bridge:
    """A gap (`since`, ms) announced that seqs `first`..`last` are missing; the snapshot behind it holds `last`."""

    first: int
    last: int
    since: int


class SeqLedger:
    """Told in the order in which frames come. A snapshot without the edge has seq 0."""

    __slots__ = ("_announced", "_floor", "bridged", "first", "gaps", "heard", "holes", "last", "repeated")

    def __init__(self) -> None:
        self.first: int | None = None
        """The seq of the first snapshot."""
        self.last = 0
        self.heard = 0
        """Batches that were news."""
        self.repeated = 0
        """Batches that were none: told twice, or out of order. What a snapshot has may come once more."""
        self.gaps = 0
        self.holes: list[tuple[int, int]] = []
        """Missing without a word, each (first, last)."""
        self.bridged: list[Bridge] = []
        self._floor = 0
        self._announced: int | None = None

    def __repr__(self) -> str:
        return f"SeqLedger({self.first}..{self.last}, heard {self.heard}, holes {self.holes}, bridged {self.bridged})"

    def batch(self, seq: int) -> bool:
        """Whether it was news."""
        if seq <= self.last:
            self.repeated += seq > self._floor
            return False
        if seq > self.last + 1:
            self.holes.append((self.last + 1, seq - 1))
        self.last = seq
        self.heard += 1
        return True

    def gap(self, since: int) -> None:
        self.gaps += 1
        self._announced = since if self._announced is None else min(since, self._announced)

    def snapshot(self, seq: int) -> None:
        if self.first is None:
            self.first = self.last = self._floor = seq
        elif seq > self.last:
            if self._announced is None:
                self.holes.append((self.last + 1, seq))
            else:
                self.bridged.append(Bridge(self.last + 1, seq, self._announced))
            self.last = self._floor = seq
        else:
            self._floor = self.last
        self._announced = None

    def missing(self, published: int) -> set[int]:
        """Seqs that it should have heard by now and that nobody announced; `published` is the newest there is."""
        lost = {seq for first, last in self.holes for seq in range(first, last + 1)}
        return lost | set(range(self.last + 1, published + 1))
