"""Who writes when: at once while there is little to do, in company when there is much, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from ems_realtime.turns import SLICE, Turn, Turns
from realtime_support.deadline import until

TICK = 0.05


class Writer:
    """Notes its turns; each may burn time, as writing does."""

    def __init__(self, turns: Turns, *, writes: int = 1, costs: float = 0.0) -> None:
        self.at: list[float] = []
        self.turn = Turn(self._flush)
        self._turns = turns
        self._writes = writes
        self._costs = costs

    def ask(self) -> None:
        self._turns.ask(self.turn)

    def _flush(self) -> int:
        self.at.append(time.monotonic())
        while time.monotonic() - self.at[-1] < self._costs:
            pass
        return self._writes


@pytest.fixture
async def turns() -> Turns:
    return Turns(TICK)


async def passes(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_one_who_asks_while_nothing_is_to_do_writes_at_once(turns: Turns) -> None:
    writer = Writer(turns)
    writer.ask()
    assert not writer.at, "not before the loop is done with what it has in hand"
    await passes(1)
    assert len(writer.at) == 1


async def test_what_is_asked_again_and_again_before_its_turn_is_one_turn(turns: Turns) -> None:
    writer = Writer(turns)
    for _ in range(100):
        writer.ask()
    await passes(3)
    assert len(writer.at) == 1


async def test_when_writing_costs_time_there_is_a_tick_between_two_turns_of_the_same(turns: Turns) -> None:
    writer = Writer(turns, costs=TICK)
    until_enough = time.monotonic() + 30
    while len(writer.at) < 5 and time.monotonic() < until_enough:
        writer.ask()
        await asyncio.sleep(0.001)
    gaps = [later - earlier for earlier, later in zip(writer.at, writer.at[1:], strict=False)]
    assert len(writer.at) == 5
    assert min(gaps) >= TICK, "the turn itself takes one; the next is no earlier than a tick after it began"


async def test_a_turn_is_never_later_than_a_tick_for_being_busy(turns: Turns) -> None:
    """`due` is bounded by the tick, however much was spent before."""
    busy = Writer(turns, costs=10 * TICK)
    busy.ask()
    await until(lambda: busy.at, "its turn")
    await passes(2)
    busy.ask()
    assert turns._line[0][0] <= asyncio.get_running_loop().time() + TICK


async def test_who_has_not_written_for_a_while_does_not_wait_for_a_busy_one() -> None:
    turns = Turns(10.0)
    busy, quiet = Writer(turns, costs=0.3), Writer(turns)
    busy.ask()
    await until(lambda: busy.at, "the busy one's turn")
    await passes(2)
    busy.ask()
    quiet.ask()
    await until(lambda: quiet.at, "the quiet one's turn")
    assert len(busy.at) == 1, "its next is a second away"
    turns.stop()


async def test_the_loop_gets_to_do_something_else_between_large_turns(turns: Turns) -> None:
    order: list[str] = []
    loop = asyncio.get_running_loop()

    def large(name: str) -> Callable[[], int]:
        def flush() -> int:
            order.append(name)
            return SLICE

        return flush

    for name in ("first", "second", "third"):
        turns.ask(Turn(large(name)))
    loop.call_soon(loop.call_soon, order.append, "something else")
    await until(lambda: len(order) == 4, "all of them")
    assert [name for name in order if name != "something else"] == ["first", "second", "third"], "who asked first"
    assert order[-1] != "something else"


async def test_a_fault_in_one_turn_costs_the_others_nothing(turns: Turns) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    def fault() -> int:
        raise LookupError("a fault")

    others = [Writer(turns) for _ in range(3)]
    others[0].ask()
    turns.ask(Turn(fault))
    for writer in others[1:]:
        writer.ask()
    await until(lambda: all(writer.at for writer in others), "the others' turns")
    assert [type(context["exception"]) for context in told] == [LookupError]


async def test_after_stop_nobody_has_a_turn(turns: Turns) -> None:
    writer = Writer(turns)
    writer.ask()
    turns.stop()
    await passes(3)
    assert not writer.at


async def test_a_tick_of_zero_never_waits() -> None:
    turns = Turns(0.0)
    writer = Writer(turns, costs=0.002)
    for _ in range(3):
        writer.ask()
        await passes(2)
    assert len(writer.at) == 3
