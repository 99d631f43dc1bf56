"""Compaction moves samples and changes none: what history answers is the same before, while and after."""

from __future__ import annotations

import random
import threading
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from ems_contract.telemetry import Reading
from telemetry import hot, segments, store
from telemetry.compaction import Compacted, closed_before, compact, sites_due
from telemetry.hot import Entry
from telemetry.ingest import ingest
from telemetry.queries import Question, history
from telemetry.rollups import DAY, RESOLUTIONS, Buckets, roll_up
from telemetry.samples import HOUR, Samples
from telemetry.tests.conftest import clear
from telemetry.tests.ledger import NOON, SITE, WINDOW, Ledger, count, entry, payload, reading, stored
from telemetry.tests.player import eventually

LONG_AGO = NOON - 30 * DAY
CLOSED = closed_before(NOON)
KEYS = ["meter.power", "meter.energy", "battery.state"]


def compact_all(connection: Connection[Any], now: int = NOON, max_bytes: int = 1 << 20) -> Compacted:
    batches = samples = written = 0
    while (done := compact(connection, SITE, now, max_bytes)).batches:
        batches, samples, written = batches + done.batches, samples + done.samples, written + done.segments
    return Compacted(batches, samples, written)


def assert_rollups_are_right(connection: Connection[Any]) -> None:
    """The stored rollups equal those of all stored samples at once."""
    with store.cursor(connection) as cursor:
        points = sorted(store.point_ids(cursor, SITE).values())
        everything = segments.load(cursor, points, [(0, 2**60)])
        for resolution in RESOLUTIONS:
            found = store.load_buckets(cursor, resolution, points, 0, 2**60)
            expected = roll_up(everything, resolution.width)
            for column in fields(Buckets):
                assert np.array_equal(
                    getattr(found, column.name), getattr(expected, column.name), equal_nan=column.name != "point"
                ), (resolution.name, column.name)


def minutes(ledger: Ledger, since: int, n: int, per_batch: int = 20, step: int = 60_000) -> list[Entry]:
    """Regular readings of three points, `n` of them from `since`."""
    rows = [
        reading(
            since + index * step,
            {
                "meter.power": 100.5 + index % 7,
                "meter.energy": float(10**10 + index),
                "battery.state": float(index % 2),
            },
        )
        for index in range(n)
    ]
    return [ledger.batch(*rows[first : first + per_batch]) for first in range(0, n, per_batch)]


@st.composite
def histories(draw: st.DrawFn) -> list[list[Reading]]:
    """Batches whose times lie anywhere in a few hours around the closing one, late ones and repeated ones too."""
    batches = []
    for _ in range(draw(st.integers(1, 8))):
        start = draw(st.sampled_from([LONG_AGO, CLOSED - 5 * HOUR, CLOSED - HOUR, CLOSED - 60_000, CLOSED]))
        batch = []
        for _ in range(draw(st.integers(1, 6))):
            start += draw(st.sampled_from([0, 1_000, 60_000, 1_000_003, HOUR]))
            keys = draw(st.lists(st.sampled_from(KEYS), unique=True, min_size=1))
            values = {key: draw(st.none() | st.sampled_from([0.0, 1.5, -2.25, 1e9 + 0.1])) for key in keys}
            quality = {key: draw(st.sampled_from(["timeout", "stuck"])) for key in keys if draw(st.integers(0, 3)) == 0}
            batch.append(Reading(min(start, NOON), values, quality or None))
        batches.append(batch)
    return batches


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories(), st.lists(st.sampled_from(["ingest", "compact"]), max_size=8), st.integers(1, 2_000))
def test_history_is_the_same_whenever_compaction_runs(
    connection: Connection[Any], batches: list[list[Reading]], steps: list[str], bite: int
) -> None:
    clear(connection)
    ledger = Ledger()
    queue = [ledger.batch(*batch) for batch in batches]
    for step in steps:
        if step == "ingest" and queue:
            ingest(connection, [queue.pop(0)], WINDOW)
        elif step == "compact":
            compact(connection, SITE, NOON, bite)
    ingest(connection, queue, WINDOW)
    assert stored(connection) == ledger.samples
    compact_all(connection, NOON, bite)
    assert stored(connection) == ledger.samples
    assert_rollups_are_right(connection)
    compact_all(connection, NOON + 3 * HOUR)
    assert count(connection, "batch") == 0
    assert stored(connection) == ledger.samples
    assert_rollups_are_right(connection)


