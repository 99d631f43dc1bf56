"""Figures of turns in, a verdict out: each aim counts."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from ems_prove.experiments import fanout, ten_thousand
from ems_prove.fanout.drive import Figures
from ems_prove.fanout.load import Report

GOOD = Figures(
    deliveries=3.5e6,
    bytes=9e8,
    asked=0.0,
    offered=3.5e6,
    p50=2.0,
    p99=50.0,
    worst=60.0,
    samples=1_000,
    late=1.0,
    missing=0,
    lost=0,
    doubled=0,
    gaps=0,
    disconnected=0,
    goodbye="",
    busy={"server": 1.0, "load": 0.6},
)
TURNS = fanout.Turns(
    ours=[GOOD] * 5,
    few=[GOOD] * 5,
    many=[GOOD] * 5,
    nats=[msgspec.structs.replace(GOOD, deliveries=1e6)] * 5,
    ours_large=[GOOD] * 3,
    nats_large=[msgspec.structs.replace(GOOD, deliveries=1e6)] * 3,
)


def but(**changes: float) -> list[Figures]:
    return [msgspec.structs.replace(GOOD, **changes)] * 5


def test_good_figures_meet_every_aim() -> None:
    outcome = fanout.judged(TURNS)
    assert outcome.met
    assert "3.5 times NATS" in outcome.figure


@pytest.mark.parametrize(
    "short",
    [
        {"nats": but(deliveries=2e6)},
        {"nats_large": but(deliveries=2e6)[:3]},
        {"ours": but(deliveries=2.9e6)},
        {"many": but(p99=61.0)},
        {"many": but(deliveries=1e6)},
        {"many": but(deliveries=1e6, offered=1e6, asked=2e6)},
        {"few": but(p50=3.1)},
        {"ours": but(lost=1)},
        {"few": but(doubled=1)},
        {"ours_large": but(gaps=1)[:3]},
    ],
)
def test_one_figure_short_is_short(short: dict[str, list[Figures]]) -> None:
    assert not fanout.judged(replace(TURNS, **short)).met


def test_memory_is_what_the_connections_added_divided_by_their_number() -> None:
    report = Report(1_500.0, (80_000_000, 270_000_000), [GOOD])
    outcome = ten_thousand.judged(report, 10_000)
    assert "19.0 kB each" in outcome.figure
    assert outcome.met
    assert not ten_thousand.judged(msgspec.structs.replace(report, resident=(80_000_000, 290_000_000)), 10_000).met
    assert not ten_thousand.judged(msgspec.structs.replace(report, figures=but(p99=101.0)[:1]), 10_000).met
