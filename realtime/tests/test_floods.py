"""An edge that publishes without end: its own site is not heard for a while, the others never notice."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import pytest
from ems_contract import keys
from ems_realtime import budget
from ems_realtime.budget import Budget
from hypothesis import given
from hypothesis import strategies as st
from realtime_support.backend import Backend
from realtime_support.batches import batch, grant, token
from realtime_support.deadline import until
from realtime_support.house import House, kinds
from realtime_support.redis_process import RedisProcess
from realtime_support.running import Running
from realtime_support.viewer import Viewer

ALICE = token(1)
SPENDINGS = st.lists(st.tuples(st.integers(0, 2 * budget.RATE), st.floats(0, 3)), max_size=50)


@given(SPENDINGS)
def test_nobody_who_keeps_to_the_rate_is_ever_refused_and_nobody_gets_more_than_burst_and_rate(
    spendings: list[tuple[int, float]],
) -> None:
    now = 0.0
    modest, greedy = Budget(lambda: now), Budget(lambda: now)
    granted = 0
    for amount, pause in spendings:
        now += pause
        assert modest.spend(int(pause * budget.RATE))
        if greedy.spend(amount):
            granted += amount
        assert granted <= budget.BURST + now * budget.RATE + 1


@pytest.mark.parametrize("refused", [False, True])
async def test_a_flood_costs_the_viewers_of_other_sites_nothing(
    redis: RedisProcess,
    backend: Backend,
    start: Callable[..., Running],
    monkeypatch: pytest.MonkeyPatch,
    refused: bool,
) -> None:
    for name, value in {"RATE": 20_000, "BURST": 200_000, "QUIET_SECONDS": 1.0}.items():
        monkeypatch.setattr(budget, name, value)
    backend.answers[ALICE] = grant(1, [7, 8])
    service = start(redis)
    async with await Viewer.login(service.url, ALICE, 7, 8) as viewer:

        def flood() -> int:
            pipeline = redis.admin.pipeline(transaction=False)
            for seq in range(2, 302):
                payload = b"{" if refused else batch(seq, points=40)
                pipeline.publish(keys.telemetry_channel(7), payload)
            return sum(pipeline.execute())

        flooding = asyncio.create_task(asyncio.to_thread(flood))
        for seq in itertools.count(1):
            redis.admin.publish(keys.telemetry_channel(8), batch(seq))
            while (await viewer.next("telemetry"))["site"] != "site_8":
                pass
            if flooding.done():
                break
        assert (await viewer.next("gap"))["site"] == "site_7"
        assert service.metrics.value("dropped", reason="flood") == 1
        assert (await viewer.next("snapshot"))["site"] == "site_7"
        redis.admin.publish(keys.telemetry_channel(7), batch(1_000))
        while (await viewer.next("telemetry"))["site"] != "site_7":
            pass
        assert viewer.seen["site_7", "edge_1"][-1] == 1_000
        assert viewer.seen["site_8", "edge_1"] == list(range(1, seq + 1))
        assert [frame["site"] for frame in viewer.frames if frame["type"] == "gap"] == ["site_7"]


async def test_who_joined_while_the_flood_began_hears_the_site_when_it_is_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its subscription is confirmed only when the site is not quiet any more, and was taken back meanwhile."""
    for name, value in {"RATE": 1_000, "BURST": 1_000, "QUIET_SECONDS": 0.01}.items():
        monkeypatch.setattr(budget, name, value)
    house.broker.interrupt()
    session, wire = house.enter(1, [7])
    house.hub.subscribe(session, 7)
    await until(lambda: bool(house.broker.watched), "it waits for Redis")
    house.hub.on_telemetry(7, batch(1, points=40))
    await until(lambda: not house.hub._fanout._feeds[7].quiet, "the flood is over")
    monkeypatch.setattr(budget, "RATE", 10**9)
    house.broker.restore()
    await until(lambda: "snapshot" in kinds(wire), "its snapshot")
    house.publish()
    await until(lambda: kinds(wire)[-1] == "telemetry", "a live value")
