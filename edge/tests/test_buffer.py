"""The buffer protocol, the same for both implementations."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from ems_contract.receipts import normalise
from ems_contract.telemetry import GAP_BUFFER_EXPIRED, GAP_BUFFER_FULL, GAP_EDGE_DOWN, Gap
from ems_edge.buffer import Backlog, Buffer, BufferFullError, Name, NewBatch, merge_gaps
from ems_edge.buffer_memory import MemoryBuffer
from ems_edge.buffer_sqlite import SqliteBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

BOOT = str(uuid.uuid4())
OTHER = str(uuid.uuid4())
ALL = 1_000_000


class Make(Protocol):
    def __call__(self, max_bytes: int, max_age: int | None = None) -> Buffer: ...


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "memory":
        return MemoryBuffer
    return lambda max_bytes, max_age=None: SqliteBuffer(tmp_path / "edge.db", max_bytes, max_age)


@pytest.fixture
async def buffer(make: Make) -> AsyncIterator[Buffer]:
    opened = make(10_000)
    await opened.open()
    yield opened
    await opened.close()


def batch(seq: int, *gaps: Gap, size: int = 100, boot: str = BOOT) -> NewBatch:
    return NewBatch(Name(boot, seq), b"%d:" % seq + b"x" * (size - len(b"%d:" % seq)), seq * 1000, seq * 1000 + 5, gaps)


def names(*seqs: int, boot: str = BOOT) -> list[Name]:
    return [Name(boot, seq) for seq in seqs]


async def _waiting(buffer: Buffer) -> list[Name]:
    """Who can be lent, without lending it."""
    lent = await buffer.begin(ALL, ALL)
    buffer.give_back([one.name for one in lent])
    return [one.name for one in lent]


async def test_a_new_batch_is_lent_to_who_made_it(buffer: Buffer) -> None:
    await buffer.append(batch(1))
    assert await buffer.begin(ALL, 10) == []
    assert (await buffer.stats()).batches == 1


async def test_what_is_given_back_is_lent_oldest_first_with_its_exact_bytes(buffer: Buffer) -> None:
    for seq in (1, 2, 3):
        await buffer.append(batch(seq))
    buffer.give_back(names(3, 1, 2))
    lent = await buffer.begin(ALL, 10)
    assert [one.name for one in lent] == names(1, 2, 3)
    assert lent[1].payload == batch(2).payload
    assert await buffer.begin(ALL, 10) == []


@pytest.mark.parametrize(("max_bytes", "max_count", "expected"), [(250, 10, 2), (ALL, 3, 3), (1, 10, 1), (100, 1, 1)])
async def test_lending_keeps_both_limits_but_lends_one_at_least(
    buffer: Buffer, max_bytes: int, max_count: int, expected: int
) -> None:
    for seq in range(1, 6):
        await buffer.append(batch(seq))
    buffer.give_back(names(*range(1, 6)))
    assert len(await buffer.begin(max_bytes, max_count)) == expected


async def test_only_what_a_receipt_lists_is_deleted_whoever_holds_it(buffer: Buffer) -> None:
    for seq in range(1, 6):
        await buffer.append(batch(seq))
    await buffer.append(batch(1, boot=OTHER))
    buffer.give_back(names(1, 2, 5))
    settled = await buffer.settle({BOOT: [(2, 3), (7, 900)], str(uuid.uuid4()): [(1, 99)]})
    assert sorted(settled) == names(2, 3)
    stats = await buffer.stats()
    assert stats.boots == {BOOT: 3, OTHER: 1}
    assert stats.size == 400
    assert await _waiting(buffer) == names(1, 5)


async def test_an_empty_receipt_and_a_second_one_change_nothing(buffer: Buffer) -> None:
    await buffer.append(batch(1))
    assert await buffer.settle({}) == []
    assert await buffer.settle({BOOT: [(1, 1)]}) == names(1)
    assert await buffer.settle({BOOT: [(1, 1)]}) == []
    assert (await buffer.stats()).batches == 0
    assert (await buffer.stats()).oldest is None


async def test_who_is_cancelled_while_waiting_for_batches_holds_none(buffer: Buffer) -> None:
    for seq in range(1, 6):
        await buffer.append(batch(seq))
    buffer.give_back(names(1, 2, 3, 4, 5))
    for _ in range(20):
        waiting = asyncio.create_task(buffer.begin(ALL, ALL))
        await asyncio.sleep(0)
        if waiting.cancel():
            await asyncio.wait([waiting])
        else:
            buffer.give_back(lent.name for lent in waiting.result())
    await buffer.stats()  # whatever was under way is done
    await asyncio.sleep(0)
    assert await _waiting(buffer) == names(1, 2, 3, 4, 5)


async def test_claiming_lends_what_is_there_and_not_held(buffer: Buffer) -> None:
    for seq in (1, 2):
        await buffer.append(batch(seq))
    buffer.give_back(names(2))
    assert await buffer.claim(names(1, 2, 3)) == set(names(2))
    assert await _waiting(buffer) == []


async def test_the_oldest_are_dropped_at_the_bound_and_the_next_batch_can_say_so(buffer: Buffer) -> None:
    for seq in range(1, 101):
        await buffer.append(batch(seq))
        buffer.give_back(names(seq))
    await buffer.append(batch(101, size=250))
    assert buffer.gaps() == [Gap(1000, 3005, GAP_BUFFER_FULL, BOOT, 1, 3)]
    assert (await buffer.stats()).size <= 10_000
    assert (await _waiting(buffer))[0] == Name(BOOT, 4)


async def test_what_is_in_flight_is_dropped_last(buffer: Buffer) -> None:
    for seq in range(1, 101):
        await buffer.append(batch(seq))
    buffer.give_back(names(50, 60))
    await buffer.append(batch(101, size=200))
    assert [gap.seq_from for gap in buffer.gaps()] == [50, 60]
    await buffer.append(batch(102, size=100))
    assert [gap.seq_from for gap in buffer.gaps()] == [50, 60, 1]


async def test_a_carried_gap_leaves_the_list_and_comes_back_when_its_batch_is_dropped(buffer: Buffer) -> None:
    down = Gap(5, 10, GAP_EDGE_DOWN)
    await buffer.note_gap(down)
    assert buffer.gaps() == [down]
    await buffer.append(batch(1, down))
    buffer.give_back(names(1))
    assert buffer.gaps() == []
    await buffer.append(batch(2, size=9_950))
    assert buffer.gaps() == [down, Gap(1000, 1005, GAP_BUFFER_FULL, BOOT, 1, 1)]


async def test_a_batch_larger_than_the_whole_buffer_is_refused_and_becomes_a_gap(buffer: Buffer) -> None:
    await buffer.append(batch(1))
    with pytest.raises(BufferFullError):
        await buffer.append(batch(2, size=10_001))
    assert buffer.gaps() == [Gap(2000, 2005, GAP_BUFFER_FULL, BOOT, 2, 2)]
    assert (await buffer.stats()).batches == 1


async def test_what_is_too_old_is_dropped_two_at_a_time_and_named(make: Make) -> None:
    """Each batch is a second younger than the one before."""
    buffer = make(10_000, 3_000)
    await buffer.open()
    for seq in range(1, 6):
        await buffer.append(batch(seq))
        buffer.give_back(names(seq))
    assert await _waiting(buffer) == names(2, 3, 4, 5)
    await buffer.append(batch(60))
    assert await _waiting(buffer) == names(4, 5)
    assert buffer.gaps() == [Gap(1000, 3005, GAP_BUFFER_EXPIRED, BOOT, 1, 3)]
    assert await buffer.backlog() == Backlog(3, 300, 4000, dropped=3)
    await buffer.close()


async def test_what_is_in_flight_is_not_dropped_for_its_age(make: Make) -> None:
    buffer = make(10_000, 3_000)
    await buffer.open()
    for seq in range(1, 4):
        await buffer.append(batch(seq))
    buffer.give_back(names(2))
    await buffer.append(batch(60))
    assert [gap.seq_from for gap in buffer.gaps()] == [2]
    assert (await buffer.backlog()).batches == 3
    await buffer.close()


async def test_a_clock_that_nobody_stands_by_ages_nothing(make: Make) -> None:
    buffer = make(10_000, 3_000)
    await buffer.open()
    for seq in range(1, 4):
        await buffer.append(batch(seq))
        buffer.give_back(names(seq))
    await buffer.append(replace(batch(86_400), clock=3_005))
    assert (await buffer.backlog()).batches == 4
    await buffer.close()


async def test_stats_say_what_waits(buffer: Buffer) -> None:
    await buffer.append(batch(3))
    await buffer.append(batch(4, size=50))
    stats = await buffer.stats()
    assert (stats.batches, stats.size, stats.oldest, stats.newest) == (2, 150, 3000, 4005)
    assert await buffer.backlog() == Backlog(2, 150, 3000)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 400)),
        st.tuples(st.just("begin"), st.integers(1, 600)),
        st.tuples(st.just("give_back"), st.integers(0, 30)),
        st.tuples(st.just("settle"), st.integers(0, 30)),
    ),
    max_size=40,
)


@settings(max_examples=30, deadline=None)
@given(steps)
async def test_every_batch_is_stored_or_settled_or_named_by_a_gap(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """Whatever happens in whatever order, and both implementations agree on all of it."""
    folder = tmp_path_factory.mktemp("store")
    buffers: list[Buffer] = [MemoryBuffer(2_000), SqliteBuffer(folder / "edge.db", 2_000)]
    outcomes = []
    for buffer in buffers:
        await buffer.open()
        outcomes.append(await _play(buffer, steps))
        await buffer.close()
    assert outcomes[0] == outcomes[1]


async def _play(buffer: Buffer, steps: list[tuple[str, int]]) -> list[object]:
    carried: dict[int, list[Gap]] = {}
    settled: set[int] = set()
    seen: list[object] = []
    for what, number in steps:
        if what == "append":
            seq = len(carried) + 1
            carried[seq] = buffer.gaps()
            await buffer.append(batch(seq, *carried[seq], size=number + 10))
        elif what == "begin":
            seen.append([one.name.seq for one in await buffer.begin(number, 5)])
        elif what == "give_back":
            buffer.give_back(names(number))
        else:
            done = await buffer.settle({BOOT: normalise([(number, number + 2)])})
            settled |= {name.seq for name in done}
            seen.append(sorted(name.seq for name in done))
    stats = await buffer.stats()
    assert stats.size <= 2_000
    backlog = await buffer.backlog()
    assert (backlog.batches, backlog.size) == (stats.batches, stats.size)
    assert backlog.dropped == len(carried) - len(settled) - stats.batches
    buffer.give_back(names(*carried))
    kept = {one.name.seq for one in await buffer.begin(ALL, ALL)}
    assert len(kept) == stats.batches
    told = [*buffer.gaps(), *(gap for seq in kept | settled for gap in carried[seq])]
    named = {seq for gap in told if gap.seq_from and gap.seq_to for seq in range(gap.seq_from, gap.seq_to + 1)}
    assert named == carried.keys() - kept - settled
    return [*seen, sorted(kept), buffer.gaps()]


def test_gaps_that_follow_each_other_become_one() -> None:
    full = [Gap(seq * 10, seq * 10 + 5, GAP_BUFFER_FULL, BOOT, seq, seq) for seq in (1, 2, 3, 7)]
    assert merge_gaps(full) == [Gap(10, 35, GAP_BUFFER_FULL, BOOT, 1, 3), full[3]]
    assert merge_gaps([Gap(0, 10, "x"), Gap(5, 20, "x"), Gap(30, 40, "x")]) == [Gap(0, 20, "x"), Gap(30, 40, "x")]
    assert merge_gaps([full[0], Gap(11, 20, GAP_BUFFER_FULL)]) == [full[0], Gap(11, 20, GAP_BUFFER_FULL)]
