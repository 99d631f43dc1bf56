"""The edges' streams in Redis, as the historian sees them: read from the start, forget what is committed. No Django.

What is in a stream is exactly what is not yet committed, so every read begins at 0 and nobody keeps a position.
Whatever Redis does not answer within DEADLINE seconds raises `redis.RedisError`; then read again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from ems_contract import keys
from ems_contract.receipts import Ranges, format_receipts
from telemetry.hot import Entry

DEADLINE = 5.0
"""Seconds. A frozen Redis keeps its sockets open; only this notices."""
WAIT_MS = 1_000
AHEAD_MS = 3_600_000
"""An entry's id is Redis's own time in ms. One so far ahead of ours was made up."""

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
        answer = self._xread(names, count=limits.count)
        pending = [
            Pending(key.decode(), entry_id, _entry(key.decode(), fields))
            for key, entries in answer
            for entry_id, fields in entries
        ]
        full = any(len(entries) >= limits.count for _, entries in answer)
        limits.adapt(sum(len(one.entry.payload) for one in pending), full)
        return pending

    def wait(self) -> None:
        """Return when something is in a stream, or after WAIT_MS."""
        names = [name for lane in keys.LANES for name in self._names(lane)]
        if names:
            self._xread(names, count=1, block=WAIT_MS)

    def forget(self, pending: Sequence[Pending], receipts: Mapping[int, Mapping[str, Ranges]]) -> None:
        """Delete what is committed, then tell the edges so. Exactly these entries: Redis may have been wiped and
        filled again since they were read, and then a range of ids could hold others."""
        ids: dict[str, list[bytes]] = {}
        for one in pending:
            ids.setdefault(one.key, []).append(one.id)
        heard = {(one.entry.site, one.entry.edge) for one in pending}
        pipeline = self._redis.pipeline(transaction=False)
        for key, members in ids.items():
            pipeline.xdel(key, *members)
        pipeline.execute()
        for key, members in ids.items():
            if _milliseconds(members[-1]) > time.time() * 1000 + AHEAD_MS:
                self._begin_anew(key)
        for site, edge in sorted(heard):
            text = format_receipts(receipts.get(edge, {}))
            if text:
                self._untold[keys.telemetry_acked(site, edge)] = text
        self.tell()

    def _begin_anew(self, key: str) -> None:
        """A made-up id stays the stream's highest, and Redis takes none below it: the edge, or the next one with a new
        key, could add nothing any more. So the stream goes once it is empty."""
        with self._redis.pipeline() as pipeline:
            try:
                pipeline.watch(key)  # type: ignore[no-untyped-call]
                if pipeline.xlen(key):
                    return  # whatever was added since has a higher id still, and leads here again
                pipeline.multi()
                pipeline.delete(key)
                pipeline.execute()
            except redis.WatchError:
                return
        log.warning("a stream held a made-up id; begun anew", key=key)

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

    def _xread(self, names: Sequence[str], count: int, block: int | None = None) -> list[Any]:
        try:
            answer: Any = self._redis.xread(dict.fromkeys(names, "0"), count=count, block=block)
        except redis.ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            others = self._remove_what_is_no_stream(names)
            # Without it: whoever writes it again at once would otherwise hold up everyone for ever.
            return self._xread(others, count, block) if others and len(others) < len(names) else []
        return list(answer or [])

    def _remove_what_is_no_stream(self, names: Sequence[str]) -> list[str]:
        """An edge can write another type under its own stream's name; nobody else's stream may wait for that.

        Returns the other names.
        """
        others = []
        pipeline = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.type(name)
        for name, kind in zip(names, pipeline.execute(), strict=True):
            if kind in (b"stream", b"none"):
                others.append(name)
            else:
                log.error("a stream's name held something else; removed", key=name, type=kind.decode())
                self._redis.delete(name)
        return others


def _milliseconds(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])


def _entry(key: str, fields: Mapping[bytes, bytes] | None) -> Entry:
    site, edge, _ = keys.parse_stream(key)
    fields = fields or {}
    payload = fields.get(keys.STREAM_FIELD.encode())
    if payload is None:  # no batch; keep what there is as evidence
        payload = b"\n".join(name + b": " + value for name, value in fields.items())
    return Entry(site, edge, payload)
