"""The hot store -> the cold one: closed hours of batches become segments and rollups. Raw psycopg, no Django.

One transaction per site and bite: a lock, DELETE ... RETURNING of the batches, the segments of the hours they touch
merged with what was there, the rollups that depend on them. Every reader sees a sample before or after it moves,
never twice and never not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from psycopg import Connection, Cursor

from telemetry import hot, segments, store
from telemetry.hot import Entry, Refused, Taken, Window
from telemetry.rollups import RESOLUTIONS, Buckets, Resolution, join, roll_up
from telemetry.samples import HOUR, Ints, Samples, from_batches, hour_runs, merge, split_hour_keys, touched_hours

GRACE = 10 * 60_000
"""An hour is closed this many ms after its end."""
BITE_BYTES = 6 * 1024 * 1024
"""Payload in one transaction: some 300,000 samples, about half a second."""


@dataclass(frozen=True, slots=True)
class Compacted:
    batches: int
    samples: int
    segments: int
    undecodable: int = 0


def closed_before(now: int) -> int:
    """Samples before this ms are in closed hours."""
    return (now - GRACE) // HOUR * HOUR


def sites_due(connection: Connection[Any], sites: Sequence[int], now: int) -> list[int]:
    with store.cursor(connection) as cursor:
        cursor.execute(
            "SELECT s.site FROM unnest(%s::bigint[]) AS s(site) "
            "WHERE EXISTS (SELECT FROM batch b WHERE b.site = s.site AND b.ts_max < %s)",
            (list(sites), closed_before(now)),
        )
        return [site for (site,) in cursor.fetchall()]


def compact(connection: Connection[Any], site: int, now: int, max_bytes: int = BITE_BYTES) -> Compacted:
    """Take one bite. `batches` is 0 when nothing of the site was due."""
    closed = closed_before(now)
    with store.cursor(connection) as cursor:
        span = hot.closed_span(cursor, site, closed)
        if span is None:
            return Compacted(0, 0, 0)
        store.ensure_partitions(connection, *span)
        with connection.transaction():
            store.lock(cursor, "compaction", site)
            taken = hot.take(cursor, site, closed, max_bytes)
            return _move(cursor, site, taken, now) if taken else Compacted(0, 0, 0)


def _move(cursor: Cursor[Any], site: int, taken: Sequence[Taken], now: int) -> Compacted:
    decoded = [(one, hot.stored_batch(one.payload)) for one in taken]
    batches = [batch for _, batch in decoded if batch is not None]
    keys = {key for batch in batches for reading in batch.readings for key in reading.values}
    fresh = from_batches(batches, _ids(cursor, site, keys))
    lost = [one for one, batch in decoded if batch is None]
    if lost:
        _set_aside(cursor, site, lost, now)
    if not len(fresh):
        return Compacted(len(taken), 0, 0, len(lost))

    touched = touched_hours(fresh)
    points = np.unique(fresh.point).tolist()
    spans = hour_runs(split_hour_keys(touched)[1])
    whole = merge(segments.load(cursor, points, spans), fresh)
    written = segments.replace(cursor, whole, touched)
    hours = rolled_hours(whole, touched)
    for resolution in RESOLUTIONS:
        _roll(cursor, resolution, whole, hours)
    return Compacted(len(taken), len(fresh), written, len(lost))


def _ids(cursor: Cursor[Any], site: int, keys: set[str]) -> Mapping[str, int]:
    ids = store.point_ids(cursor, site)
    if keys <= ids.keys():
        return ids
    store.add_points(cursor, [(site, key) for key in keys - ids.keys()])  # ingest has made them; a restore may not have
    return store.point_ids(cursor, site)


def _set_aside(cursor: Cursor[Any], site: int, lost: Sequence[Taken], now: int) -> None:
    refused = [
        Refused(
            Entry(site, one.edge, one.payload),
            "batch: accepted, but it cannot be decoded again",
            str(one.boot),
            one.seq,
            one.ts_min,
            one.ts_max,
        )
        for one in lost
    ]
    hot.set_aside(cursor, refused)
    hot.insert_gaps(cursor, [], refused, Window(0, now))


def rolled_hours(whole: Samples, touched: Ints) -> Ints:
    """The (point, hour) keys whose rollups change with the touched ones.

    A value carries into the bucket of the next sample, and no further than CARRY: at most into the next hour.
    """
    following = np.intersect1d(touched + 1, touched_hours(whole))
    return np.union1d(touched, following)


def _roll(cursor: Cursor[Any], resolution: Resolution, whole: Samples, hours: Ints) -> None:
    rolled = roll_up(whole, resolution.width)
    fresh = rolled.take(rolled.in_hours(hours))
    if resolution.chunk > HOUR:
        fresh = join([_kept(cursor, resolution, hours), fresh])
    store.replace_buckets(cursor, resolution, fresh)


def _kept(cursor: Cursor[Any], resolution: Resolution, hours: Ints) -> Buckets:
    """The stored buckets that share a row with the given hours but lie in others."""
    points, starts = split_hour_keys(hours)
    chunks = starts // resolution.chunk * resolution.chunk
    distinct = np.unique(chunks)
    runs = np.split(distinct, np.flatnonzero(np.diff(distinct) > resolution.chunk) + 1)
    owners = np.unique(points).tolist()
    stored = join(
        [store.load_buckets(cursor, resolution, owners, int(run[0]), int(run[-1]) + resolution.chunk) for run in runs]
    )
    rows = np.unique(_row_keys(points, chunks, resolution))
    mine = np.isin(_row_keys(stored.point, stored.start, resolution), rows)
    return stored.take(mine & ~stored.in_hours(hours))


def _row_keys(points: Ints, starts: Ints, resolution: Resolution) -> Ints:
    return np.asarray((points << 32) + starts // resolution.chunk)
