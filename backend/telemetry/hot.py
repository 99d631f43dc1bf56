"""The hot store's rows: what has arrived, as it arrived; gaps; what was set aside. Knows no Django.

Every function works inside the caller's transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from ems_contract.telemetry import (
    GAP_POISON,
    MAX_BATCH_BYTES,
    MAX_FUTURE_MS,
    Batch,
    BatchRefusedError,
    Gap,
    decode_batch,
)

POISON_KEPT = 1_000
"""For each edge; the oldest go."""


class Window(NamedTuple):
    """Samples outside [oldest, newest] (ms) are set aside."""

    oldest: int
    newest: int

    @classmethod
    def at(cls, now: int, retention: int) -> Window:
        return cls(now - retention, now + MAX_FUTURE_MS)

    @property
    def now(self) -> int:
        return self.newest - MAX_FUTURE_MS

    def clamp(self, ts: int) -> int:
        return min(max(ts, self.oldest), self.newest)


class Entry(NamedTuple):
    """One stream entry: whose it is, as its key says, and its bytes."""

    site: int
    edge: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """A batch that the store can take; times in ms, 0 without readings."""

    entry: Entry
    boot: str
    seq: int
    ts_min: int
    ts_max: int
    samples: int
    keys: frozenset[str]
    """Only those that were not known before."""
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """`boot` and `seq` where they could be read; then the receipt is closed up and the gap recorded."""

    entry: Entry
    reason: str
    boot: str | None = None
    seq: int | None = None
    ts_min: int | None = None
    ts_max: int | None = None


def copy_batches(cursor: Cursor[Any], accepted: Sequence[Accepted]) -> None:
    if not accepted:
        return
    boots = {one.boot: UUID(one.boot) for one in accepted}
    with cursor.copy(
        "COPY batch (site, edge, boot, seq, ts_min, ts_max, samples, payload) FROM STDIN (FORMAT binary)"
    ) as copy:
        copy.set_types(["int8", "int8", "uuid", "int8", "int8", "int8", "int4", "bytea"])
        for one in accepted:
            entry = one.entry
            copy.write_row(
                (entry.site, entry.edge, boots[one.boot], one.seq, one.ts_min, one.ts_max, one.samples, entry.payload)
            )


def insert_gaps(cursor: Cursor[Any], accepted: Sequence[Accepted], refused: Sequence[Refused], window: Window) -> int:
    """What the edges report, and what is set aside by name. Times are brought into the window."""
    rows: list[tuple[Any, ...]] = [
        (
            one.entry.site,
            one.entry.edge,
            gap.boot,
            gap.seq_from if gap.boot is not None else None,
            gap.seq_to if gap.boot is not None else None,
            window.clamp(gap.start),
            window.clamp(gap.end),
            gap.reason,
        )
        for one in accepted
        for gap in one.gaps
    ]
    for bad in refused:
        if bad.boot is not None:
            since = bad.ts_min if bad.ts_min is not None else window.now
            until = bad.ts_max if bad.ts_max is not None else window.now
            rows.append((bad.entry.site, bad.entry.edge, bad.boot, bad.seq, bad.seq, since, until, GAP_POISON))
    if rows:
        cursor.executemany(
            "INSERT INTO gap (site, edge, boot, seq_from, seq_to, ts_from, ts_to, reason) "
            "VALUES (%s, %s, %s::uuid, %s, %s, %s, %s, %s)",
            rows,
        )
    return len(rows)


def set_aside(cursor: Cursor[Any], refused: Sequence[Refused]) -> None:
    if not refused:
        return
    cursor.executemany(
        "INSERT INTO poison (site, edge, boot, seq, reason, digest, size, payload) "
        "VALUES (%s, %s, %s::uuid, %s, %s, %s, %s, %s) "
        "ON CONFLICT (edge, digest) DO UPDATE SET times = poison.times + 1, received = now()",
        [
            (
                one.entry.site,
                one.entry.edge,
                one.boot,
                one.seq,
                printable(one.reason),
                hashlib.sha256(one.entry.payload).digest(),
                len(one.entry.payload),
                one.entry.payload[:MAX_BATCH_BYTES],
            )
            for one in refused
        ],
    )
    cursor.execute(
        "DELETE FROM poison p USING unnest(%s::bigint[]) AS e(edge) WHERE p.edge = e.edge AND p.id <= ("
        "  SELECT q.id FROM poison q WHERE q.edge = e.edge ORDER BY q.id DESC OFFSET %s LIMIT 1)",
        (sorted({one.entry.edge for one in refused}), POISON_KEPT),
    )


def printable(reason: str) -> str:
    """A reason may quote what an edge sent: nothing in it may break a row, a log or a page."""
    safe = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in reason)
    return safe.encode("utf-8", "replace").decode()[:500]


# Reading -----------------------------------------------------------------------------------------------------------


def stored_batch(payload: bytes) -> Batch | None:
    """Decode what ingest has accepted. None if this process cannot: the depth of nesting that the decoder bears
    depends on where it is called."""
    try:
        return decode_batch(payload)
    except BatchRefusedError:
        return None


class Taken(NamedTuple):
    """A batch that has left the hot store in this transaction."""

    id: int
    edge: int
    boot: UUID
    seq: int
    ts_min: int
    ts_max: int
    payload: bytes


def closed_span(cursor: Cursor[Any], site: int, closed: int) -> tuple[int, int] | None:
    """(first, last) ts of the batches whose samples are all before `closed`; None if there are none."""
    cursor.execute("SELECT min(ts_min), max(ts_max) FROM batch WHERE site = %s AND ts_max < %s", (site, closed))
    first, last = cursor.fetchall()[0]
    return None if first is None else (first, last)


def take(cursor: Cursor[Any], site: int, closed: int, max_bytes: int) -> list[Taken]:
    """Delete and answer batches whose samples are all before `closed`, in the order of arrival, at least one.

    A batch that arrived after one that reaches past `closed` waits for it where they overlap: what is written last
    must also be compacted last.
    """
    cursor.execute(
        """
        WITH open AS MATERIALIZED (
            SELECT id, ts_min FROM batch WHERE site = %(site)s AND ts_max >= %(closed)s AND ts_min < %(closed)s
        ), queue AS (
            SELECT b.ctid AS place, b.id, octet_length(b.payload) AS size,
                   sum(octet_length(b.payload)) OVER (ORDER BY b.id) AS total
            FROM batch b
            WHERE b.site = %(site)s AND b.ts_max < %(closed)s
              AND NOT EXISTS (SELECT FROM open WHERE open.id < b.id AND open.ts_min <= b.ts_max)
        )
        DELETE FROM batch
        WHERE ctid = ANY (ARRAY(SELECT place FROM queue WHERE total - size < %(bytes)s))
        RETURNING id, edge, boot, seq, ts_min, ts_max, payload
        """,
        {"site": site, "closed": closed, "bytes": max_bytes},
    )
    return sorted((Taken(*row) for row in cursor.fetchall()), key=lambda taken: taken.id)


def load(cursor: Cursor[Any], site: int, since: int, until: int) -> list[bytes]:
    """Payloads that may hold samples in [since, until), in the order of arrival."""
    cursor.execute(
        "SELECT payload FROM batch WHERE site = %s AND ts_max >= %s AND ts_min < %s ORDER BY id", (site, since, until)
    )
    return [payload for (payload,) in cursor.fetchall()]


def size(cursor: Cursor[Any], site: int, since: int, until: int) -> int:
    """Bytes of what `load` would answer."""
    cursor.execute(
        "SELECT coalesce(sum(octet_length(payload)), 0)::bigint FROM batch "
        "WHERE site = %s AND ts_max >= %s AND ts_min < %s",
        (site, since, until),
    )
    return int(cursor.fetchall()[0][0])
