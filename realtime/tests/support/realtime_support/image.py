"""A client's picture of a site, by the rules of `ems_contract.frames`: the same from batches and from merged ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
from ems_contract.frames import MergedBatch
from ems_contract.telemetry import Batch, Gap

from realtime_support.wires import SlowWire

Sample = tuple[int, float | None, str | None]
"""ts, value, reason."""


@dataclass
class Picture:
    """`points`: (edge, point) -> its last sample. `seen`: (edge, boot) -> every seq that was shown. `holes`: what was
    skipped, as (edge, boot, from, to), where something of that boot had been seen before."""

    points: dict[tuple[str, str], Sample] = field(default_factory=dict)
    seen: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    holes: Counter[tuple[str, str, int, int]] = field(default_factory=Counter)
    gaps: set[Gap] = field(default_factory=set)
    _floor: dict[tuple[str, str], int] = field(default_factory=dict)

    def apply(self, batches: Iterable[Batch | MergedBatch]) -> None:
        for batch in batches:
            whose = batch.edge, batch.boot
            first, last = (batch.seq, batch.seq) if isinstance(batch, Batch) else (batch.seq_from, batch.seq_to)
            floor = self._floor.get(whose)
            if floor is not None and last <= floor:
                continue
            if floor is not None and first > floor + 1:
                self.holes[*whose, floor + 1, first - 1] += 1
            self._floor[whose] = last
            self.seen.setdefault(whose, set()).update(range(first, last + 1))
            self.gaps.update(batch.gaps or ())
            for reading in batch.readings:
                for point, value in reading.values.items():
                    reason = (reading.quality or {}).get(point)
                    self.points[batch.edge, point] = (reading.ts, value, reason)


def pictured(wire: SlowWire) -> Picture:
    """What a client sees that keeps the rules. A snapshot closes whatever came before it."""
    picture = Picture()
    for frame in wire.frames():
        if frame["type"] == "snapshot":
            holes = picture.holes.copy()
            picture.apply(msgspec.convert(frame["batches"], list[Batch]))
            picture.holes = holes
        elif frame["type"] in ("telemetry", "merged"):
            kind = list[Batch] if frame["type"] == "telemetry" else list[MergedBatch]
            picture.apply(msgspec.convert(frame["batches"], kind))
    return picture
