"""Who may ask the backend next: paced, and fair to whoever comes from elsewhere or is here already."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

import pytest
from ems_realtime.lanes import Lanes, SentAwayError
from hypothesis import given
from hypothesis import strategies as st
from realtime_support.backend import Backend
from realtime_support.batches import grant, token
from realtime_support.deadline import until
from realtime_support.raw import RawClient
from realtime_support.redis_process import RedisProcess
from realtime_support.running import Running
from realtime_support.viewer import Viewer

SELDOM = 0.001
"""Turns per second: after the first nobody has another one by itself while a test runs."""

LANES = st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=1, max_size=60)


async def served(order: list[str | None]) -> list[str | None]:
    """In which order those have their turns who came in `order` while it was nobody's."""
    lanes = Lanes(SELDOM)
    await lanes.turn(None)
    turns: list[str | None] = []

    async def wait(lane: str | None) -> None:
        await lanes.turn(lane)
        turns.append(lane)

    waiting = [asyncio.create_task(wait(lane)) for lane in order]
    await asyncio.sleep(0)
    while (place := lanes._take()) is not None:
        place.set_result(None)
    await asyncio.gather(*waiting)
    return turns


@given(LANES)
def test_everyone_has_a_turn_and_nobody_waits_for_a_second_turn_of_another_lane(order: list[str | None]) -> None:
    turns = asyncio.run(served(order))
    assert Counter(turns) == Counter(order)
    left = Counter(order)
    for at, lane in enumerate(turns):
        left[lane] -= 1
        waiting = [other for other, count in left.items() if count and other is not None]
        if lane is not None and at + 1 < len(turns):
            ahead = turns[at + 1 : at + 1 + 2 * len(waiting)]
            assert set(waiting) - {lane} <= set(ahead), "an address goes round before it comes again"


def test_open_sessions_have_every_other_turn() -> None:
    turns = asyncio.run(served([*["forger"] * 100, *[None] * 10]))
    assert turns[:20].count(None) == 10


async def test_a_busy_process_makes_up_for_its_lateness_and_an_idle_one_saves_nothing_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    clock = loop.time()
    monkeypatch.setattr(loop, "time", lambda: clock)
    lanes = Lanes(40.0)
    waiting = [asyncio.create_task(lanes.turn("a")) for _ in range(100)]

    async def served_after(seconds: float) -> int:
        nonlocal clock
        clock += seconds
        for _ in range(5):
            await asyncio.sleep(0)
        return sum(task.done() for task in waiting)

    assert await served_after(0) == 1
    assert await served_after(0.11) == 5, "one each 25 ms, though nobody looked for 110"
    assert await served_after(10) == 6
    lanes.send_away()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_whoever_leaves_the_line_takes_nobody_elses_turn() -> None:
    lanes = Lanes(20.0)
    await lanes.turn("a")
    leaving = [asyncio.create_task(lanes.turn("a")) for _ in range(200)]
    await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    began = time.monotonic()
    await lanes.turn("a")
    assert time.monotonic() - began < 2.0


async def test_everyone_is_sent_away_at_once() -> None:
    lanes = Lanes(SELDOM)
    await lanes.turn(None)
    waiting = [asyncio.create_task(lanes.turn(lane)) for lane in (None, "a", "b", "a")]
    await asyncio.sleep(0)
    lanes.send_away()
    assert {type(end) for end in await asyncio.gather(*waiting, return_exceptions=True)} == {SentAwayError}


@pytest.mark.parametrize("renewing", [False, True])
async def test_forged_tokens_from_one_address_hold_up_nobody_elses(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running], renewing: bool
) -> None:
    """Four hundred of them are ten seconds' worth of validations."""
    alice = token(1)
    backend.answers[alice] = grant(1, [7])
    service = start(redis, trusted_proxies=("127.0.0.1",), grant_ttl=1.0 if renewing else 300.0)
    early = await Viewer.login(service.url, alice, 7) if renewing else None
    forgers = [RawClient.opened(service.port, "X-Forwarded-For: 192.0.2.66") for _ in range(400)]
    for serial, forger in enumerate(forgers):
        forger.send(type="auth", token=token(2, serial))
    await until(lambda: backend.count > 10, "they are being validated")
    if early is not None:
        assert (await early.next("grant", seconds=4))["stale"] is False
        await early.close()
    else:
        async with asyncio.timeout(4):
            honest = await Viewer.login(service.url, alice, 7, additional_headers={"X-Forwarded-For": "192.0.2.1"})
        await honest.close()
    assert backend.count < 300, "the others still wait"
    for forger in forgers:
        forger.socket.close()
