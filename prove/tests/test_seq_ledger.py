"""The ledger of a viewer: every way in which a batch can be missed must be seen."""

from __future__ import annotations

from ems_prove.seq_ledger import Bridge, SeqLedger
from hypothesis import given
from hypothesis import strategies as st


def begun(snapshot: int = 10) -> SeqLedger:
    ledger = SeqLedger()
    ledger.snapshot(snapshot)
    return ledger


def test_a_whole_sequence_is_heard_and_nothing_is_missing() -> None:
    ledger = begun()
    assert all(ledger.batch(seq) for seq in range(11, 21))
    assert (ledger.heard, ledger.repeated, ledger.missing(20)) == (10, 0, set())


def test_a_hole_is_seen_and_so_is_an_end_that_never_came() -> None:
    ledger = begun()
    ledger.batch(11)
    ledger.batch(14)
    assert ledger.missing(16) == {12, 13, 15, 16}


def test_what_the_snapshot_has_may_come_once_more_and_nothing_else_may() -> None:
    ledger = begun()
    assert not ledger.batch(10)
    assert ledger.repeated == 0
    ledger.batch(11)
    assert not ledger.batch(11)
    assert ledger.repeated == 1


def test_a_batch_out_of_order_is_missing_first_and_then_repeated() -> None:
    ledger = begun()
    ledger.batch(12)
    ledger.batch(11)
    assert (ledger.missing(12), ledger.repeated) == ({11}, 1)


def test_what_a_gap_announced_is_bridged_by_the_snapshot_behind_it() -> None:
    ledger = begun()
    ledger.batch(11)
    ledger.gap(since=5_000)
    ledger.gap(since=4_000)
    ledger.snapshot(15)
    ledger.batch(15)
    ledger.batch(16)
    assert ledger.bridged == [Bridge(12, 15, 4_000)]
    assert (ledger.gaps, ledger.repeated, ledger.missing(16)) == (2, 0, set())


def test_a_snapshot_that_nobody_announced_hides_nothing() -> None:
    ledger = begun()
    ledger.snapshot(13)
    assert ledger.missing(13) == {11, 12, 13}


def test_a_gap_with_nothing_missing_bridges_nothing() -> None:
    ledger = begun()
    ledger.gap(since=1)
    ledger.snapshot(10)
    assert (ledger.bridged, ledger.missing(10)) == ([], set())


@given(st.integers(0, 5), st.sets(st.integers(6, 60)))
def test_heard_and_missing_are_together_what_was_published(snapshot: int, told: set[int]) -> None:
    ledger = begun(snapshot)
    for seq in sorted(told):
        ledger.batch(seq)
    assert ledger.heard == len(told)
    assert ledger.missing(60) == set(range(snapshot + 1, 61)) - told
