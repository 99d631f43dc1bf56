"""The buffer without a disk: for an edge that has none, and to show that the protocol means the same twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ems_contract.receipts import Ranges, covers
from ems_contract.telemetry import Gap

from ems_edge.buffer import Backlog, BufferFullError, Lent, Name, NewBatch, Stats, dropped, merge_gaps, without
from ems_edge.buffer_bounds import Kept, horizon, victims


class MemoryBuffer:
    """Bounded by `max_bytes` of payload and `max_age` ms. Not durable: a restart begins a new life without a past."""

    def __init__(self, max_bytes: int, max_age: int | None = None) -> None:
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._rows: dict[Name, NewBatch] = {}
        self._size = 0
        self._lent: set[Name] = set()
        self._gaps: list[Gap] = []
        self._dropped = 0

    async def open(self) -> int | None:
        return None

    def gaps(self) -> list[Gap]:
        return list(self._gaps)

    async def note_gap(self, gap: Gap) -> None:
        self._gaps = merge_gaps([*self._gaps, gap])

    async def append(self, batch: NewBatch) -> None:
        if len(batch.payload) > self._max_bytes:
            await self.note_gap(dropped(batch.name, batch.first, batch.last))
            self._dropped += 1
            raise BufferFullError(f"a batch of {len(batch.payload)} bytes in a buffer of {self._max_bytes}")
        self._gaps = without(self._gaps, batch.gaps)
        excess = self._size + len(batch.payload) - self._max_bytes
        for victim in victims(self._kept, self._lent, excess, horizon(batch, self._max_age)):
            self._remove(victim.kept.name)
            self._gaps = merge_gaps([*self._gaps, *victim.leaves])
            self._dropped += 1
        self._rows[batch.name] = batch
        self._size += len(batch.payload)
        self._lent.add(batch.name)

    def _kept(self) -> Iterator[Kept]:
        for name, row in self._rows.items():
            yield Kept(name, len(row.payload), row.first, row.last, row.gaps)

    def _remove(self, name: Name) -> None:
        self._size -= len(self._rows.pop(name).payload)
        self._lent.discard(name)

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

    async def backlog(self) -> Backlog:
        oldest = next((row.first for row in self._rows.values()), None)
        return Backlog(len(self._rows), self._size, oldest, self._dropped)

    async def stats(self) -> Stats:
        boots: dict[str, int] = {}
        for name in self._rows:
            boots[name.boot] = boots.get(name.boot, 0) + 1
        rows = self._rows.values()
        oldest, newest = (min(row.first for row in rows), max(row.last for row in rows)) if rows else (None, None)
        return Stats(len(self._rows), self._size, oldest, newest, boots)

    async def close(self) -> None:
        pass
