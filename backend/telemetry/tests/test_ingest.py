"""Ingest is idempotent: whatever is sent, in whatever order and however often, each batch is stored once."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from ems_contract.receipts import covers
from ems_contract.telemetry import Gap
from telemetry import store
from telemetry.hot import Entry
from telemetry.ingest import KnownPoints, ingest
from telemetry.tests.conftest import clear
from telemetry.tests.ledger import EDGE, NOON, SITE, WINDOW, Ledger, count, entry, new_boot, payload, reading, stored


def receipt(connection: Connection[Any], boot: str, edge: int = EDGE) -> str:
    row = connection.execute("SELECT done::text FROM receipt WHERE edge = %s AND boot = %s", (edge, boot)).fetchone()
    assert row is not None
    return str(row[0])


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Which of 12 batches arrive in which order, some again, and where a transaction ends."""
    order = draw(st.permutations(range(12)))
    again = draw(st.lists(st.sampled_from(range(12)), max_size=12))
    arrivals = list(order)
    for batch in again:
        arrivals.insert(draw(st.integers(0, len(arrivals))), batch)
    return arrivals, draw(st.lists(st.integers(0, len(arrivals)), max_size=5).map(sorted))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries())
def test_any_order_and_any_repetition_stores_each_sample_once(
    connection: Connection[Any], delivery: tuple[list[int], list[int]]
) -> None:
    clear(connection)
    ledger = Ledger()
    batches = [ledger.batch(reading(NOON + 1_000 * n, {"meter.power": float(n)})) for n in range(12)]
    arrivals, cuts = delivery
    known = KnownPoints()
    total = 0
    for first, end in zip([0, *cuts], [*cuts, len(arrivals)], strict=True):
        outcome = ingest(connection, [batches[n] for n in arrivals[first:end]], WINDOW, known)
        total += outcome.batches
    assert total == count(connection, "batch") == 12
    assert stored(connection) == ledger.samples
    assert receipt(connection, ledger.boot) == "{[1,13)}"


def test_a_receipt_lists_what_is_there_and_closes_up(connection: Connection[Any]) -> None:
    boot = new_boot()
    sent = [entry(reading(NOON + seq, {"meter.power": 1.0}), seq=seq, boot=boot) for seq in range(1, 6)]
    outcome = ingest(connection, [sent[0], sent[1], sent[4]], WINDOW)
    assert outcome.receipts == {EDGE: {boot: [(1, 2), (5, 5)]}}
    outcome = ingest(connection, [sent[3], sent[2]], WINDOW)
    assert outcome.receipts == {EDGE: {boot: [(1, 5)]}}


def test_a_resend_is_refused_and_listed_again(connection: Connection[Any]) -> None:
    boot = new_boot()
    sent = entry(reading(NOON, {"meter.power": 1.0}), boot=boot)
    ingest(connection, [sent], WINDOW)
    connection.execute("UPDATE receipt SET updated = now() - interval '30 days'")
    for _ in range(3):
        outcome = ingest(connection, [sent], WINDOW)
        assert (outcome.batches, outcome.duplicates) == (0, 1)
        assert outcome.receipts == {EDGE: {boot: [(1, 1)]}}
    assert count(connection, "batch") == 1


def test_the_receipts_of_recent_boots_are_told_too(connection: Connection[Any]) -> None:
    boots = [new_boot() for _ in range(3)]
    for boot in boots:
        outcome = ingest(connection, [entry(reading(NOON, {"meter.power": 1.0}), boot=boot)], WINDOW)
    assert set(outcome.receipts[EDGE]) == set(boots)


def test_the_payload_is_kept_to_the_byte(connection: Connection[Any]) -> None:
    odd = payload([reading(NOON, {"meter.power": 1.5})]).replace(b'"v":1', b' "v" : 1, "new_field": {"x": [1, 2]}')
    ingest(connection, [Entry(SITE, EDGE, odd)], WINDOW)
    assert connection.execute("SELECT payload FROM batch").fetchone() == (odd,)


def test_an_unknown_key_becomes_a_point_in_the_same_transaction(connection: Connection[Any]) -> None:
    outcome = ingest(connection, [entry(reading(NOON, {"meter.power": 1.0, "meter.energy": 2.0}))], WINDOW)
    assert outcome.new_points == [(SITE, "meter.energy"), (SITE, "meter.power")]
    rows = connection.execute("SELECT site, key, unit, kind FROM point ORDER BY key").fetchall()
    assert rows == [(SITE, "meter.energy", None, None), (SITE, "meter.power", None, None)]


