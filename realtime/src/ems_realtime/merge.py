"""Many batches as few: of each point its last sample. Pure; it knows neither clients nor clocks.

One `MergedBatch` stands for a run of batches, `seq_from`..`seq_to` of one boot without a hole. A seq that was skipped,
or a new boot, begins another run, so what was lost on the way to this process is seen as it is in the batches
themselves. "Last" is by seq, and within a batch by its order; a point belongs to one edge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
from ems_contract.frames import MergedBatch
from ems_contract.telemetry import Batch, Gap, Reading

WEIGH_AT = 4 * 1_048_576
"""Bytes of batches heard after which a merger looks at what it really holds."""
MOST = WEIGH_AT // 2
"""Bytes of JSON that a merger should hold: the newest samples of some 40,000 points."""


class Merger:
    """Takes what is heard of one site until `take`. Its memory is bounded by whoever takes when it is `crowded()`."""

    __slots__ = ("_current", "_heard", "_runs")

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._current: dict[str, _Run] = {}
        """By edge: the run that its next batch continues."""
        self._heard = 0

    def __bool__(self) -> bool:
        """Something was heard since the last `take`."""
        return bool(self._runs)

    def crowded(self) -> bool:
        """It holds more than MOST, although only the newest sample of each point is kept: take it."""
        return self._heard > WEIGH_AT and self._weigh() > MOST

    def hear(self, batch: Batch, size: int) -> None:
        """`size`: of its JSON, bytes. A seq that this run has had already is left out, as a client would."""
        run = self._current.get(batch.edge)
        if run is None or run.boot != batch.boot or batch.seq > run.seq_to + 1:
            run = self._current[batch.edge] = _Run(batch)
            self._runs.append(run)
        elif batch.seq <= run.seq_to:
            return
        run.add(batch)
        self._heard += size

    def take(self) -> list[MergedBatch]:
        """What was heard since the last call, in the order in which each run began; then it is forgotten."""
        runs, self._runs = self._runs, []
        self._current.clear()
        self._heard = 0
        return [run.merged() for run in runs]

    def _weigh(self) -> int:
        """Lets go of the samples that later ones have replaced; the bytes of JSON that are left."""
        self._heard = sum(run.trim() for run in self._runs)
        return self._heard


class _Run:
    __slots__ = ("boot", "edge", "gaps", "newest", "sent", "seq_from", "seq_to")

    def __init__(self, first: Batch) -> None:
        self.edge = first.edge
        self.boot = first.boot
        self.seq_from = first.seq
        self.seq_to = first.seq
        self.sent = first.sent
        self.newest: dict[str, Reading] = {}
        """By point: the reading that has its last sample. Filled at the speed of C, a whole reading at a time."""
        self.gaps: list[Gap] = []

    def add(self, batch: Batch) -> None:
        self.seq_to = batch.seq
        self.sent = batch.sent
        for reading in batch.readings:
            self.newest.update(dict.fromkeys(reading.values, reading))
        self.gaps += batch.gaps or ()

    def merged(self) -> MergedBatch:
        readings = last_samples(self.newest)
        return MergedBatch(self.edge, self.boot, self.seq_from, self.seq_to, self.sent, readings, self.gaps or None)

    def trim(self) -> int:
        """Keeps the last samples instead of the readings that they came in; the bytes of its JSON."""
        merged = self.merged()
        self.newest = {key: reading for reading in merged.readings for key in reading.values}
        return len(msgspec.json.encode(merged))


def last_samples(newest: Mapping[str, Reading]) -> list[Reading]:
    """Point -> the reading that has its last sample. One reading for each ts, ascending, with those samples only."""
    owned = Counter(map(id, newest.values()))
    by_ts: dict[int, list[Reading]] = {}
    for reading in {id(reading): reading for reading in newest.values()}.values():
        whole = owned[id(reading)] == len(reading.values)  # usual, and then nothing is copied
        by_ts.setdefault(reading.ts, []).append(reading if whole else _without_older(reading, newest))
    return [_joined(readings) for _, readings in sorted(by_ts.items())]


def _without_older(reading: Reading, newest: Mapping[str, Reading]) -> Reading:
    values = {key: value for key, value in reading.values.items() if newest[key] is reading}
    quality = {key: reason for key, reason in (reading.quality or {}).items() if key in values}
    return Reading(reading.ts, values, quality or None)


def _joined(readings: Sequence[Reading]) -> Reading:
    """Readings of the same instant and of different points, as one."""
    if len(readings) == 1:
        return readings[0]
    values: dict[str, float | None] = {}
    quality: dict[str, str] = {}
    for reading in readings:
        values |= reading.values
        quality |= reading.quality or {}
    return Reading(readings[0].ts, values, quality or None)
