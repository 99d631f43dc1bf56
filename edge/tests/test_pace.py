"""Backfill goes at its rate, whatever a step costs."""

from __future__ import annotations

import asyncio
import time

import pytest
from ems_edge.pace import Pace


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only sleeping and `cost` move."""
    clock = [100.0]

    async def sleep(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(asyncio, "sleep", sleep)
    return clock


@pytest.mark.parametrize("cost", [0.0, 0.02, 0.09])
async def test_what_a_step_costs_is_part_of_its_time(slept: list[float], cost: float) -> None:
    pace, started = Pace(1_000), slept[0]
    for _ in range(50):
        slept[0] += cost
        await pace.passed(100)
    assert slept[0] - started == pytest.approx(5.0, abs=0.15)


async def test_a_pause_is_not_made_up_for(slept: list[float]) -> None:
    pace = Pace(1_000)
    await pace.passed(100)
    slept[0] += 60
    started = slept[0]
    for _ in range(10):
        await pace.passed(100)
    assert slept[0] - started == pytest.approx(0.9)


async def test_what_is_slower_than_the_rate_is_not_held_up(slept: list[float]) -> None:
    pace, started = Pace(1_000), slept[0]
    for _ in range(10):
        slept[0] += 0.5
        await pace.passed(100)
    assert slept[0] - started == pytest.approx(5.0)