def test_a_point_is_new_only_once(connection: Connection[Any]) -> None:
    ingest(connection, [entry(reading(NOON, {"meter.power": 1.0}))], WINDOW)
    forgetful = ingest(connection, [entry(reading(NOON + 1, {"meter.power": 1.0}), seq=2)], WINDOW, KnownPoints())
    assert forgetful.new_points == []


def test_what_an_edge_dropped_closes_its_receipt_and_is_a_gap(connection: Connection[Any]) -> None:
    old, boot = new_boot(), new_boot()
    ingest(connection, [entry(reading(NOON, {"meter.power": 1.0}), seq=1, boot=old)], WINDOW)
    gap = Gap(NOON, NOON + 5_000, "buffer_full", old, 2, 9)
    outcome = ingest(connection, [entry(gaps=[gap], boot=boot)], WINDOW)
    assert outcome.receipts[EDGE][old] == [(1, 9)]
    rows = connection.execute("SELECT edge, boot::text, seq_from, seq_to, ts_from, ts_to, reason FROM gap").fetchall()
    assert rows == [(EDGE, old, 2, 9, NOON, NOON + 5_000, "buffer_full")]
    assert ingest(connection, [entry(gaps=[gap], boot=boot)], WINDOW).gaps == 0


def test_what_an_edge_dropped_unaware_that_it_was_committed_is_no_gap(connection: Connection[Any]) -> None:
    old, boot = new_boot(), new_boot()
    sent = [entry(reading(NOON + seq, {"meter.power": 1.0}), seq=seq, boot=old) for seq in (1, 2, 3)]
    ingest(connection, sent, WINDOW)
    gaps = [Gap(NOON, NOON + 2, "buffer_full", old, 1, 2), Gap(NOON + 2, NOON + 4, "buffer_full", old, 3, 4)]
    outcome = ingest(connection, [entry(gaps=gaps, boot=boot)], WINDOW)
    assert (outcome.gaps, outcome.receipts[EDGE][old]) == (1, [(1, 4)])
    assert connection.execute("SELECT seq_from, seq_to FROM gap").fetchall() == [(3, 4)]


def test_a_batch_without_readings_is_only_listed(connection: Connection[Any]) -> None:
    outcome = ingest(connection, [entry(gaps=[Gap(0, NOON, "edge_down")])], WINDOW)
    assert (outcome.batches, outcome.samples, count(connection, "batch")) == (1, 0, 0)
    assert connection.execute("SELECT ts_from FROM gap").fetchall() == [(WINDOW.oldest,)]


def test_two_writers_of_the_same_batches_store_them_once(
    connection: Connection[Any], history_database: dict[str, Any]
) -> None:
    ledger = Ledger()
    batches = [ledger.batch(reading(NOON + n, {f"meter.p{n % 7}": float(n)})) for n in range(200)]

    def write(order: list[Entry]) -> None:
        with store.connect(history_database) as mine:
            for first in range(0, len(order), 9):
                ingest(mine, order[first : first + 9], WINDOW)

    writers = [threading.Thread(target=write, args=(order,)) for order in (batches, batches[::-1], batches)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert count(connection, "batch") == 200
    assert stored(connection) == ledger.samples


def test_a_broken_connection_is_an_error_and_never_poison(
    connection: Connection[Any], history_database: dict[str, Any]
) -> None:
    sent = entry(reading(NOON, {"meter.power": 1.0}))
    with store.connect(history_database) as broken:
        connection.execute("SELECT pg_terminate_backend(%s)", (broken.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            ingest(broken, [sent], WINDOW)
    assert (count(connection, "batch"), count(connection, "poison"), count(connection, "receipt")) == (0, 0, 0)
    assert ingest(connection, [sent], WINDOW).batches == 1


def test_what_only_the_database_refuses_is_set_aside_and_the_others_go_on(connection: Connection[Any]) -> None:
    connection.execute("ALTER TABLE batch ADD CONSTRAINT odd CHECK (seq <> 2)")
    try:
        sent = [entry(reading(NOON + seq, {"meter.power": 1.0}), seq=seq) for seq in (1, 2, 3)]
        outcome = ingest(connection, sent, WINDOW)
    finally:
        connection.execute("ALTER TABLE batch DROP CONSTRAINT odd")
    assert (outcome.batches, len(outcome.refused), count(connection, "poison")) == (2, 1, 1)
    (ranges,) = outcome.receipts[EDGE].values()
    assert covers(ranges, 2)
