"""Whatever an edge puts into its stream, it is set aside with a reason and the queue goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from ems_contract.telemetry import Gap
from telemetry import hot, receipts
from telemetry import ingest as ingesting
from telemetry.hot import Entry, Refused
from telemetry.ingest import check, ingest
from telemetry.tests.ledger import EDGE, NOON, SITE, WINDOW, count, entry, payload, reading, stored

GOOD = payload([reading(NOON, {"meter.power": 1.0})])
BOOT = "11111111-1111-4111-8111-111111111111"


def changed(old: str, new: str) -> bytes:
    assert old.encode() in GOOD
    return GOOD.replace(old.encode(), new.encode())


NAMELESS = {
    "nothing": b"",
    "not JSON": b"\x00\x01\x02",
    "bad UTF-8": b'{"v":1,"edge":"\xff\xfe"}',
    "an envelope closed early": b'{"v":1,"edge":"edge_3","readings":[{}],"site":"site_8"}',
    "deep nesting": b"[" * 200_000,
    "deep nesting in a field nobody knows": changed('"v":1', '"v":1,"x":' + "[" * 100_000 + "]" * 100_000),
    "no boot": changed(BOOT, "not-a-uuid"),
    "seq 0": changed('"seq":1', '"seq":0'),
    "seq 2^63": changed('"seq":1', f'"seq":{2**63}'),
    "seq 2^63 - 1, after which there is none": changed('"seq":1', f'"seq":{2**63 - 1}'),
    "seq that is no number": changed('"seq":1', '"seq":"1"'),
    "10 MB": changed('"v":1', '"v":1,"x":"' + "y" * 10_000_000 + '"'),
    "a million points": payload([reading(NOON, {f"a.p{number}": 1.0 for number in range(1_000_000)})]),
    "NaN": changed("1.0", "NaN"),
    "Infinity": changed("1.0", "-Infinity"),
    "trailing bytes": GOOD + b"{}",
}
NAMED = {
    "another edge's name": changed("edge_3", "edge_4"),
    "an unknown version": changed('"v":1', '"v":2'),
    "NaN as text": changed("1.0", '"NaN"'),
    "1e400": changed("1.0", "1e400"),
    "a boolean": changed("1.0", "true"),
    "a time in the future": payload([reading(WINDOW.newest + 1, {"meter.power": 1.0})]),
    "a time before the retention": payload([reading(WINDOW.oldest - 1, {"meter.power": 1.0})]),
    "a time of thirty digits": changed(str(NOON) + ',"values"', "1" * 30 + ',"values"'),
    "a negative time": changed(str(NOON) + ',"values"', '-1,"values"'),
    "one reading outside the window among good ones": payload(
        [reading(NOON, {"meter.power": 1.0}), reading(NOON + 10**9, {"meter.power": 1.0})]
    ),
    "a key that is none": changed("meter.power", "<script>"),
    "a key with a NUL": changed("meter.power", "meter.\\u0000"),
    "a key of 97 letters": changed("meter.power", "a." + "b" * 95),
    "bad UTF-8 in a field nobody knows": GOOD.replace(b'"v":1', b'"v":1,"x":"\xff"'),
    "a gap whose reason is a sentence": payload([], gaps=[Gap(NOON, NOON, "DROP TABLE batch; --")]),
    "a gap whose reason has a NUL": payload([], gaps=[Gap(NOON, NOON, "a\0b")]),
    "too many gaps": payload([], gaps=[Gap(NOON, NOON, "edge_down")] * 1_001),
    "a gap that ends before it begins": payload([], gaps=[Gap(NOON, NOON - 1, "edge_down")]),
}


@pytest.mark.parametrize("name", [*NAMELESS, *NAMED])
def test_it_is_set_aside_and_the_queue_goes_on(connection: Connection[Any], name: str) -> None:
    bad = (NAMELESS | NAMED)[name]
    after = entry(reading(NOON, {"meter.power": 2.0}), seq=2)
    for _ in range(2):
        outcome = ingest(connection, [Entry(SITE, EDGE, bad), after], WINDOW)
    rows = connection.execute("SELECT site, edge, reason, size, payload FROM poison").fetchall()
    assert [(site, edge, size, kept) for site, edge, _, size, kept in rows] == [(SITE, EDGE, len(bad), bad[: 1 << 20])]
    assert rows[0][2]
    assert stored(connection) == {("meter.power", NOON): (2.0, 0)}
    ranges = outcome.receipts[EDGE][BOOT]
    if name in NAMED:
        assert ranges == [(1, 2)], "what is set aside by name is never waited for again"
        assert connection.execute("SELECT boot::text, seq_from, seq_to, reason FROM gap").fetchall() == [
            (BOOT, 1, 1, "poison")
        ]
    else:
        assert ranges == [(2, 2)]
        assert count(connection, "gap") == 0


def test_another_boot_of_the_payload_does_not_touch_another_edges_receipt(connection: Connection[Any]) -> None:
    ingest(connection, [entry(reading(NOON, {"meter.power": 1.0}), boot=BOOT)], WINDOW)
    forged = Entry(SITE, 99, payload([reading(NOON, {"meter.power": 9.0})], 2, BOOT, edge=99))
    outcome = ingest(connection, [forged], WINDOW)
    assert outcome.receipts == {99: {BOOT: [(2, 2)]}}
    assert connection.execute("SELECT done::text FROM receipt WHERE edge = %s", (EDGE,)).fetchall() == [("{[1,2)}",)]


def test_the_largest_finite_values_are_stored(connection: Connection[Any]) -> None:
    values = {"a.big": 1e308, "a.small": 5e-324, "a.minus": -1.7976931348623157e308, "a.zero": -0.0}
    ingest(connection, [entry(reading(NOON, values))], WINDOW)
    assert stored(connection) == {(key, NOON): (value, 0) for key, value in values.items()}


def test_a_number_too_small_for_a_double_does_not_break_the_view(connection: Connection[Any]) -> None:
    ingest(connection, [Entry(SITE, EDGE, changed("1.0", "1e-400"))], WINDOW)
    assert stored(connection) == {("meter.power", NOON): (0.0, 0)}


def test_one_odd_batch_does_not_hide_the_others_from_the_view(connection: Connection[Any]) -> None:
    odd = Entry(SITE, EDGE, changed('"v":1', '"v":1,"x":"\\u0000"'))
    ingest(connection, [odd, entry(reading(NOON + 1, {"meter.power": 2.0}), seq=2)], WINDOW)
    assert stored(connection) == {("meter.power", NOON + 1): (2.0, 0)}


def test_a_site_gets_no_more_points_than_any_site_has(
    connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingesting, "MAX_POINTS_PER_SITE", 3)
    keys = ["a.one", "a.two", "a.three", "a.four"]
    sent = [entry(reading(NOON, {key: 1.0}), seq=seq) for seq, key in enumerate(keys, 1)]
    outcome = ingest(connection, sent, WINDOW)
    assert (count(connection, "point"), len(outcome.refused)) == (3, 1)
    assert outcome.receipts[EDGE][BOOT] == [(1, 4)]
    assert ingest(connection, [entry(reading(NOON + 1, {"a.two": 1.0}), seq=5)], WINDOW).batches == 1


def test_an_edge_that_forges_seq_cannot_make_its_receipt_grow_for_ever(
    connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "MAX_RANGES", 5)
    for seq in range(1, 21, 2):
        outcome = ingest(connection, [entry(reading(NOON + seq, {"meter.power": 1.0}), seq=seq)], WINDOW)
    assert len(outcome.receipts[EDGE][BOOT]) == 6
    assert ingest(connection, [entry(reading(NOON, {"meter.power": 1.0}), seq=2)], WINDOW).batches == 1


def test_an_edge_that_forges_gaps_cannot_make_a_receipt_grow_for_ever(
    connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "MAX_RANGES", 5)
    old = "22222222-2222-4222-8222-222222222222"
    for seq in range(1, 30):
        gap = Gap(NOON, NOON, "buffer_full", old, seq * 10, seq * 10 + 1)
        outcome = ingest(connection, [entry(seq=seq, gaps=[gap])], WINDOW)
    assert outcome.refused
    assert outcome.receipts[EDGE][BOOT] == [(1, 29)]
    assert len(outcome.receipts[EDGE][old]) <= 2 * 5 + 1


def test_only_the_newest_poison_of_an_edge_is_kept(
    connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot, "POISON_KEPT", 10)
    for first in range(0, 30, 6):
        ingest(connection, [Entry(SITE, EDGE, f"junk {n}".encode()) for n in range(first, first + 6)], WINDOW)
    kept = connection.execute("SELECT convert_from(payload, 'UTF8') FROM poison ORDER BY id").fetchall()
    assert kept == [(f"junk {n}",) for n in range(20, 30)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@st.composite
def almost_batches(draw: st.DrawFn) -> bytes:
    """A good batch with one thing in it replaced by anything, or with bytes flipped."""
    batch: dict[str, Any] = json.loads(GOOD)
    batch["gaps"] = [{"from": NOON, "to": NOON + 1, "reason": "edge_down"}]
    place = draw(st.sampled_from([batch, batch["readings"][0], batch["gaps"][0], batch["readings"][0]["values"]]))
    place[draw(st.sampled_from(sorted(place)) | st.text())] = draw(json_values)
    text = json.dumps(batch, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text) - 1))
        text = text[:at] + draw(st.binary(max_size=3)) + text[at + draw(st.integers(0, 3)) :]
    return text


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | almost_batches())
def test_checking_never_raises(junk: bytes) -> None:
    checked = check(Entry(SITE, EDGE, junk), WINDOW)
    assert not isinstance(checked, Refused) or checked.reason


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(almost_batches(), min_size=1, max_size=5))
def test_ingesting_never_raises(connection: Connection[Any], junk: list[bytes]) -> None:
    outcome = ingest(connection, [Entry(SITE, EDGE, one) for one in junk], WINDOW)
    assert outcome.batches + outcome.duplicates + len(outcome.refused) == len(junk)
    count(connection, "sample")
