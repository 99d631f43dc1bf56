"""The edges' streams in Redis, as the historian sees them: read from the start, forget what is committed. No Django.

What is in a stream is exactly what is not yet committed, so every read begins at 0 and nobody keeps a position.
Whatever Redis does not answer within DEADLINE seconds raises `redis.RedisError`; then read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import streams
from ems_contract import keys
from ems_contract.receipts import Ranges, format_receipts
from telemetry.hot import Entry

DEADLINE = 5.0
"""Seconds. A frozen Redis keeps its sockets open; only this notices."""
WAIT_MS = 1_000

log = structlog.get_logger()


class Pending(NamedTuple):
    """A stream entry that is not committed yet."""

    key: str
    id: bytes
    entry: Entry


@dataclass(slots=True)
class Lane:
    """How many entries of each stream to ask for, so that all of them are about `budget` bytes."""

    budget: int
    count: int = 8
    most: int = 256

    def adapt(self, size: int, full: bool) -> None:
        """`full`: some stream gave as many as it was asked for."""
        if size > self.budget:
            self.count = max(1, self.count // 2)
        elif full and size < self.budget // 2:
            self.count = min(self.most, self.count * 2)


def connect(url: str) -> redis.Redis:
    """A client that neither retries nor waits longer than DEADLINE: the loop above it decides what to do."""
    return redis.Redis.from_url(
        url,
        socket_timeout=DEADLINE,
        socket_connect_timeout=DEADLINE,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        client_name="ems-historian",
    )


class Streams:
    def __init__(self, client: redis.Redis, live_bytes: int = 4 << 20, backfill_bytes: int = 2 << 20) -> None:
        self._redis = client
        self._edges: list[tuple[int, int]] = []
        self._lanes = {"stream": Lane(live_bytes), "backfill": Lane(backfill_bytes, count=4)}
        self._untold: dict[str, str] = {}

    def watch(self, edges: Iterable[tuple[int, int]]) -> None:
        """The (site, edge) pairs whose streams to read from now on."""
        self._edges = sorted(set(edges))

    def read(self, lane: keys.Lane) -> list[Pending]:
        """The oldest entries of every stream of the lane, in order; at most a pass's worth of bytes or so."""
        names = self._names(lane)
        if not names:
            return []
        limits = self._lanes[lane]
        answer = streams.read(self._redis, names, limits.count)
        pending = [
            Pending(key, entry_id, _entry(key, fields)) for key, entries in answer for entry_id, fields in entries
        ]
        full = any(len(entries) >= limits.count for _, entries in answer)
        limits.adapt(sum(len(one.entry.payload) for one in pending), full)
        return pending

    def wait(self) -> None:
        """Return when something is in a stream, or after WAIT_MS."""
        names = [name for lane in keys.LANES for name in self._names(lane)]
        if names:
            streams.read(self._redis, names, 1, block=WAIT_MS)

    def forget(self, pending: Sequence[Pending], receipts: Mapping[int, Mapping[str, Ranges]]) -> None:
        """Delete what is committed, then tell the edges so."""
        ids: dict[str, list[bytes]] = {}
        for one in pending:
            ids.setdefault(one.key, []).append(one.id)
        heard = {(one.entry.site, one.entry.edge) for one in pending}
        streams.forget(self._redis, ids)
        for site, edge in sorted(heard):
            text = format_receipts(receipts.get(edge, {}))
            if text:
                self._untold[keys.telemetry_acked(site, edge)] = text
        self.tell()

    def tell(self) -> None:
        """Write the receipts that are not written yet. Redis at its memory limit refuses; then try again later."""
        for key, text in list(self._untold.items()):
            try:
                self._redis.set(key, text)
            except redis.exceptions.OutOfMemoryError:
                log.warning("redis is full: an edge waits for its receipt", key=key)
                return
            del self._untold[key]

    def leftovers(self) -> set[tuple[int, int]]:
        """(site, edge) of every telemetry stream there is, also of edges that exist no longer."""
        found = set()
        for key in self._redis.scan_iter(match="telemetry:{site_*}:edge_*:*", count=1_000, _type="stream"):
            try:
                site, edge, _ = keys.parse_stream(key.decode("utf-8", "replace"))
            except ValueError:
                continue
            found.add((site, edge))
        return found

    def close(self) -> None:
        self._redis.close()

    def _names(self, lane: keys.Lane) -> list[str]:
        return [keys.telemetry_stream(site, edge, lane) for site, edge in self._edges]


def _entry(key: str, fields: Mapping[bytes, bytes] | None) -> Entry:
    site, edge, _ = keys.parse_stream(key)
    fields = fields or {}
    payload = fields.get(keys.STREAM_FIELD.encode())
    if payload is None:  # no batch; keep what there is as evidence
        payload = b"\n".join(name + b": " + value for name, value in fields.items())
    return Entry(site, edge, payload)
