"""The SQL that Grafana and BI see says the same as the contract and as the API."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import pytest
from psycopg import Connection

from ems_contract.points import Reason, quality_code
from telemetry import store
from telemetry.compaction import compact
from telemetry.ingest import ingest
from telemetry.queries import Question, history
from telemetry.rollups import DAY
from telemetry.samples import HOUR, Samples
from telemetry.tests.ledger import NOON, SITE, WINDOW, Ledger, reading, stored


@pytest.mark.parametrize(("bad", "reason"), list(product([True, False], [*Reason, "something_new", None])))
def test_quality_codes_are_the_contracts(connection: Connection[Any], bad: bool, reason: str | None) -> None:
    row = connection.execute("SELECT history_quality(%s, %s)", (bad, reason)).fetchone()
    assert row == (quality_code(None if bad else 1.0, reason),)


def test_times_survive_to_the_millisecond(connection: Connection[Any]) -> None:
    row = connection.execute(
        "SELECT count(*) FROM generate_series(%s, %s) t WHERE history_ms(history_time(t)) <> t",
        (NOON - 3_000, NOON + 3_000),
    ).fetchone()
    assert row == (0,)


def test_the_function_answers_what_the_api_answers(connection: Connection[Any]) -> None:
    ledger = Ledger()
    start = NOON - 3 * HOUR
    for index in range(180):
        values = {"meter.power": index / 10, "meter.energy": None if index % 50 == 7 else 1e12 + index}
        sent = ledger.batch(
            reading(start + index * 60_000 + index % 3, values, meter_energy="timeout" if index % 50 == 7 else "stuck")
        )
        ingest(connection, [sent], WINDOW)
    compact(connection, SITE, NOON)
    with store.cursor(connection) as cursor:
        ids = store.point_ids(cursor, SITE)
    since, until = start + 20 * 60_000, start + 170 * 60_000
    rows = connection.execute(
        "SELECT point, history_ms(ts), value, quality FROM samples(%s, history_time(%s), history_time(%s))",
        (list(ids.values()), since, until),
    ).fetchall()
    found = history(connection, Question(SITE, ids, since, until, "raw"))
    expected = [
        (point, ts, None if math.isnan(value) else value, code)
        for point, series in found.series.items()
        if isinstance(series, Samples)
        for ts, value, code in zip(series.ts.tolist(), series.value.tolist(), series.code.tolist(), strict=True)
    ]
    assert rows == expected
    assert len(rows) == 300
    assert stored(connection) == ledger.samples


def test_the_function_reads_only_the_partitions_and_points_it_needs(connection: Connection[Any]) -> None:
    ledger = Ledger()
    for days in (90, 60, 30):
        ingest(
            connection, [ledger.batch(reading(NOON - days * DAY, {"meter.power": 1.0, "meter.energy": 2.0}))], WINDOW
        )
    compact(connection, SITE, NOON)
    connection.execute("ANALYZE")
    plan = "\n".join(
        line
        for (line,) in connection.execute(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * "
            "FROM samples(ARRAY[1], history_time(%s), history_time(%s))",
            (NOON - 61 * DAY, NOON - 59 * DAY),
        ).fetchall()
    )
    touched = [line for line in plan.splitlines() if " on segment_" in line and "never executed" not in line]
    assert len(touched) == 1, plan
