"""When devices are read, and what is handed over together."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import pairwise

import structlog
from edge_support.waiting import until
from ems_edge.clock import wall_ms
from ems_edge.decode import Value
from ems_edge.driver import Changed
from ems_edge.poller import Answer, Polled, Poller


@dataclass
class Slow:
    """A device that takes its time."""

    takes: float = 0.0
    reads: list[float] = field(default_factory=list)
    until: asyncio.Event | None = None

    async def read(self) -> dict[str, Value]:
        self.reads.append(time.monotonic())
        await asyncio.sleep(self.takes)
        if self.until is not None:
            await self.until.wait()
        return {"power": float(len(self.reads))}


@contextlib.asynccontextmanager
async def polling(
    *devices: tuple[str, Slow, float], wall: Callable[[], int] = wall_ms
) -> AsyncIterator[list[tuple[float, list[Answer]]]]:
    """Groups as they were handed over, with the time of it."""
    groups: list[tuple[float, list[Answer]]] = []
    poller = Poller(lambda answers: groups.append((time.monotonic(), answers)), wall)
    poller.start([Polled(key, device, interval) for key, device, interval in devices])
    try:
        yield groups
    finally:
        await poller.stop(grace=0.1)


def keys(answers: list[Answer]) -> set[str]:
    return {answer.device for answer in answers}


async def test_all_that_answer_together_are_handed_over_together_with_the_tick_as_time() -> None:
    async with polling(("a", Slow(0.001), 0.2), ("b", Slow(0.004), 0.2)) as groups:
        await until(lambda: len(groups) >= 8, "eight cycles")
    aligned = [
        answers
        for _, answers in groups
        if keys(answers) == {"a", "b"} and {answer.wanted % 200 for answer in answers} == {0}
    ]
    assert len(aligned) >= 4  # a busy machine may spoil some
    assert {key for answer in aligned[0] for key in answer.values} == {"a.power", "b.power"}


async def test_nothing_waits_when_all_have_answered() -> None:
    quick = Slow(0.0)
    async with polling(("a", quick, 0.5)) as groups:
        await until(lambda: len(groups) >= 3, "three cycles")
    waits = [handed - read for (handed, _), read in zip(groups, quick.reads, strict=False)]
    assert min(waits) < 0.005
    assert sorted(waits)[1] < 0.02


async def test_a_hung_device_delays_the_others_by_the_window_at_most() -> None:
    hung = Slow(until=asyncio.Event())
    async with polling(("hung", hung, 0.4), ("a", Slow(), 0.4), ("b", Slow(0.002), 0.4)) as groups:
        await until(lambda: len(groups) >= 4, "four cycles of the others")
        together = [(handed, answers) for handed, answers in groups if keys(answers) == {"a", "b"}]
        assert len(together) >= 3  # a busy machine may spoil one
        assert "hung" not in {key for _, answers in groups for key in keys(answers)}
        assert sum(answers[0].wanted % 400 == 0 for _, answers in together) >= 2
        gaps = [later[0] - earlier[0] for earlier, later in pairwise(groups[1:])]
        assert max(gaps) < 0.6
        assert len(hung.reads) == 1
        assert hung.until is not None
        hung.until.set()
        await until(lambda: any("hung" in keys(answers) for _, answers in groups), "the straggler")
    straggler = next(answer for _, answers in groups for answer in answers if answer.device == "hung")
    assert straggler.wanted > groups[3][1][0].wanted - 400


async def test_each_device_keeps_its_own_interval_on_the_wall_clocks_grid() -> None:
    fast, slow = Slow(), Slow()
    async with polling(("fast", fast, 0.1), ("slow", slow, 0.3)) as groups:
        await until(lambda: len(slow.reads) >= 5, "five slow cycles")
    together = [answers for _, answers in groups[1:] if keys(answers) == {"fast", "slow"}]
    assert sum(answers[0].wanted % 300 == 0 for answers in together) >= 2  # a busy machine may spoil some
    assert 8 <= len(fast.reads) <= 17


async def test_a_device_slower_than_its_interval_misses_ticks_and_does_not_catch_up() -> None:
    slow = Slow(0.25)
    async with polling(("slow", slow, 0.1)) as groups:
        await until(lambda: len(groups) >= 3, "three answers")
    assert len(slow.reads) <= 4
    assert all(later - earlier > 0.24 for earlier, later in pairwise(slow.reads))


async def test_a_clock_set_back_by_an_hour_stops_nothing() -> None:
    jump = 0

    def wall() -> int:
        return wall_ms() + jump

    quick = Slow()
    async with polling(("a", quick, 0.1), wall=wall) as groups:
        await until(lambda: len(groups) >= 2, "two cycles")
        jump = -3_600_000
        already = len(groups)
        started = time.monotonic()
        await until(lambda: len(groups) >= already + 4, "four more")
        assert time.monotonic() - started < 1.0
        jump = 86_400_000
        already = len(groups)
        await until(lambda: len(groups) >= already + 4, "four more, a day ahead")
    assert groups[-1][1][0].wanted > wall_ms() + 80_000_000


async def test_stopping_hands_over_what_came_in_and_gives_up_on_what_hangs() -> None:
    groups: list[list[Answer]] = []
    poller = Poller(groups.append)
    hung = Slow(until=asyncio.Event())
    poller.start([Polled("a", Slow(0.05), 10.0), Polled("hung", hung, 10.0)])
    await until(lambda: hung.reads, "the reads")
    await poller.stop(grace=0.3)
    assert [keys(group) for group in groups] == [{"a"}]
    await poller.stop()


async def test_no_device_is_no_work() -> None:
    poller = Poller(lambda answers: None)
    poller.start([])
    await poller.stop()


@dataclass
class Broken(Slow):
    """A device whose driver has a fault."""

    async def read(self) -> dict[str, Value]:
        await super().read()
        raise RuntimeError("no driver may do this")


async def test_a_driver_that_fails_is_told_and_harms_no_other() -> None:
    one, other = Broken(), Slow()
    with structlog.testing.capture_logs() as told:
        async with polling(("a", one, 0.1), ("b", other, 0.1)):
            await until(lambda: len(one.reads) > 2 and len(other.reads) > 2, "further reads of both")
    assert {entry["read"] for entry in told if entry["log_level"] == "error"} == {"read a"}


class Telling(Slow):
    """A device that says by itself what changed."""

    told: Changed | None = None

    def watch(self, changed: Changed) -> None:
        self.told = changed


async def test_a_device_that_tells_without_end_is_heard_so_often_and_with_its_last_words() -> None:
    one = Telling()
    async with polling(("a", one, 60.0)) as groups:
        await until(lambda: groups, "the first read")
        before = len(groups)
        assert one.told is not None
        for count in range(5_000):
            one.told({"power": float(count), f"other_{count % 2}": 1.0})
        await until(lambda: len(groups) > before, "what it told", 5.0)
        [(_, answers)] = groups[before:]
    assert [answer.values["a.power"] for answer in answers] == [*range(19), 4_999.0]
    assert answers[-1].values.keys() == {"a.power", "a.other_0", "a.other_1"}


async def test_what_a_device_tells_by_itself_is_handed_over_soon_and_together() -> None:
    one, other = Telling(), Telling()
    async with polling(("a", one, 60.0), ("b", other, 60.0)) as groups:
        await until(lambda: groups, "the first reads")
        before = len(groups)
        assert one.told is not None
        assert other.told is not None
        began = wall_ms()
        one.told({"power": 7.0})
        other.told({"power": 8.0, "relay": 1.0})
        one.told({"power": 9.0})
        await until(lambda: len(groups) > before, "what they told", 2.0)
        [(_, answers)] = groups[before:]
    assert [answer.values for answer in answers] == [
        {"a.power": 7.0},
        {"b.power": 8.0, "b.relay": 1.0},
        {"a.power": 9.0},
    ]
    assert all(began <= answer.wanted <= wall_ms() for answer in answers)
    one.told({"power": 10.0})  # after the poller was stopped
    assert len(groups) == before + 1
