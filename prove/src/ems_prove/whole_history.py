"""History compared to the last sample: what is cold through the SQL function `samples`, which any BI tool may use too,
what is still hot from the batches themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import psycopg
from ems_contract.telemetry import decode_batch
from numpy.typing import NDArray

POINTS_AT_ONCE = 50
_HEADER = 19
"""Bytes before the first row of a binary COPY; 2 behind the last."""
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("point_size", ">i4"),
        ("point", ">i4"),
        ("ts_size", ">i4"),
        ("ts", ">i8"),
        ("value_size", ">i4"),
        ("value", ">f8"),
        ("quality_size", ">i4"),
        ("quality", ">i2"),
    ]
)
_EPOCH_MS = 946_684_800_000
"""PostgreSQL counts from 2000, in microseconds."""

Connection = psycopg.Connection[tuple[object, ...]]
Series = tuple[NDArray[np.int64], NDArray[np.float64]]
"""ts in ms, and values."""


@dataclass
class Comparison:
    """Counts samples. `lost`: not in history; `wrong`: there with another value or in doubt; `more`: never made."""

    made: int = 0
    found: int = 0
    lost: int = 0
    wrong: int = 0
    more: int = 0

    @property
    def clean(self) -> bool:
        return self.made > 0 and not (self.lost or self.wrong or self.more)

    def add(self, made: Series, stored: Series) -> None:
        """One point: what was made of it against what is there, both ascending; NaN is what is not good."""
        ts, values = made
        stored_ts, stored_values = stored
        self.made += len(ts)
        self.found += len(stored_ts)
        place = np.minimum(np.searchsorted(stored_ts, ts), max(len(stored_ts) - 1, 0))
        there = stored_ts[place] == ts if len(stored_ts) else np.zeros(len(ts), bool)
        self.lost += int((~there).sum())
        self.wrong += int((stored_values[place[there]] != values[there]).sum())
        self.more += len(stored_ts) - int(there.sum())


def compare(connection: Connection, site: int, points: Mapping[str, Series], closed: int) -> Comparison:
    """`points`: key -> all that was ever made of it. Everything before `closed` (ms) is cold.

    Raises LookupError for a point that is missing.
    """
    ids = point_ids(connection, site)
    if missing := points.keys() - ids.keys():
        raise LookupError(f"{len(missing)} points are not in history, {min(missing)} for one")
    hot = _hot(connection, site)
    comparison = Comparison()
    names = sorted(points, key=lambda key: ids[key])
    for first in range(0, len(names), POINTS_AT_ONCE):
        some = names[first : first + POINTS_AT_ONCE]
        rows = _cold(connection, [ids[key] for key in some], closed)
        for key in some:
            comparison.add(points[key], _joined(rows[rows["point"] == ids[key]], hot.get(key, {})))
    return comparison


def point_ids(connection: Connection, site: int) -> dict[str, int]:
    found = connection.execute("SELECT key, id FROM point WHERE site = %s", (site,)).fetchall()
    return {str(key): int(str(number)) for key, number in found}


def stored_samples(connection: Connection, site: int) -> int:
    """As the store counts them: one that is there twice counts twice."""
    row = connection.execute(
        "SELECT (SELECT coalesce(sum(n), 0) FROM segment s JOIN point p ON p.id = s.point WHERE p.site = %(site)s)"
        " + (SELECT coalesce(sum(samples), 0) FROM batch WHERE site = %(site)s)",
        {"site": site},
    ).fetchone()
    return int(str(row[0])) if row else 0


def hot_batches(connection: Connection, site: int, before: int) -> int:
    """Batches that are wholly older than `before` (ms) and not compacted yet."""
    row = connection.execute("SELECT count(*) FROM batch WHERE site = %s AND ts_max < %s", (site, before)).fetchone()
    return int(str(row[0])) if row else 0


def receipt(connection: Connection, edge: int, boot: str) -> str:
    row = connection.execute("SELECT done::text FROM receipt WHERE edge = %s AND boot = %s", (edge, boot)).fetchone()
    return str(row[0]) if row else ""


def _cold(connection: Connection, points: Sequence[int], closed: int) -> NDArray[np.void]:
    query = (
        "COPY (SELECT point, ts, coalesce(value, 'NaN'), quality FROM samples(%s, NULL, to_timestamp(%s / 1000.0))) "
        "TO STDOUT (FORMAT binary)"
    )
    with connection.cursor() as cursor, cursor.copy(query, (list(points), closed)) as copy:
        content = b"".join(bytes(part) for part in copy)
    return np.frombuffer(content[_HEADER:-2], _ROW)


def _hot(connection: Connection, site: int) -> dict[str, dict[int, float]]:
    """Key -> ts -> value, of the batches that are not compacted yet; the last written wins."""
    found: dict[str, dict[int, float]] = {}
    with connection.cursor() as cursor:
        for (payload,) in cursor.execute("SELECT payload FROM batch WHERE site = %s ORDER BY id", (site,)):
            assert isinstance(payload, bytes)  # noqa: S101 -- a bytea
            for reading in decode_batch(payload).readings:
                for key, value in reading.values.items():
                    good = value is not None and key not in (reading.quality or {})
                    found.setdefault(key, {})[reading.ts] = value if value is not None and good else float("nan")
    return found


def _joined(cold: NDArray[np.void], hot: Mapping[int, float]) -> Series:
    ts = cold["ts"].astype(np.int64) // 1000 + _EPOCH_MS
    values = np.where(cold["quality"] == 0, cold["value"], np.nan).astype(np.float64)
    fresh = sorted(hot)
    both = np.concatenate([ts, np.array(fresh, np.int64)])
    order = np.argsort(both, kind="stable")
    return both[order], np.concatenate([values, np.array([hot[at] for at in fresh])])[order]
