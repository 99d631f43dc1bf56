"""How many deliveries a second the live service makes on one core, beside NATS' WebSocket server on the same core.

1,000 clients on 10 sites, batches of 250 bytes and of 20 kB, every access check, gaps and metrics on. The two take
turns, each a fresh process. How deliveries are counted: `bench/README.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from ems_stack.peers import NoPeerError

from ems_prove.experiment import Outcome
from ems_prove.fanout.contest import Crowd
from ems_prove.fanout.contest import measure as run
from ems_prove.fanout.drive import Figures, Phase
from ems_prove.fanout.machine import described
from ems_prove.fanout.servers import BY_NAME, NATS, OURS
from ems_prove.lab import Lab

ROUNDS, ROUNDS_LARGE = 5, 3
SECONDS = 4.0
FEW, MANY = 10_000.0, 2_000_000.0
LARGE_CROWD = Crowd(size=20_000, sampled=1)
AIM_RATIO = 2.0
AIM_DELIVERIES = 3_000_000.0
AIM_P99_MANY, AIM_P50_FEW = 60.0, 3.0
"""ms"""
AIM = (
    f"{AIM_RATIO:g} times NATS in both sizes, {AIM_DELIVERIES:,.0f} deliveries/s, p99 under {AIM_P99_MANY:g} ms at "
    f"{MANY:,.0f}/s, p50 under {AIM_P50_FEW:g} ms at {FEW:,.0f}/s, nothing lost"
)


@dataclass(frozen=True)
class Turns:
    """Figures of each turn, in order. `ours`, `nats`: capacity; `few`, `many`: ours at these rates."""

    ours: list[Figures]
    few: list[Figures]
    many: list[Figures]
    nats: list[Figures]
    ours_large: list[Figures]
    nats_large: list[Figures]


def measure(lab: Lab) -> Outcome:  # noqa: ARG001 -- no stack is needed
    try:
        return judged(_turns())
    except NoPeerError as error:
        return Outcome(str(error), AIM, met=False)


def judged(turns: Turns) -> Outcome:
    ratio, large = _ratio(turns.ours, turns.nats), _ratio(turns.ours_large, turns.nats_large)
    deliveries = median(one.deliveries for one in turns.ours)
    p50, p99 = median(one.p50 for one in turns.few), median(one.p99 for one in turns.many)
    kept_up = sum(one.kept_up for one in turns.many)
    everything = [*turns.ours, *turns.few, *turns.many, *turns.ours_large]
    wrong = sum(one.missing + one.lost + one.doubled + one.gaps + one.disconnected for one in everything)
    spread = ", ".join(
        f"{one.deliveries / other.deliveries:.1f}" for one, other in zip(turns.ours, turns.nats, strict=True)
    )
    per_cpu = median(one.per_cpu / other.per_cpu for one, other in zip(turns.ours, turns.nats, strict=True))
    busy, nats = (median(one.busy["server"] for one in some) for some in (turns.ours, turns.nats))
    told = (
        f"{ratio:.1f} times NATS (turns: {spread}; {per_cpu:.1f} times per CPU second)",
        f"{deliveries:,.0f} deliveries/s with {busy:.0%} of a core",
        f"NATS {median(one.deliveries for one in turns.nats):,.0f} with {nats:.0%}",
        f"p99 {p99:.0f} ms at {MANY:,.0f}/s (kept up in {kept_up} of {len(turns.many)})",
        f"p50 {p50:.1f} ms at {FEW:,.0f}/s",
        f"20 kB: {large:.1f} times, {median(one.bytes for one in turns.ours_large) / 1e6:,.0f} MB/s",
        f"{wrong} missing, doubled, gaps or cut off",
        described(),
    )
    return Outcome(
        "; ".join(told),
        AIM,
        ratio >= AIM_RATIO
        and large >= AIM_RATIO
        and deliveries >= AIM_DELIVERIES
        and p99 <= AIM_P99_MANY
        and kept_up > len(turns.many) / 2
        and p50 <= AIM_P50_FEW
        and not wrong,
    )


def _ratio(ours: Sequence[Figures], theirs: Sequence[Figures]) -> float:
    """Median of the turns' own."""
    return median(mine.deliveries / other.deliveries for mine, other in zip(ours, theirs, strict=True))


def _turns() -> Turns:
    found = Turns([], [], [], [], [], [])

    def ours() -> None:
        phases = [Phase(SECONDS), Phase(SECONDS, FEW), Phase(SECONDS, MANY)]
        for where, figures in zip((found.ours, found.few, found.many), run(BY_NAME[OURS], phases).figures, strict=True):
            where.append(figures)

    def nats() -> None:
        found.nats.extend(run(BY_NAME[NATS], [Phase(SECONDS)]).figures)

    def ours_large() -> None:
        found.ours_large.extend(run(BY_NAME[OURS], [Phase(SECONDS)], LARGE_CROWD).figures)

    def nats_large() -> None:
        found.nats_large.extend(run(BY_NAME[NATS], [Phase(SECONDS)], LARGE_CROWD).figures)

    _alternate(ours, nats, ROUNDS)
    _alternate(ours_large, nats_large, ROUNDS_LARGE)
    return found


def _alternate(one: Callable[[], None], other: Callable[[], None], rounds: int) -> None:
    for number in range(rounds):
        for turn in (one, other) if number % 2 else (other, one):
            turn()
