"""A short form of the experiment: what planned requests and one unpacking are worth, with bounds for a busy machine."""

from __future__ import annotations

import asyncio

from ems_prove.experiments.poll_throughput import judged, registers
from ems_prove.polling import Jitter, Speed, Speeds, compare, contiguous, with_holes


def test_the_driver_is_many_times_as_fast_as_a_request_for_each_point() -> None:
    with registers(1) as ports:
        assert asyncio.run(compare(ports, contiguous(), 0.05, 3)).ratio > 10
        assert asyncio.run(compare(ports, with_holes(), 0.05, 3)).ratio > 3


def test_the_outcome_is_judged_by_every_aim() -> None:
    fast, slow, well, late = Speed(1e5, 1e3, 30), Speed(1e4, 1e3, 7), Jitter(5, 20), Jitter(5, 200)
    assert judged(Speeds(fast, fast, fast, well, well)).met
    assert not judged(Speeds(slow, fast, fast, well, well)).met
    assert not judged(Speeds(fast, slow, fast, well, well)).met
    assert not judged(Speeds(fast, fast, slow, well, well)).met
    assert not judged(Speeds(fast, fast, fast, well, late)).met
