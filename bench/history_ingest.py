"""Ingest of the same encoded batches, two ways, alternated in one PostgreSQL: ratios first.

- ours: the receipt, whole batches by binary COPY (`telemetry.ingest`);
- a row per sample: COPY into a temporary table, then INSERT ... ON CONFLICT DO NOTHING into a table with a primary key
  on (point, ts), which is how samples are usually made idempotent.

Both decode and check the same bytes, in transactions of the same size. EMS_DATABASE_URL names the server
(`make bench` starts a throw-away one).
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from ems_contract.points import quality_code
from ems_contract.telemetry import decode_batch
from telemetry import bench, store
from telemetry.hot import Entry, Window
from telemetry.ingest import KnownPoints, ingest
from telemetry.rollups import DAY
from telemetry.samples import HOUR

SAMPLES = 300_000
SAMPLES_PER_BATCH = 1_000
ROUNDS = 3
BATCHES_PER_TRANSACTION = 40

ROWS = """
CREATE TABLE IF NOT EXISTS sample_row (
    point integer NOT NULL, ts bigint NOT NULL, value double precision, quality smallint NOT NULL,
    PRIMARY KEY (point, ts));
CREATE TEMPORARY TABLE IF NOT EXISTS incoming (LIKE sample_row)
"""


def ours(connection: psycopg.Connection[Any], batches: list[Entry], now: int) -> None:
    window, known = Window.at(now, 1_000 * DAY), KnownPoints()
    for some in _transactions(batches):
        ingest(connection, some, window, known)


def a_row_per_sample(connection: psycopg.Connection[Any], batches: list[Entry], _: int) -> None:
    ids: dict[str, int] = {}
    for some in _transactions(batches):
        with connection.transaction(), connection.cursor() as cursor:
            with cursor.copy("COPY incoming (point, ts, value, quality) FROM STDIN (FORMAT binary)") as copy:
                copy.set_types(["int4", "int8", "float8", "int2"])
                for entry in some:
                    for reading in decode_batch(entry.payload).readings:
                        reasons = reading.quality or {}
                        for key, value in reading.values.items():
                            point = ids.setdefault(key, len(ids))
                            copy.write_row((point, reading.ts, value, quality_code(value, reasons.get(key))))
            cursor.execute("INSERT INTO sample_row SELECT * FROM incoming ON CONFLICT DO NOTHING")
            cursor.execute("TRUNCATE incoming")


def main() -> None:
    now = int(time.time() * 1000) // HOUR * HOUR + 15 * 60_000
    speeds: dict[str, list[float]] = {"ours": [], "a row per sample": []}
    parameters = psycopg.conninfo.conninfo_to_dict(os.environ["EMS_DATABASE_URL"])
    with bench.scratch_database(dict(parameters)) as scratch, store.connect(scratch) as connection:
        connection.execute(ROWS)
        for number in range(ROUNDS):
            batches = bench.batches(
                bench.SITES[0], 1, 50, 5_000, 20, SAMPLES // SAMPLES_PER_BATCH, now - (ROUNDS - number) * 10 * HOUR
            )
            ways: tuple[tuple[str, Callable[..., None]], ...] = (("ours", ours), ("a row per sample", a_row_per_sample))
            for name, way in ways if number % 2 else reversed(ways):
                started = time.perf_counter()
                way(connection, batches, now)
                speeds[name].append(SAMPLES / (time.perf_counter() - started))
        sizes = {
            "ours": _size(connection, "batch") / SAMPLES / ROUNDS,
            "a row per sample": _size(connection, "sample_row") / SAMPLES / ROUNDS,
        }
        stored = connection.execute("SELECT count(*) FROM sample_row").fetchone()
    if stored is None or stored[0] != SAMPLES * ROUNDS:
        raise RuntimeError(f"the peer stored {stored} of {SAMPLES * ROUNDS} samples; the comparison is void")
    ratios = [mine / theirs for mine, theirs in zip(*speeds.values(), strict=True)]
    print(f"ingest, ours : a row per sample   {statistics.median(ratios):.1f} x  (rounds: {_list(ratios)})")
    for name, values in speeds.items():
        print(f"  {name:<18} {statistics.median(values):>10,.0f} samples/s   {sizes[name]:6.1f} bytes/sample while hot")


def _transactions(batches: list[Entry]) -> Iterator[list[Entry]]:
    for first in range(0, len(batches), BATCHES_PER_TRANSACTION):
        yield batches[first : first + BATCHES_PER_TRANSACTION]


def _size(connection: psycopg.Connection[Any], table: str) -> float:
    row = connection.execute("SELECT pg_total_relation_size(%s::regclass)", (table,)).fetchone()
    return float(row[0]) if row else 0.0


def _list(values: list[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values)


if __name__ == "__main__":
    main()
