"""History's connection to PostgreSQL: cursors that speak numpy, hot batches, rollups, partitions. Knows no Django."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import Connection, Cursor, sql
from psycopg.pq import Format
from psycopg.rows import tuple_row

from telemetry import encoding, wire
from telemetry.rollups import Buckets, Resolution
from telemetry.samples import Ints

APPLICATION = "ems-history"
PARTITIONED = ("segment", "rollup_1m")


def connect(parameters: dict[str, Any]) -> Connection[Any]:
    """An autocommit connection whose server side notices a dead peer within half a minute (leases hang on it)."""
    connection = psycopg.connect(
        **{
            "application_name": APPLICATION,
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,
            **parameters,
        },
        autocommit=True,
    )
    if not (connection.info.host or "/").startswith("/"):
        connection.execute(
            "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
        )
    return connection


def cursor(connection: Connection[Any]) -> Cursor[tuple[Any, ...]]:
    """A binary cursor that answers arrays as numpy arrays."""
    # Not `connection.cursor`: Django's connections make cursors that bind on the client, and those speak text only.
    opened = Cursor[tuple[Any, ...]](connection, row_factory=tuple_row)
    opened.format = Format.BINARY
    wire.register(opened)
    return opened


def lock(cursor: Cursor[Any], purpose: str, site: int) -> None:
    """Wait for the named lock of a site and hold it to the end of the transaction."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"ems.{purpose}.{site}",))


def point_ids(cursor: Cursor[Any], site: int) -> dict[str, int]:
    cursor.execute("SELECT key, id FROM point WHERE site = %s", (site,))
    return dict(cursor.fetchall())


def add_points(cursor: Cursor[Any], pairs: Sequence[tuple[int, str]]) -> None:
    """Make unadopted points of (site, key) pairs; those that exist are left alone."""
    ordered = sorted(set(pairs))  # every writer in the same order, so that two never wait for each other
    cursor.execute(
        "INSERT INTO point (site, key) SELECT * FROM unnest(%s::bigint[], %s::text[]) ON CONFLICT DO NOTHING",
        ([site for site, _ in ordered], [key for _, key in ordered]),
    )


# Partitions ----------------------------------------------------------------------------------------------------------


