"""The buffer without a disk: for an edge that has none, and to show that the protocol means the same twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ems_contract.receipts import Ranges, covers
from ems_contract.telemetry import Gap

from ems_edge.buffer import BufferFullError, Lent, Name, NewBatch, Stats, dropped, merge_gaps, without


class MemoryBuffer:
    """Bounded by `max_bytes` of payload. Not durable: a restart begins a new life without a past."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rows: dict[Name, NewBatch] = {}
        self._size = 0
        self._lent: set[Name] = set()
        self._gaps: list[Gap] = []

    async def open(self) -> int | None:
        return None

    def gaps(self) -> list[Gap]:
        return list(self._gaps)

    async def note_gap(self, gap: Gap) -> None:
        self._gaps = merge_gaps([*self._gaps, gap])

    async def append(self, batch: NewBatch) -> None:
        if len(batch.payload) > self._max_bytes:
            await self.note_gap(dropped(batch.name, batch.first, batch.last))
            raise BufferFullError(f"a batch of {len(batch.payload)} bytes in a buffer of {self._max_bytes}")
        self._gaps = without(self._gaps, batch.gaps)
        while self._size + len(batch.payload) > self._max_bytes:
            self._drop(next((name for name in self._rows if name not in self._lent), next(iter(self._rows))))
        self._rows[batch.name] = batch
        self._size += len(batch.payload)
        self._lent.add(batch.name)

    def _drop(self, name: Name) -> None:
        row = self._remove(name)
        self._gaps = merge_gaps([*self._gaps, *row.gaps, dropped(name, row.first, row.last)])

    def _remove(self, name: Name) -> NewBatch:
        row = self._rows.pop(name)
        self._size -= len(row.payload)
        self._lent.discard(name)
        return row

    async def begin(self, max_bytes: int, max_count: int) -> list[Lent]:
        lent: list[Lent] = []
        for name, row in self._rows.items():
            if name in self._lent:
                continue
            max_bytes -= len(row.payload)
            if lent and (max_bytes < 0 or len(lent) >= max_count):
                break
            lent.append(Lent(name, row.payload))
        self._lent.update(batch.name for batch in lent)
        return lent

    async def claim(self, names: Collection[Name]) -> set[Name]:
        claimed = {name for name in names if name in self._rows and name not in self._lent}
        self._lent |= claimed
        return claimed

    def give_back(self, names: Iterable[Name]) -> None:
        self._lent.difference_update(names)

    async def settle(self, receipts: Mapping[str, Ranges]) -> list[Name]:
        settled = [name for name in self._rows if covers(receipts.get(name.boot, []), name.seq)]
        for name in settled:
            self._remove(name)
        return settled

    async def stats(self) -> Stats:
        boots: dict[str, int] = {}
        for name in self._rows:
            boots[name.boot] = boots.get(name.boot, 0) + 1
        rows = self._rows.values()
        oldest, newest = (min(row.first for row in rows), max(row.last for row in rows)) if rows else (None, None)
        return Stats(len(self._rows), self._size, oldest, newest, boots)

    async def close(self) -> None:
        pass
