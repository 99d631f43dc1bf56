"""What an edge can see of the historian: streams that get shorter, and receipts. Keeps its own ledger."""

from __future__ import annotations

from typing import Self

import redis
from ems_contract import keys
from ems_contract.receipts import Ranges, format_receipts, normalise
from ems_contract.telemetry import Batch, decode_batch
from ems_edge.buffer import Name


class Historian:
    """`ingest` is one pass; commit and acknowledgement can be taken apart with `trim` and `acknowledge`."""

    def __init__(self, admin: redis.Redis, site: int = 1, edge: int = 1) -> None:
        self._admin = admin
        self._streams = [keys.telemetry_stream(site, edge, lane) for lane in keys.LANES]
        self._acked = keys.telemetry_acked(site, edge)
        self._edge = keys.edge_name(edge)
        self._done: dict[str, Ranges] = {}
        self.batches: dict[Name, Batch] = {}
        self.delivered: list[Name] = []
        """Every entry seen, duplicates included."""
        self.lanes: dict[Name, set[str]] = {}

    def commit(self) -> list[tuple[str, str]]:
        """Read everything; returns what may now be trimmed: (stream, last id)."""
        trims: list[tuple[str, str]] = []
        for stream in self._streams:
            entries = self._admin.xrange(stream)
            for entry_id, fields in entries:
                batch = decode_batch(fields[keys.STREAM_FIELD.encode()], edge=self._edge)
                name = Name(batch.boot, batch.seq)
                self.delivered.append(name)
                self.lanes.setdefault(name, set()).add(stream.rsplit(":", 1)[1])
                self.batches.setdefault(name, batch)
                ranges = [(batch.seq, batch.seq)]
                self._extend(batch.boot, ranges)
                for gap in batch.gaps or ():
                    if gap.boot and gap.seq_from and gap.seq_to:
                        self._extend(gap.boot, [(gap.seq_from, gap.seq_to)])
                last = entry_id.decode()
            if entries:
                trims.append((stream, last))
        return trims

    def _extend(self, boot: str, ranges: Ranges) -> None:
        self._done[boot] = normalise([*self._done.get(boot, []), *ranges])

    def trim(self, trims: list[tuple[str, str]]) -> None:
        for stream, last in trims:
            ms, _, counter = last.partition("-")
            self._admin.xtrim(stream, minid=f"{ms}-{int(counter) + 1}", approximate=False)

    def acknowledge(self) -> None:
        self._admin.set(self._acked, format_receipts(self._done))

    def ingest(self) -> Self:
        """One whole pass."""
        self.trim(self.commit())
        self.acknowledge()
        return self

    def values(self, key: str) -> list[float | None]:
        """A point's history, by boot in order of arrival and seq."""
        boots = list(dict.fromkeys(name.boot for name in self.delivered))
        ordered = sorted(self.batches, key=lambda name: (boots.index(name.boot), name.seq))
        return [
            reading.values[key] for name in ordered for reading in self.batches[name].readings if key in reading.values
        ]
