"""The queue between the link and the program: bounded, in order, with an end."""

from __future__ import annotations

import asyncio

import pytest
from ems_client import Gap, LinkState, StateChange
from ems_client.inbox import Inbox


def gap(number: int) -> Gap:
    return Gap("site_7", number, "interrupted")


async def test_events_are_taken_in_order() -> None:
    inbox = Inbox(1000)
    for number in range(3):
        inbox.put(gap(number))
    assert [await inbox.take() for _ in range(3)] == [gap(0), gap(1), gap(2)]


async def test_whoever_waits_is_woken() -> None:
    inbox = Inbox(1000)
    waiting = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    inbox.put(gap(1))
    assert await asyncio.wait_for(waiting, 5) == gap(1)


async def test_room_is_in_bytes_and_one_frame_always_fits() -> None:
    inbox = Inbox(1000)
    assert inbox.room(5000)
    inbox.put(gap(1), 600)
    assert inbox.room(400)
    assert not inbox.room(401)
    assert not inbox.caught_up
    await inbox.take()
    assert inbox.caught_up


async def test_a_program_that_takes_nothing_at_all_is_told_at_twice_the_bound() -> None:
    inbox = Inbox(1000)
    inbox.put(gap(1), 1000)
    inbox.put(gap(2), 1000)
    with pytest.raises(OverflowError, match="2000 bytes of events wait"):
        inbox.put(gap(3), 1)


async def test_attempts_in_a_row_are_one_event() -> None:
    inbox = Inbox(1000)
    for attempt in range(1000):
        inbox.put(StateChange(LinkState.WAITING, str(attempt)))
    assert await inbox.take() == StateChange(LinkState.WAITING, "999")
    assert inbox.caught_up


async def test_what_waits_is_taken_before_the_end() -> None:
    inbox = Inbox(1000)
    inbox.put(gap(1))
    inbox.end(LookupError("over"))
    assert await inbox.take() == gap(1)
    for _ in range(2):
        with pytest.raises(LookupError, match="over"):
            await inbox.take()


async def test_an_end_without_a_fault_ends_the_iteration() -> None:
    inbox = Inbox(1000)
    inbox.end(None)
    with pytest.raises(StopAsyncIteration):
        await inbox.take()
