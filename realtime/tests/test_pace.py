"""Who gets merged frames, and when: at most one in an interval, and none later than it must be."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from ems_contract.frames import INTERVALS
from ems_contract.telemetry import Batch, Reading
from ems_realtime.merge import Merger
from ems_realtime.outbox import Outbox
from ems_realtime.pace import COMPANY, Group, Pace, rounded_up
from ems_realtime.session import Session
from hypothesis import given, settings
from hypothesis import strategies as st
from realtime_support.batches import BOOT
from realtime_support.wires import SlowWire


def heard(seq: int) -> Batch:
    return Batch(1, "edge_1", BOOT, seq, seq, [Reading(seq, {"a.x": float(seq)})])


def somebody() -> Session:
    return Session("192.0.2.1", Outbox(SlowWire(), 1_000, 0.0))


@pytest.mark.parametrize(
    ("asked", "given"), [(0, 0), (1, 1_000), (1_000, 1_000), (1_001, 2_000), (59_999, 60_000), (60_000, 60_000)]
)
def test_an_interval_is_rounded_up_to_one_that_is_offered(asked: int, given: int) -> None:
    assert rounded_up(asked) == given


@pytest.mark.parametrize("asked", [-1, 60_001, 10**30])
def test_an_interval_that_cannot_be_had_is_refused_in_a_sentence(asked: int) -> None:
    with pytest.raises(ValueError, match="interval is in ms: 0 for every batch, or 1 to 60000"):
        rounded_up(asked)


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=40), st.sampled_from(INTERVALS[:3]))
@settings(max_examples=50)
def test_frames_are_an_interval_apart_and_no_batch_waits_for_longer_than_that(waits: list[int], interval: int) -> None:
    group = Group(interval)
    now, unsent, frames = 0.0, [], []

    def send() -> None:
        at = group.due
        [run] = group.take(at)
        assert list(range(run.seq_from, run.seq_to + 1)) == [seq for seq, _ in unsent]
        assert all(at - when < interval / 1000 + COMPANY + 1e-6 for _, when in unsent)
        unsent.clear()
        frames.append(at)

    for seq, wait in enumerate(waits, 1):
        now += wait / 1000
        while group.due <= now:
            send()
        due = group.due
        changed = group.hear(heard(seq), 50, now, 0)
        assert changed == (group.due != due)
        unsent.append((seq, now))
    send()
    assert group.due == float("inf")
    assert all(after - before > interval / 1000 - 1e-6 for before, after in pairwise(frames))


def test_edges_that_publish_in_step_come_in_one_frame_and_at_once() -> None:
    group = Group(1_000)
    for second in range(1, 6):
        group.hear(heard(second), 50, second, 0)
        group.hear(Batch(1, "edge_2", BOOT, second, 0, []), 50, second + 0.02, 0)
        assert group.due == pytest.approx(second + COMPANY)
        assert [run.edge for run in group.take(group.due)] == ["edge_1", "edge_2"]


def test_a_crowded_group_is_weighed_once_however_much_comes_before_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edge that begins a new boot with each batch leaves nothing to let go of."""
    weighings: list[Merger] = []
    monkeypatch.setattr(Merger, "crowded", lambda merger: weighings.append(merger) or True)
    group = Group(60_000)
    group.hear(heard(1), 50, 1.0, 0)
    assert group.hear(heard(2), 50, 1.01, 0)
    assert group.due == 1.01
    assert not any(group.hear(heard(seq), 50, 1.02, 0) for seq in range(3, 100))
    assert len(weighings) == 1


def test_it_knows_since_when_something_waits() -> None:
    group = Group(1_000)
    assert group.since is None
    group.hear(heard(1), 50, 1.0, 1_700)
    group.hear(heard(2), 50, 1.5, 2_200)
    assert group.since == 1_700
    group.take(2.0)
    assert group.since is None


async def test_what_is_no_longer_wanted_is_no_longer_planned() -> None:
    pace, (one, other) = Pace(), (somebody(), somebody())
    handles = []
    for session, interval in ((one, 1_000), (other, 2_000)):
        pace.ask(session, interval)
        pace.enter(session)
        for _ in range(2):
            handles.append(asyncio.get_running_loop().call_later(60, print))
            pace.groups[interval].plan(handles[-1])
    assert [handle.cancelled() for handle in handles] == [True, False, True, False]
    pace.leave(one)
    assert [handle.cancelled() for handle in handles] == [True, True, True, False]
    pace.empty()
    assert all(handle.cancelled() for handle in handles)


def test_a_group_exists_while_it_has_members() -> None:
    pace, (one, other, raw) = Pace(), (somebody(), somebody(), somebody())
    for session, interval in ((one, 1_000), (other, 1_000), (raw, 0)):
        pace.ask(session, interval)
        assert pace.enter(session) == bool(interval)
    assert pace.groups[1_000].members == {one, other}
    pace.ask(one, 5_000)
    assert pace.asked(one) == 5_000
    assert pace.group_of(one) is pace.groups[1_000], "it goes on as before until it enters"
    pace.leave(one)
    pace.enter(one)
    assert {interval: group.members for interval, group in pace.groups.items()} == {1_000: {other}, 5_000: {one}}
    pace.forget(one)
    pace.leave(other)
    assert not pace.groups
    assert (pace.asked(one), pace.asked(other)) == (0, 1_000), "who is set aside comes back as it was"
