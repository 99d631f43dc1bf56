"""Merged batches show a client what the batches themselves would have shown: the same picture, seqs and holes."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import pytest
from ems_contract.frames import MergedBatch
from ems_contract.telemetry import Batch, Gap, Reading
from ems_realtime import merge
from ems_realtime.merge import Merger
from hypothesis import given, settings
from hypothesis import strategies as st
from realtime_support.image import Picture

POINTS = ["a.x", "a.y", "b.x"]
TIMES = st.integers(1, 4)
EDGES = st.sampled_from(["edge_1", "edge_2"])
STEPS = st.sampled_from(["next"] * 6 + ["skip", "again", "late", "restart"])
VALUES = st.one_of(st.none(), st.integers(0, 9).map(float))


@st.composite
def readings(draw: Any) -> Reading:
    values = draw(st.dictionaries(st.sampled_from(POINTS), VALUES, max_size=3))
    doubted = draw(st.sets(st.sampled_from(POINTS))) & values.keys()
    return Reading(draw(TIMES), values, dict.fromkeys(doubted, "timeout") or None)


@st.composite
def streams(draw: Any) -> list[Batch]:
    """What two edges publish: mostly one seq after the other, sometimes one is skipped, one comes again or one of old
    comes late, sometimes an edge begins anew."""
    last: dict[str, Batch] = {}
    first: dict[str, Batch] = {}
    found = []
    for number, (edge, step) in enumerate(draw(st.lists(st.tuples(EDGES, STEPS), max_size=15))):
        before = last.get(edge)
        if before is None or step == "restart":
            boot, seq = str(uuid.UUID(int=number)), 1
        elif step in ("again", "late"):
            found.append(before if step == "again" else first[edge])
            continue
        else:
            boot, seq = before.boot, before.seq + (3 if step == "skip" else 1)
        gaps = [Gap(seq, seq + 1, "edge_down")] if step == "skip" else None
        last[edge] = Batch(1, edge, boot, seq, number, draw(st.lists(readings(), max_size=2)), gaps)
        if seq == 1:
            first[edge] = last[edge]
        found.append(last[edge])
    return found


@given(streams(), st.sets(st.integers(0, 15)))
@settings(max_examples=60)
def test_a_client_sees_the_same_as_from_the_batches_themselves(stream: list[Batch], taken_after: set[int]) -> None:
    raw, seen = Picture(), Picture()
    merger = Merger()
    for number, batch in enumerate(stream):
        raw.apply([batch])
        merger.hear(batch, 100)
        if number in taken_after:
            seen.apply(merger.take())
    seen.apply(merger.take())
    assert seen == raw


@given(streams())
@settings(max_examples=40)
def test_one_run_holds_each_point_once_in_ascending_order_and_every_seq_that_it_names(stream: list[Batch]) -> None:
    merger = Merger()
    for batch in stream:
        merger.hear(batch, 100)
    heard = {(batch.edge, batch.boot, batch.seq) for batch in stream}
    named = []
    for run in merger.take():
        points = [point for reading in run.readings for point in reading.values]
        assert len(points) == len(set(points))
        times = [reading.ts for reading in run.readings]
        assert times == sorted(set(times))
        assert all(reading.values for reading in run.readings)
        assert all(set(reading.quality or ()) <= set(reading.values) for reading in run.readings)
        named += [(run.edge, run.boot, seq) for seq in range(run.seq_from, run.seq_to + 1)]
    assert sorted(named) == sorted(heard)


@given(streams(), st.integers(0, 3_000))
@settings(max_examples=40)
def test_letting_go_of_old_samples_changes_nothing_that_is_seen(stream: list[Batch], size: int) -> None:
    patient, thrifty = Merger(), Merger()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "WEIGH_AT", 2_000)
        for batch in stream:
            patient.hear(batch, 0)
            thrifty.hear(batch, size)
            thrifty.crowded()
    assert thrifty.take() == patient.take()


def test_of_many_batches_the_last_samples_are_left_with_their_reasons() -> None:
    merger = Merger()
    boot = str(uuid.UUID(int=1))
    for seq in range(1, 11):
        values: dict[str, float | None] = {"a.x": float(seq)}
        if seq == 3:
            values["a.y"] = None
        quality = {"a.y": "timeout"} if seq == 3 else None
        merger.hear(Batch(1, "edge_1", boot, seq, 1_000 + seq, [Reading(seq * 100, values, quality)]), 100)
    expected = [Reading(300, {"a.y": None}, {"a.y": "timeout"}), Reading(1_000, {"a.x": 10.0})]
    assert merger.take() == [MergedBatch("edge_1", boot, 1, 10, 1_010, expected)]
    assert merger.take() == []


def test_its_memory_is_bounded_by_what_it_holds_and_not_by_what_it_heard() -> None:
    merger = Merger()
    boot = str(uuid.UUID(int=1))

    def hear(seq: int, key: str) -> int:
        batch = Batch(1, "edge_1", boot, seq, seq, [Reading(seq, {f"{key}.{n}": 1.0 for n in range(1_000)})])
        size = len(msgspec.json.encode(batch))
        merger.hear(batch, size)
        return size

    heard = seq = 0
    while heard < 4 * merge.WEIGH_AT:
        heard += hear(seq := seq + 1, "always_the_same_point")
        assert not merger.crowded()
    heard = 0
    while not merger.crowded():
        heard += hear(seq := seq + 1, f"point_{seq}")
    assert heard <= merge.WEIGH_AT + merge.MOST
    assert len(msgspec.json.encode(merger.take())) > merge.MOST
    assert not merger.crowded()
