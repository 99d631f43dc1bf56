"""History answers with cold rollups and hot batches as one, and refuses what would exhaust it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from ems_contract.telemetry import Gap
from telemetry import queries, store
from telemetry.compaction import compact
from telemetry.hot import Entry, stored_batch
from telemetry.ingest import ingest
from telemetry.queries import HistoryBusyError, QueryRefusedError, Question, history
from telemetry.rollups import DAY, MINUTE, RESOLUTIONS, Buckets, roll_up
from telemetry.samples import HOUR, Samples, from_batches
from telemetry.tests.conftest import clear
from telemetry.tests.ledger import NOON, SITE, WINDOW, Ledger, entry, reading

START = NOON - 3 * HOUR


def ids(connection: Connection[Any]) -> dict[str, int]:
    with store.cursor(connection) as cursor:
        return store.point_ids(cursor, SITE)


def ask(connection: Connection[Any], since: int, until: int, resolution: str = "auto", max_points: int = 1_000) -> Any:
    return history(connection, Question(SITE, ids(connection), since, until, resolution, max_points))


def fill(
    connection: Connection[Any], since: int = START, n: int = 180, step: int = MINUTE, points: int = 2
) -> list[Entry]:
    ledger = Ledger()
    sent = [
        ledger.batch(
            reading(since + index * step, {f"meter.p{point}": float(index * point) for point in range(points)})
        )
        for index in range(n)
    ]
    ingest(connection, sent, WINDOW)
    return sent


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from([1_000, 10_000, 7 * MINUTE, 20 * MINUTE, HOUR]), min_size=1, max_size=40),
    st.integers(0, 40),
    st.integers(0, 5 * HOUR),
    st.integers(1, 5 * HOUR),
    st.sampled_from(RESOLUTIONS),
)
def test_hot_and_cold_together_are_as_if_all_were_cold(
    connection: Connection[Any], steps: list[int], cut: int, offset: int, span: int, resolution: Any
) -> None:
    """Some hours compacted, later and late batches still hot: the buckets are those of all samples at once."""
    clear(connection)
    ledger = Ledger()
    times = (NOON - 10 * HOUR + np.cumsum(steps)).tolist()
    sent = [ledger.batch(reading(ts, {"meter.power": float(index % 5)})) for index, ts in enumerate(times) if ts < NOON]
    if not sent:
        return
    ingest(connection, sent[cut:], WINDOW)
    compact(connection, SITE, NOON)
    ingest(connection, sent[:cut], WINDOW)
    since = NOON - 10 * HOUR + offset
    found = ask(connection, since, since + span, resolution.name).series.get(1, Buckets.empty())
    whole = from_batches((stored_batch(one.payload) for one in sent), {"meter.power": 1})  # type: ignore[misc]
    expected = roll_up(whole, resolution.width)
    first = since // resolution.width * resolution.width
    expected = expected.take((expected.start >= first) & (expected.start < since + span))
    assert found.start.tolist() == expected.start.tolist()
    assert found.n.tolist() == expected.n.tolist()
    assert np.allclose(found.mean, expected.mean, rtol=1e-12)


def test_the_newest_minute_is_there_before_any_compaction(connection: Connection[Any]) -> None:
    ingest(connection, [entry(reading(NOON - 1, {"meter.power": 5.0}))], WINDOW)
    found = ask(connection, NOON - HOUR, NOON, "1m")
    assert found.series[1].start.tolist() == [NOON - MINUTE]


def test_auto_is_raw_while_that_is_few_enough(connection: Connection[Any]) -> None:
    fill(connection)
    compact(connection, SITE, NOON)
    assert ask(connection, START, NOON, max_points=180).resolution == "raw"
    assert ask(connection, START, NOON, max_points=179).resolution == "15m"
    assert ask(connection, START, START + 2 * HOUR, max_points=120).resolution == "raw"


@pytest.mark.parametrize(
    ("days", "max_points", "resolution"),
    [(3, 5_000, "1m"), (3, 1_000, "15m"), (30, 1_000, "1h"), (400, 1_000, "1h"), (10, 1_000, "15m")],
)
def test_auto_takes_the_finest_that_fits(
    connection: Connection[Any], days: int, max_points: int, resolution: str
) -> None:
    fill(connection)
    assert ask(connection, NOON - days * DAY, NOON, max_points=max_points).resolution == resolution


def test_the_end_is_exclusive_and_the_begin_inclusive(connection: Connection[Any]) -> None:
    fill(connection, n=10)
    for _ in range(2):
        found = ask(connection, START + MINUTE, START + 3 * MINUTE, "raw").series[1]
        assert isinstance(found, Samples)
        assert found.ts.tolist() == [START + MINUTE, START + 2 * MINUTE]
        compact(connection, SITE, NOON)


def test_gaps_that_touch_the_span_are_told(connection: Connection[Any]) -> None:
    gaps = [Gap(START + hour * HOUR, START + hour * HOUR + MINUTE, "edge_down") for hour in range(3)]
    ingest(connection, [entry(reading(START, {"meter.power": 1.0}), gaps=gaps)], WINDOW)
    found = ask(connection, START + HOUR, START + 2 * HOUR).gaps
    assert [(gap.ts_from, gap.ts_to, gap.reason) for gap in found] == [
        (START + HOUR, START + HOUR + MINUTE, "edge_down")
    ]


@pytest.mark.parametrize(
    ("since", "until", "resolution", "parameter"),
    [
        (NOON, NOON, "auto", "to"),
        (NOON - 401 * DAY, NOON, "auto", "from"),
        (NOON - DAY, NOON, "5m", "resolution"),
    ],
)
def test_an_unreasonable_question_names_the_parameter(
    connection: Connection[Any], since: int, until: int, resolution: str, parameter: str
) -> None:
    with pytest.raises(QueryRefusedError) as refusal:
        ask(connection, since, until, resolution)
    assert refusal.value.parameter == parameter


def test_too_many_points_are_refused(connection: Connection[Any]) -> None:
    with pytest.raises(QueryRefusedError, match="at most 50"):
        history(connection, Question(SITE, {f"a.p{n}": n for n in range(51)}, START, NOON))


def test_too_many_buckets_are_refused(connection: Connection[Any]) -> None:
    many = {f"a.p{n}": n for n in range(50)}
    with pytest.raises(QueryRefusedError) as refusal:
        history(connection, Question(SITE, many, NOON - 100 * DAY, NOON, "1m"))
    assert refusal.value.parameter == "points"


def test_too_many_raw_samples_are_refused(connection: Connection[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    fill(connection)
    monkeypatch.setattr(queries, "MAX_RAW_SAMPLES", 100)
    for _ in range(2):
        with pytest.raises(QueryRefusedError, match="raw samples"):
            ask(connection, START, NOON, "raw")
        compact(connection, SITE, NOON)


def test_more_hot_bytes_than_can_be_read_in_time_are_not_read(
    connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(connection)
    monkeypatch.setattr(queries, "MAX_HOT_BYTES", 100)
    with pytest.raises(HistoryBusyError):
        ask(connection, START, NOON)


def test_inside_a_transaction_of_the_callers_it_sees_what_the_caller_sees(connection: Connection[Any]) -> None:
    with connection.transaction(force_rollback=True):
        fill(connection, n=5)
        assert len(ask(connection, START, NOON, "raw").series[1]) == 5


def test_points_without_samples_have_no_series(connection: Connection[Any]) -> None:
    assert ask(connection, START, NOON).series == {}