def test_only_closed_hours_are_taken(connection: Connection[Any]) -> None:
    ledger = Ledger()
    ingest(connection, minutes(ledger, CLOSED - 2 * HOUR, 180, per_batch=1), WINDOW)
    assert closed_before(NOON) == NOON - HOUR, "at 12:00 the hour before is still open, until 12:10"
    assert compact_all(connection).batches == 120
    assert connection.execute("SELECT min(ts_min) FROM batch").fetchone() == (CLOSED,)
    assert stored(connection) == ledger.samples


def test_a_batch_across_the_hour_waits_until_all_of_it_is_closed(connection: Connection[Any]) -> None:
    ledger = Ledger()
    ingest(connection, minutes(ledger, CLOSED - 10 * 60_000, 20), WINDOW)
    assert compact_all(connection).batches == 0
    assert compact_all(connection, NOON + HOUR).batches == 1
    assert stored(connection) == ledger.samples


def test_late_data_is_merged_into_its_hour(connection: Connection[Any]) -> None:
    ledger = Ledger()
    sent = minutes(ledger, LONG_AGO, 240)
    ingest(connection, sent[::2], WINDOW)
    compact_all(connection)
    ingest(connection, sent[1::2], WINDOW)
    compact_all(connection)
    assert stored(connection) == ledger.samples
    assert count(connection, "segment") == 3 * 4
    assert_rollups_are_right(connection)


def test_a_late_sample_changes_the_rollup_of_the_next_hour(connection: Connection[Any]) -> None:
    ingest(connection, [entry(reading(LONG_AGO + HOUR + 60_000, {"meter.power": 10.0}), seq=1)], WINDOW)
    compact_all(connection)
    ingest(connection, [entry(reading(LONG_AGO + HOUR - 60_000, {"meter.power": 30.0}), seq=2)], WINDOW)
    compact_all(connection)
    assert_rollups_are_right(connection)


def test_a_late_batch_touches_only_its_own_hours(connection: Connection[Any]) -> None:
    ledger = Ledger()
    ingest(connection, minutes(ledger, LONG_AGO, 60 * 24), WINDOW)
    compact_all(connection)
    ingest(connection, [ledger.batch(reading(LONG_AGO + 5 * HOUR + 30_000, {"meter.power": 7.0}))], WINDOW)
    assert compact(connection, SITE, NOON).segments == 1
    assert stored(connection) == ledger.samples
    assert_rollups_are_right(connection)


def test_a_later_batch_waits_for_an_earlier_one_that_reaches_into_an_open_hour(connection: Connection[Any]) -> None:
    ledger = Ledger()
    straddling = ledger.batch(reading(CLOSED - 60_000, {"meter.power": 1.0}), reading(CLOSED, {"meter.power": 2.0}))
    correction = ledger.batch(reading(CLOSED - 60_000, {"meter.power": 3.0}))
    ingest(connection, [straddling, correction], WINDOW)
    assert compact_all(connection).batches == 0
    compact_all(connection, NOON + HOUR)
    assert stored(connection) == ledger.samples


def test_segments_of_a_regular_series_store_no_times(connection: Connection[Any]) -> None:
    ingest(connection, minutes(Ledger(), LONG_AGO, 60), WINDOW)
    compact_all(connection)
    rows = connection.execute(
        "SELECT n, period, offsets IS NULL, as_int2 IS NOT NULL, as_int8 IS NOT NULL, quality IS NULL "
        "FROM segment ORDER BY point"
    ).fetchall()
    assert sorted(rows) == [
        (60, 60_000, True, False, True, True),
        (60, 60_000, True, True, False, True),
        (60, 60_000, True, True, False, True),
    ]


def test_a_bite_is_bounded_and_nothing_is_left_behind(connection: Connection[Any]) -> None:
    ledger = Ledger()
    sent = minutes(ledger, LONG_AGO, 600)
    ingest(connection, sent, WINDOW)
    assert compact(connection, SITE, NOON, len(sent[0].payload) * 3).batches <= 4
    assert compact(connection, SITE, NOON, 1).batches == 1
    compact_all(connection)
    assert (count(connection, "batch"), stored(connection) == ledger.samples) == (0, True)