def months(since: int, until: int) -> Iterator[tuple[str, int, int]]:
    """(suffix, first ms, end ms) of each UTC month that [since, until] touches."""
    moment = datetime.fromtimestamp(since / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while True:
        first = int(moment.timestamp()) * 1000
        if first > until:
            return
        following = moment.replace(year=moment.year + moment.month // 12, month=moment.month % 12 + 1)
        yield f"{moment:%Y_%m}", first, int(following.timestamp()) * 1000
        moment = following


def ensure_partitions(connection: Connection[Any], since: int, until: int) -> list[str]:
    """Make the monthly partitions for [since, until] ms that are missing; in a short transaction of its own.

    A table is made beside its parent and then attached: attaching, unlike creating in place, lets readers and
    writers of the parent go on.
    """
    wanted = {
        f"{table}_{suffix}": (table, first, end) for suffix, first, end in months(since, until) for table in PARTITIONED
    }
    made = []
    with connection.transaction(), cursor(connection) as work:
        if not _missing(work, wanted):
            return []
        lock(work, "partitions", 0)
        for name in _missing(work, wanted):
            table, first, end = wanted[name]
            work.execute(
                sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(sql.Identifier(name), sql.Identifier(table))
            )
            work.execute(
                sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
                    sql.Identifier(table), sql.Identifier(name), sql.Literal(first), sql.Literal(end)
                )
            )
            made.append(name)
    return made


def _missing(work: Cursor[Any], wanted: dict[str, tuple[str, int, int]]) -> list[str]:
    work.execute("SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL", (list(wanted),))
    return sorted(name for (name,) in work.fetchall())


# Rollups -------------------------------------------------------------------------------------------------------------

_REALS = ("low", "high", "mean", "first", "last")


def load_buckets(cursor: Cursor[Any], resolution: Resolution, points: Sequence[int], since: int, until: int) -> Buckets:
    """The stored buckets with since <= start < until."""
    if not len(points) or since >= until:
        return Buckets.empty()
    cursor.execute(
        sql.SQL(
            "SELECT point, start, slots, low, high, mean, first, last, n, good FROM {} "
            "WHERE point = ANY (%s::integer[]) AND start > %s AND start < %s ORDER BY point, start"
        ).format(sql.Identifier(resolution.table)),
        (list(points), since - resolution.chunk, until),
    )
    rows = cursor.fetchall()
    if not rows:
        return Buckets.empty()
    point, start, slots, *columns, n, good = zip(*rows, strict=True)
    counts = np.array([len(low) for low in columns[0]], np.int64)
    index = np.concatenate(
        [np.arange(count) if some is None else some for some, count in zip(slots, counts, strict=True)]
    )
    low = columns[0]
    reals = [
        np.concatenate([like if column is None else column for column, like in zip(values, low, strict=True)])
        for values in columns
    ]
    ones = [np.ones(count, np.int64) for count in counts]
    wholes = [
        np.concatenate([one if column is None else column for column, one in zip(values, ones, strict=True)])
        for values in (n, good)
    ]
    found = Buckets(
        np.repeat(np.array(point, np.int64), counts),
        np.repeat(np.array(start, np.int64), counts) + index.astype(np.int64) * resolution.width,
        *reals,
        *(whole.astype(np.int64) for whole in wholes),
    )
    return found.take((found.start >= since) & (found.start < until))


def replace_buckets(cursor: Cursor[Any], resolution: Resolution, buckets: Buckets) -> None:
    """Write the rows that `buckets` fill, whole: whatever such a row held before is gone."""
    if not len(buckets):
        return
    chunk = buckets.start // resolution.chunk * resolution.chunk
    starts = np.flatnonzero(np.append(True, (np.diff(buckets.point) != 0) | (np.diff(chunk) != 0)))
    table = sql.Identifier(resolution.table)
    cursor.execute(
        sql.SQL(
            "DELETE FROM {} r USING unnest(%s::integer[], %s::bigint[]) AS t(point, start) "
            "WHERE r.point = t.point AND r.start = t.start"
        ).format(table),
        (buckets.point[starts].tolist(), chunk[starts].tolist()),
    )
    copy_into = sql.SQL(
        "COPY {} (point, start, slots, low, high, mean, first, last, n, good) FROM STDIN (FORMAT binary)"
    ).format(table)
    with cursor.copy(copy_into) as copy:
        for block in wire.copy_rows(_bucket_rows(buckets, chunk, starts, resolution.width)):
            copy.write(block)


def _bucket_rows(buckets: Buckets, chunk: Ints, starts: Ints, width: int) -> Iterator[list[wire.Field]]:
    ends = np.append(starts[1:], len(buckets))
    slot = (buckets.start - chunk) // width
    dense = np.logical_and.reduceat(slot == np.arange(len(slot)) - np.repeat(starts, ends - starts), starts)
    plain: list[NDArray[np.bool_]] = [
        np.logical_and.reduceat(encoding.same_bits(getattr(buckets, name), buckets.low), starts) for name in _REALS[1:]
    ] + [np.logical_and.reduceat(counted == 1, starts) for counted in (buckets.n, buckets.good)]
    slots = wire.ArrayFields(wire.INT2, slot)
    low = wire.ArrayFields(wire.FLOAT8, buckets.low)
    others = [wire.ArrayFields(wire.FLOAT8, getattr(buckets, name)) for name in _REALS[1:]]
    others += [wire.ArrayFields(wire.INT4, counted) for counted in (buckets.n, buckets.good)]
    columns = (buckets.point[starts], chunk[starts], starts, ends, dense)
    plains = np.stack(plain, axis=1).tolist()
    for (point, start, first, end, whole), same in zip(
        zip(*(column.tolist() for column in columns), strict=True), plains, strict=True
    ):
        yield [
            wire.int4(point),
            wire.int8(start),
            None if whole else slots.field(first, end),
            low.field(first, end),
            *(None if equal else column.field(first, end) for column, equal in zip(others, same, strict=True)),
        ]
