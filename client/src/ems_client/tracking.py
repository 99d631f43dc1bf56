"""The seq rules of one site: what is new in a frame, and what must have been missed. Pure.

Each edge numbers its batches from 1 at each of its boots, so a batch says by itself whether one before it is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ems_contract.frames import MergedBatch
from ems_contract.telemetry import Batch

from ems_client.events import Hole

BOOTS_KEPT = 2
"""Around a restart of an edge batches of both boots may be on their way; of more there is no need."""


@dataclass(slots=True)
class _Edge:
    """`boots`: boot -> its last seq, the newest boot last. `newest`: the time of the newest sample, ms."""

    newest: int
    boots: dict[str, int] = field(default_factory=dict)


class Tracker:
    def __init__(self, site: str) -> None:
        self._site = site
        self._edges: dict[str, _Edge] = {}
        self._opened = False

    @property
    def newest(self) -> int | None:
        """The time of the newest sample that was seen, ms."""
        return max((edge.newest for edge in self._edges.values()), default=None)

    def snapshot(self, images: Sequence[Batch], since: int | None, *, whole: bool) -> list[Hole]:
        """The newest values of each edge. `since` (ms): samples after it may have been missed; None: none were.

        `whole`: every batch is wanted, so an image that is ahead of what was seen has skipped some.
        """
        holes = []
        for image in images:
            known = self._edges.get(image.edge)
            if known is None:
                if since is not None and self._opened:
                    holes.append(self._hole(image.edge, since, _newest(image)))
            elif whole and image.seq > known.boots.get(image.boot, 0):
                holes.append(self._hole(image.edge, known.newest, _newest(image)))
            self._note(image)
        self._opened = True
        return holes

    def fresh[B: (Batch, MergedBatch)](self, batches: Sequence[B]) -> tuple[list[B], list[Hole]]:
        """Of a frame: what was not seen before, and the holes it reveals."""
        found: list[B] = []
        holes: list[Hole] = []
        for batch in batches:
            first, last = _range(batch)
            known = self._edges.get(batch.edge)
            seen = known.boots.get(batch.boot) if known is not None else None
            if seen is not None and last <= seen:
                continue
            if known is not None and (seen is None or first > seen + 1):
                holes.append(self._hole(batch.edge, known.newest, _oldest(batch)))
            self._note(batch)
            found.append(batch)
        return found, holes

    def _note(self, batch: Batch | MergedBatch) -> None:
        newest = _newest(batch)
        edge = self._edges.setdefault(batch.edge, _Edge(newest))
        edge.newest = max(edge.newest, newest)
        edge.boots.pop(batch.boot, None)  # a snapshot may be older than what was seen: then the rest comes after it
        edge.boots[batch.boot] = _range(batch)[1]
        while len(edge.boots) > BOOTS_KEPT:
            del edge.boots[next(iter(edge.boots))]

    def _hole(self, edge: str, one: int, other: int) -> Hole:
        """A clock may have been set back: the span is what lies between, whichever comes first."""
        return Hole(self._site, edge, min(one, other), max(one, other))


def _range(batch: Batch | MergedBatch) -> tuple[int, int]:
    return (batch.seq_from, batch.seq_to) if isinstance(batch, MergedBatch) else (batch.seq, batch.seq)


def _newest(batch: Batch | MergedBatch) -> int:
    """A batch may have no samples: it tells of a gap of its edge."""
    return max((reading.ts for reading in batch.readings), default=batch.sent)


def _oldest(batch: Batch | MergedBatch) -> int:
    return min((reading.ts for reading in batch.readings), default=batch.sent)
