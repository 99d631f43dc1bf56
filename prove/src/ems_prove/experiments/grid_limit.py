"""A grid limit, held by the edge alone: no Redis, no backend, a load that goes 48 kW beyond it.

Two factories of the same seed begin on the same winter morning, each with its edge. In one the limit rule runs; in both
a schedule keeps the battery idle where nobody else asks for it. When the heating is switched on and off again on both,
the simulators' ledgers say what the grid meters answered.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ems_contract.control import LimitRule, ScheduleRule, Window
from ems_stack.paths import REPOSITORY

from ems_prove.experiment import Outcome
from ems_prove.lab import Lab
from ems_prove.ledger import Answer
from ems_prove.lonely_site import LonelySite, lonely_edge, lonely_site
from ems_prove.plot import Line, Panel, draw

SITE = "factory"
START = "2026-01-14T05:05:00Z"
"""06:05 on a Wednesday in Berlin: some 240 kW without the heating, which adds 77; the battery is charged to 19 %."""
LIMIT = 270_000.0
MARGIN = 12_000.0
"""The load jumps by as much within three seconds, by itself."""
SETTLE = 5.0
"""From a jump of the load to the limit being held: one read, one write, one read, and the response."""
START_SECONDS = 3.0
"""Until the batteries are idle: before, they follow the load by themselves."""
COLD, WARM = 165, 280
"""Settings of the heating, in tenths of °C: as the rooms are (it rests), and full."""
PICTURE = REPOSITORY / "docs" / "images" / "grid-limit.svg"

_SETPOINT = "battery.power_setpoint"
IDLE = ScheduleRule(
    key="idle", name="Battery idle", point=_SETPOINT, priority=12, windows=[Window("00:00", "24:00", 1.0)]
)
"""A setpoint of 0 would let the simulated battery follow the load by itself."""
SHAVE = LimitRule(
    key="grid_limit",
    name="Grid limit",
    point=_SETPOINT,
    input="grid_meter.active_power",
    priority=5,
    maximum=LIMIT,
    margin=MARGIN,
    low=1.0,
    high=200_000.0,
    rest=1.0,
)


@dataclass(frozen=True)
class Trace:
    """(seconds since the experiment began, W)."""

    grid: list[tuple[float, float]]
    battery: list[tuple[float, float]]


@dataclass(frozen=True)
class Held:
    """Seconds above the limit and the worst excess in W, over all and past the settling time after each jump."""

    seconds: int
    above: int
    worst: float
    above_settled: int
    worst_settled: float


def measure(_lab: Lab) -> Outcome:
    calm, warm = 60.0, 90.0
    without, held, switched, length = compare([calm, calm + warm, 2 * calm + warm, 2 * (calm + warm)], 330.0)
    PICTURE.write_text(picture(without, held, switched, length), encoding="utf-8")
    bare, ruled = judge(without, switched), judge(held, switched)
    return Outcome(
        f"limit {LIMIT / 1000:g} kW; without the rule {bare.above} of {bare.seconds} s above, up to "
        f"{bare.worst / 1000:.1f} kW; with it {ruled.above} s, and {ruled.above_settled} s past the "
        f"{SETTLE:g} s after a jump of 77 kW, worst then {ruled.worst_settled / 1000:+.1f} kW; Redis and Django down",
        f"0 s above the limit past the {SETTLE:g} s after a jump, where the bare site is above it",
        ruled.above_settled == 0 and bare.above_settled > 30,
    )


def compare(switches: Sequence[float], length: float) -> tuple[Trace, Trace, list[float], float]:
    """Traces without and with the rule, when the heating was switched (on, off, on, ...), and how long it took, s."""
    with tempfile.TemporaryDirectory(prefix="grid-limit-") as temporary, ExitStack() as running:
        sites = [_begin(running, Path(temporary) / name) for name in ("without", "with")]
        bare, ruled = sites
        running.enter_context(lonely_edge(bare, [IDLE]))
        running.enter_context(lonely_edge(ruled, [IDLE, SHAVE]))
        time.sleep(START_SECONDS)
        begun = time.time()
        switched = []
        for number, wanted in enumerate(switches):
            time.sleep(max(begun + wanted - time.time(), 0))
            switched.append(time.time() - begun)
            for site in sites:
                site.write("hvac", 0, COLD if number % 2 else WARM)
        time.sleep(max(begun + length - time.time(), 0) + 0.5)  # the ledger may be 100 ms late
        without, held = (_trace(site.answers(begun * 1000), begun, length) for site in sites)
    return without, held, switched, length


def judge(trace: Trace, switched: Sequence[float]) -> Held:
    """The meter is read once a second: an answer above the limit is a second above it."""
    excess = [power - LIMIT for _, power in trace.grid]
    settled = [power - LIMIT for at, power in trace.grid if not any(jump <= at < jump + SETTLE for jump in switched)]
    return Held(
        seconds=len(excess),
        above=sum(one > 0 for one in excess),
        worst=max(excess),
        above_settled=sum(one > 0 for one in settled),
        worst_settled=max(settled),
    )


def picture(without: Trace, held: Trace, switched: Sequence[float], length: float) -> str:
    notes = [(at, "heating off" if number % 2 else "heating on") for number, at in enumerate(switched)]
    grid = Panel(
        "Grid import, kW",
        [
            Line("without the rule", "#9aa3ad", _kilowatts(without.grid)),
            Line("held by the edge", "#0b6bcb", _kilowatts(held.grid)),
        ],
        (160, 340),
        limit=(LIMIT / 1000, f"limit {LIMIT / 1000:g} kW"),
        notes=notes,
    )
    battery = Panel(
        "Battery, kW (+ is discharge)",
        [Line("battery", "#1f8a4c", _kilowatts(held.battery))],
        (0, 100),
    )
    return draw("A grid limit held with Redis and Django down", [grid, battery], length)


def _kilowatts(watts: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(at, power / 1000) for at, power in watts]


def _begin(running: ExitStack, folder: Path) -> LonelySite:
    folder.mkdir()
    site = running.enter_context(lonely_site(SITE, START, folder))
    site.write("hvac", 0, COLD)
    return site


def _trace(answers: Sequence[Answer], begun: float, length: float) -> Trace:
    seen = Trace([], [])
    for answer in answers:
        second = answer.at / 1000 - begun
        power = answer.values.get(f"{answer.device}.active_power")
        if power is None or second > length:
            continue
        if answer.device == "grid_meter":
            seen.grid.append((second, power))
        elif answer.device == "battery":
            seen.battery.append((second, power))
    return seen