def test_sites_that_are_due_are_named(connection: Connection[Any]) -> None:
    old = Entry(8, 3, payload([reading(LONG_AGO, {"meter.power": 1.0})], seq=2))
    ingest(connection, [entry(reading(NOON, {"meter.power": 1.0})), old], WINDOW)
    assert sites_due(connection, [SITE, 8, 9], NOON) == [8]


def test_what_cannot_be_decoded_again_is_set_aside(
    connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [entry(reading(LONG_AGO + seq, {"meter.power": 1.0}), seq=seq) for seq in (1, 2)]
    ingest(connection, sent, WINDOW)
    decode = hot.stored_batch
    monkeypatch.setattr(hot, "stored_batch", lambda data: None if data == sent[0].payload else decode(data))
    assert compact(connection, SITE, NOON) == Compacted(2, 1, 1, 1)
    assert connection.execute("SELECT seq_from, reason FROM gap").fetchall() == [(1, "poison")]
    assert connection.execute("SELECT payload FROM poison").fetchall() == [(sent[0].payload,)]


def test_a_crash_in_the_middle_leaves_everything_as_it_was(
    connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger()
    ingest(connection, minutes(ledger, LONG_AGO, 120), WINDOW)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "replace_buckets", crash)
        with pytest.raises(KeyboardInterrupt):
            compact(connection, SITE, NOON)
    assert count(connection, "segment") == 0
    assert stored(connection) == ledger.samples
    compact_all(connection)
    assert stored(connection) == ledger.samples


def test_a_reader_never_misses_or_doubles_a_sample_while_samples_move(
    connection: Connection[Any], history_database: dict[str, Any]
) -> None:
    ledger = Ledger()
    entries = minutes(ledger, LONG_AGO, 60 * 24, per_batch=7)
    ingest(connection, entries, WINDOW)
    with store.cursor(connection) as cursor:
        ids = store.point_ids(cursor, SITE)
    expected = {key: sorted(ts for name, ts in ledger.samples if name == key) for key in ids}
    done = threading.Event()
    wrong: list[str] = []
    reads = [0, 0]

    def read(which: int) -> None:
        with store.connect(history_database) as mine:
            while not done.is_set() or reads[which] < 2:
                if which:
                    found = {ts for _, ts in stored(mine)}
                    if found != set(expected["meter.power"]):
                        wrong.append(f"the view: {len(found)}")
                else:
                    answer = history(mine, Question(SITE, ids, LONG_AGO, LONG_AGO + DAY, "raw"))
                    for key, point in ids.items():
                        series = answer.series[point]
                        assert isinstance(series, Samples)
                        if series.ts.tolist() != expected[key]:
                            wrong.append(f"{key}: {len(series)}")
                    rolled = history(mine, Question(SITE, ids, LONG_AGO, LONG_AGO + DAY, "15m")).series
                    for series in rolled.values():
                        assert isinstance(series, Buckets)
                        if series.n.sum() != 60 * 24:
                            wrong.append(f"15m: {series.n.sum()}")
                reads[which] += 1

    readers = [threading.Thread(target=read, args=(which,)) for which in (0, 1)]
    for reader in readers:
        reader.start()
    try:
        eventually(lambda: min(reads) >= 1, "both have read before anything moves")
        order = random.Random(1)  # noqa: S311  no secret
        while compact(connection, SITE, NOON, order.randint(1, 20_000)).batches:
            pass
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert not wrong
    assert min(reads) >= 2


def test_two_compactors_take_turns(connection: Connection[Any], history_database: dict[str, Any]) -> None:
    ledger = Ledger()
    ingest(connection, minutes(ledger, LONG_AGO, 60 * 12, per_batch=5), WINDOW)
    moved: list[int] = []

    def work() -> None:
        with store.connect(history_database) as mine:
            moved.append(compact_all(mine, max_bytes=5_000).samples)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(moved) == 3 * 60 * 12
    assert stored(connection) == ledger.samples
    assert_rollups_are_right(connection)
