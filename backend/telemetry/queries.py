"""History, read: stored rollups and segments plus whatever is still hot, in one repeatable-read transaction.

Hot batches are rolled up while reading, so the newest minutes are always there; a compaction that commits in between
is either wholly seen or not at all. Raw psycopg and numpy, no Django.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from psycopg import Connection, Cursor
from psycopg.pq import TransactionStatus

from telemetry import hot, segments, store
from telemetry.compaction import rolled_hours
from telemetry.rollups import CARRY, DAY, RESOLUTIONS, Buckets, Resolution, join, roll_up
from telemetry.samples import HOUR, Samples, from_batches, hour_runs, merge, split_hour_keys, touched_hours

RAW = "raw"
AUTO = "auto"
RESOLUTION_NAMES = (AUTO, RAW, *(resolution.name for resolution in RESOLUTIONS))

MAX_POINTS = 50
MAX_SPAN = 400 * DAY
MAX_RAW_SAMPLES = 200_000
MAX_BUCKETS = 500_000
MAX_GAPS = 1_000
MAX_HOT_BYTES = 96 * 1024 * 1024
RAW_SPAN = 2 * DAY
"""`auto` does not even count samples over a longer span."""


class QueryRefusedError(ValueError):
    """The question is too large. `parameter` is the one to change, the message says how."""

    def __init__(self, parameter: str, problem: str) -> None:
        super().__init__(problem)
        self.parameter = parameter


class HistoryBusyError(RuntimeError):
    """So much has just arrived that reading it would take longer than compacting it; ask again in a moment."""


class GapRow(NamedTuple):
    edge: int
    ts_from: int
    ts_to: int
    reason: str


@dataclass(frozen=True, slots=True)
class Question:
    """`points` maps keys to ids; since <= ts < until, in ms."""

    site: int
    points: Mapping[str, int]
    since: int
    until: int
    resolution: str = AUTO
    max_points: int = 1_000


@dataclass(frozen=True, slots=True)
class History:
    """`series` by point id: Samples of that point when raw, else Buckets. A point without any has no entry."""

    resolution: str
    series: Mapping[int, Samples | Buckets]
    gaps: Sequence[GapRow] = field(default_factory=list)


def history(connection: Connection[Any], question: Question) -> History:
    """Raises QueryRefusedError for a question beyond the limits, HistoryBusyError, and what psycopg raises."""
    check_question(question)
    ids = sorted(question.points.values())
    with snapshot(connection) as cursor:
        gaps = _gaps(cursor, question)
        # The first bucket begins before `since`, and a value up to CARRY older is carried into it.
        warm = _hot(cursor, question, question.since - HOUR - CARRY, question.until + HOUR)
        resolution = _resolution(cursor, question, ids, warm)
        if resolution is None:
            raw = _raw(cursor, question, ids, warm)
            return History(RAW, dict(_by_point(raw)), gaps)
        buckets = _buckets(cursor, resolution, question, ids, warm)
        return History(resolution.name, dict(_by_point(buckets)), gaps)


def check_question(question: Question) -> None:
    """What can be refused without the database."""
    if question.until <= question.since:
        raise QueryRefusedError("to", "must be later than `from`")
    if question.until - question.since > MAX_SPAN:
        raise QueryRefusedError("from", f"the span is longer than {MAX_SPAN // DAY} days; ask for less at once")
    if len(question.points) > MAX_POINTS:
        raise QueryRefusedError("points", f"{len(question.points)} points; at most {MAX_POINTS} at once")
    if question.resolution not in RESOLUTION_NAMES:
        raise QueryRefusedError("resolution", f"must be one of {', '.join(RESOLUTION_NAMES)}")


@contextmanager
def snapshot(connection: Connection[Any]) -> Iterator[Cursor[tuple[Any, ...]]]:
    """A cursor that sees one state of the database. Inside a transaction of the caller's, the caller's."""
    outermost = connection.info.transaction_status == TransactionStatus.IDLE
    with connection.transaction(), store.cursor(connection) as cursor:
        if outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield cursor


def _gaps(cursor: Cursor[Any], question: Question) -> list[GapRow]:
    cursor.execute(
        "SELECT edge, ts_from, ts_to, reason FROM gap WHERE site = %s AND ts_to >= %s AND ts_from < %s "
        "ORDER BY ts_from, id LIMIT %s",
        (question.site, question.since, question.until, MAX_GAPS),
    )
    return [GapRow(*row) for row in cursor.fetchall()]


def _hot(cursor: Cursor[Any], question: Question, since: int, until: int) -> Samples:
    waiting = hot.size(cursor, question.site, since, until)
    if waiting > MAX_HOT_BYTES:
        raise HistoryBusyError(f"{waiting >> 20} MiB that have just arrived are being compacted; ask again in a moment")
    batches = (hot.stored_batch(payload) for payload in hot.load(cursor, question.site, since, until))
    found = from_batches((batch for batch in batches if batch is not None), question.points)
    return found.between(since, until)


def _resolution(cursor: Cursor[Any], question: Question, ids: Sequence[int], warm: Samples) -> Resolution | None:
    """The finest that stays within max_points for each point; None is raw."""
    span = question.until - question.since
    if question.resolution == RAW:
        if sum(_counts(cursor, question, ids, warm).values()) > MAX_RAW_SAMPLES:
            raise QueryRefusedError(
                "resolution", f"more than {MAX_RAW_SAMPLES} raw samples; ask for less at once, or for 1m, 15m or 1h"
            )
        return None
    if question.resolution == AUTO:
        if span <= RAW_SPAN:
            counts = _counts(cursor, question, ids, warm)
            if max(counts.values(), default=0) <= question.max_points and sum(counts.values()) <= MAX_RAW_SAMPLES:
                return None
        fitting = [one for one in RESOLUTIONS if span <= one.width * question.max_points]
        chosen = fitting[0] if fitting else RESOLUTIONS[-1]
    else:
        chosen = next(one for one in RESOLUTIONS if one.name == question.resolution)
    if span // chosen.width * len(ids) > MAX_BUCKETS:
        raise QueryRefusedError(
            "points", f"more than {MAX_BUCKETS} buckets; ask for fewer points, a shorter span or a coarser resolution"
        )
    return chosen


def _counts(cursor: Cursor[Any], question: Question, ids: Sequence[int], warm: Samples) -> dict[int, int]:
    """At most how many raw samples each point has in the span."""
    cursor.execute(
        "SELECT point, sum(n)::bigint FROM segment WHERE point = ANY (%s::integer[]) AND start > %s AND start < %s "
        "GROUP BY point",
        (ids, question.since - HOUR, question.until),
    )
    counts = dict(cursor.fetchall())
    inside = warm.between(question.since, question.until)
    for point, count in zip(*np.unique(inside.point, return_counts=True), strict=True):
        counts[int(point)] = counts.get(int(point), 0) + int(count)
    return counts


def _raw(cursor: Cursor[Any], question: Question, ids: Sequence[int], warm: Samples) -> Samples:
    cold = segments.load(cursor, ids, [(question.since - HOUR + 1, question.until)])
    return merge(cold, warm).between(question.since, question.until)


def _buckets(
    cursor: Cursor[Any], resolution: Resolution, question: Question, ids: Sequence[int], warm: Samples
) -> Buckets:
    """Stored buckets, and instead of those in hours that hot samples reach, buckets rolled up from both stores."""
    since = question.since // resolution.width * resolution.width
    stored = store.load_buckets(cursor, resolution, ids, since, question.until)
    if not len(warm):
        return stored
    touched = touched_hours(warm)
    spans = hour_runs(split_hour_keys(touched)[1])
    whole = merge(segments.load(cursor, np.unique(warm.point).tolist(), spans), warm)
    hours = rolled_hours(whole, touched)
    fresh = roll_up(whole, resolution.width)
    fresh = fresh.take(fresh.in_hours(hours) & (fresh.start >= since) & (fresh.start < question.until))
    return join([stored.take(~stored.in_hours(hours)), fresh])


def _by_point[Columns: (Samples, Buckets)](columns: Columns) -> Iterator[tuple[int, Columns]]:
    points, first, lengths = np.unique(columns.point, return_index=True, return_counts=True)
    for point, begin, length in zip(points.tolist(), first.tolist(), lengths.tolist(), strict=True):
        yield point, columns.take(slice(begin, begin + length))
