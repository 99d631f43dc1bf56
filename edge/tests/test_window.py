"""What is in flight, and the evidence on which it is sent again."""

from __future__ import annotations

from ems_contract.keys import Lane
from ems_edge.buffer import Name
from ems_edge.window import GRACE, StreamId, Window, stream_id
from hypothesis import given
from hypothesis import strategies as st

BOOT = "b" * 36
OTHER = "c" * 36


def _window(*seqs: int) -> Window:
    window = Window()
    for seq in seqs:
        window.put(Name(BOOT, seq), 100, "stream", (1000 + seq, 0), now=0.0)
    return window


def _heads(stream: StreamId | None, backfill: StreamId | None = None) -> dict[Lane, StreamId | None]:
    return {"stream": stream, "backfill": backfill}


def test_what_is_in_the_stream_is_never_sent_again() -> None:
    window = _window(1, 2)
    for now in (0.0, 10.0, 100.0):
        assert window.judge(_heads((1001, 0)), now) == []
    assert len(window) == 2


def test_what_is_missing_twice_with_a_grace_between_is_lost() -> None:
    window = _window(1, 2)
    assert window.judge(_heads((1002, 0)), 10.0) == []
    assert window.judge(_heads((1002, 0)), 10.0 + GRACE - 0.1) == []
    assert window.judge(_heads((1002, 0)), 10.0 + GRACE) == [Name(BOOT, 1)]
    assert len(window) == 1
    assert window.bytes == 100


def test_an_empty_stream_holds_nothing() -> None:
    window = _window(1)
    window.judge(_heads(None), 0.0)
    assert window.judge(_heads(None), GRACE) == [Name(BOOT, 1)]


def test_a_trim_that_is_followed_by_its_receipt_is_no_loss() -> None:
    window = _window(1)
    window.judge(_heads(None), 0.0)
    assert window.settle({BOOT: [(1, 1)]}) == [Name(BOOT, 1)]
    assert window.judge(_heads(None), GRACE) == []


def test_what_shows_up_again_begins_anew() -> None:
    window = _window(1)
    window.judge(_heads(None), 0.0)
    window.judge(_heads((1001, 0)), 1.0)
    assert window.judge(_heads(None), GRACE) == []


def test_a_survey_knows_better_than_the_first_entry() -> None:
    """Redis came back with the older part of a stream: the newest batches are gone, though the head is older."""
    window = _window(1, 2, 3)
    window.surveyed({Name(BOOT, 1): ("stream", (1001, 0)), Name(BOOT, 2): ("backfill", (5000, 0))}, 1.0)
    heads = _heads((1001, 0), (5000, 0))
    assert window.judge(heads, 10.0) == []
    assert window.judge(heads, 10.0 + GRACE) == [Name(BOOT, 3)]
    assert window.bytes_in("stream") == 100
    assert window.bytes_in("backfill") == 100


def test_a_survey_says_nothing_about_what_was_sent_meanwhile() -> None:
    window = _window(1)
    window.surveyed({}, started=0.0)
    assert window.judge(_heads((1001, 0)), 10.0) == []
    assert window.judge(_heads((1001, 0)), 10.0 + GRACE) == []


def test_a_receipt_settles_only_its_boot() -> None:
    window = _window(1, 2, 3)
    assert window.settle({OTHER: [(1, 9)], BOOT: [(2, 2)]}) == [Name(BOOT, 2)]
    assert Name(BOOT, 1) in window


def test_it_is_worth_looking_only_when_something_waits_for_long() -> None:
    window = _window(1)
    assert not window.overdue(GRACE - 0.1)
    assert window.overdue(GRACE)


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 500), st.sampled_from(["stream", "backfill"]))))
def test_the_bytes_are_those_of_what_is_in_flight(puts: list[tuple[int, int, Lane]]) -> None:
    window = Window()
    last: dict[int, tuple[int, Lane]] = {}
    for seq, size, lane in puts:
        window.put(Name(BOOT, seq), size, lane, (1, 1), now=0.0)
        last[seq] = (size, lane)
    assert window.bytes == sum(size for size, _ in last.values())
    assert window.bytes_in("backfill") == sum(size for size, lane in last.values() if lane == "backfill")
    window.settle({BOOT: [(1, 20)]})
    assert window.bytes == 0


def test_a_stream_id_is_ordered_as_redis_orders_it() -> None:
    assert stream_id(b"5-10") > stream_id("5-9")
    assert stream_id("7") == (7, 0)
