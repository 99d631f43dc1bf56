"""What was sent, kept by whoever sends it: the oracle of every test about loss and duplicates."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection

from ems_contract.points import quality_code
from ems_contract.telemetry import Batch, Gap, Reading, encode_batch
from telemetry.hot import Entry, Window
from telemetry.rollups import DAY

SITE, EDGE = 7, 3
NOON = 1_767_268_800_000
"""2026-01-01T12:00:00Z: `now` of the tests, unless they say otherwise."""
WINDOW = Window.at(NOON, 400 * DAY)

Sample = tuple[float | None, int]
"""(value, quality code)"""


def new_boot() -> str:
    return str(uuid.uuid4())


def payload(
    readings: Sequence[Reading],
    seq: int = 1,
    boot: str = "11111111-1111-4111-8111-111111111111",
    edge: int = EDGE,
    gaps: list[Gap] | None = None,
) -> bytes:
    return encode_batch(Batch(1, f"edge_{edge}", boot, seq, NOON, list(readings), gaps))


def entry(*readings: Reading, seq: int = 1, boot: str | None = None, gaps: list[Gap] | None = None) -> Entry:
    return Entry(SITE, EDGE, payload(readings, seq, boot or "11111111-1111-4111-8111-111111111111", EDGE, gaps))


@dataclass
class Ledger:
    """Batches of one edge, and every sample in them; a sample that is not good never replaces a good one."""

    site: int = SITE
    edge: int = EDGE
    boot: str = field(default_factory=new_boot)
    seq: int = 0
    samples: dict[tuple[str, int], Sample] = field(default_factory=dict)

    def batch(self, *readings: Reading) -> Entry:
        self.seq += 1
        for reading in readings:
            for key, value in reading.values.items():
                code = quality_code(value, (reading.quality or {}).get(key))
                known = self.samples.get((key, reading.ts))
                if known is None or known[1] != 0 or code == 0:
                    self.samples[key, reading.ts] = (value, code)
        return Entry(self.site, self.edge, payload(readings, self.seq, self.boot, self.edge))


def stored(connection: Connection[Any], site: int = SITE) -> dict[tuple[str, int], Sample]:
    """Every sample as the SQL view answers it."""
    rows = connection.execute(
        "SELECT key, history_ms(ts), value, quality FROM sample WHERE site = %s", (site,)
    ).fetchall()
    assert len(rows) == len({row[:2] for row in rows}), "a sample is there twice"
    return {(key, ts): (value, quality) for key, ts, value, quality in rows}


def count(connection: Connection[Any], table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  our own table names
    assert row is not None
    return int(row[0])


def reading(ts: int, values: Mapping[str, float | None], **quality: str) -> Reading:
    """`quality` by point name with _ for the dot: `reading(ts, {"a.b": None}, a_b="timeout")`."""
    named = {key: quality[key.replace(".", "_")] for key in values if key.replace(".", "_") in quality}
    return Reading(ts, dict(values), named or None)
