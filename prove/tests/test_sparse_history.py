"""What an edge leaves out changes nothing that history says: the same buckets, and means within the deadband."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ems_contract.points import Kind, Point, Reason
from ems_contract.processing import ReportPolicy
from ems_edge.decode import Value
from ems_edge.poller import Answer
from ems_edge.reporting import Reporter
from telemetry.rollups import RESOLUTIONS, Resolution, roll_up
from telemetry.samples import Samples

KEY, POINT = "meter.power", 7
BEGIN = 1_789_999_200_000
"""A full hour."""
HOURS = 3
DEADBAND = 50.0


def _day() -> list[tuple[int, Value]]:
    """A restless hour, a still one, and one in which the device is silent for a while; a read each second."""
    dice = np.random.default_rng(3)
    value, samples = 1_000.0, list[tuple[int, Value]]()
    for second in range(HOURS * 3_600):
        if second < 3_600:
            value += float(dice.normal(0, 12))
        silent = 9_000 <= second < 9_600
        samples.append((BEGIN + second * 1_000, Reason.TIMEOUT if silent else round(value, 1)))
    return samples


def _columns(samples: list[tuple[int, Value]]) -> Samples:
    values = [math.nan if isinstance(value, Reason) else value for _, value in samples]
    return Samples(
        point=np.full(len(samples), POINT),
        ts=np.array([ts for ts, _ in samples]),
        value=np.array(values),
        code=np.array([64 if math.isnan(value) else 0 for value in values], np.uint8),
    )


def _reported(samples: list[tuple[int, Value]], policy: ReportPolicy) -> list[tuple[int, Value]]:
    reporter = Reporter([policy], [Point(KEY, "Power", "W", Kind.GAUGE, "meter")])
    sent = [one for ts, value in samples for one in reporter.take([Answer("meter", ts, {KEY: value})])]
    return [(one.wanted, one.values[KEY]) for one in sent + reporter.close(samples[-1][0])]


@pytest.mark.parametrize("resolution", RESOLUTIONS, ids=lambda one: one.name)
def test_buckets_of_what_was_sent_are_those_of_what_was_read(resolution: Resolution) -> None:
    samples = _day()
    sent = _reported(samples, ReportPolicy(["*"], deadband=DEADBAND))
    assert len(sent) < len(samples) / 4
    true, sparse = (roll_up(_columns(each), resolution.width) for each in (samples, sent))
    assert sparse.start.tolist() == true.start.tolist()
    assert np.isnan(sparse.mean).tolist() == np.isnan(true.mean).tolist()
    known = ~np.isnan(true.mean)
    for name in ("mean", "low", "high"):
        difference = np.abs(getattr(sparse, name)[known] - getattr(true, name)[known])
        assert difference.max() < DEADBAND
