"""Edges are killed with -9 at random moments, also while they start; then the simulator's ledger equals history."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass

from ems_stack.services import edge_service
from ems_stack.stack import Stack

from ems_prove.experiment import Outcome
from ems_prove.experiments.nothing_lost import SiteResult, judge
from ems_prove.lab import Lab
from ems_prove.simulator import Simulator

KILLS = 100
LONGEST = 2.0
"""s between two kills of whichever edge; with four edges a life is 4 s on average."""


@dataclass(frozen=True)
class Killed:
    """`times`: how often the site's edge was killed."""

    result: SiteResult
    times: int

    @property
    def met(self) -> bool:
        """A recorded gap excuses the poll that a kill cut off: one answer of each device."""
        return self.result.verdict.clean and self.result.verdict.in_gaps <= self.times * self.result.devices


def measure(lab: Lab) -> Outcome:
    sites = kill(lab.stack, lab.simulator, KILLS)
    verdicts = [site.result.verdict for site in sites]
    cut_off = sum(one.in_gaps for one in verdicts)
    return Outcome(
        f"{sum(site.times for site in sites)} kills of {len(sites)} edges: {sum(one.answered for one in verdicts)} "
        f"answered reads, {sum(len(one.lost) for one in verdicts)} committed ones lost, "
        f"{sum(len(one.duplicated) + len(one.invented) for one in verdicts)} duplicated, "
        f"{sum(len(one.wrong) for one in verdicts)} wrong; {cut_off} answers of a poll that was cut off, each in a gap",
        "0 lost, 0 duplicated, at most the poll in progress cut off",
        all(site.met for site in sites),
    )


def kill(stack: Stack, simulator: Simulator, kills: int, seed: int = 1) -> list[Killed]:
    """So many kills, then every site's ledger against history."""
    dice = random.Random(seed)  # noqa: S311  # not a secret: a seeded order of kills
    begun = time.time() * 1000
    times: Counter[str] = Counter()
    for _ in range(kills):
        time.sleep(dice.uniform(0, LONGEST))  # the moment of the kill is the experiment
        site = dice.choice(list(stack.site_ids))
        stack.kill(edge_service(site))
        stack.start(edge_service(site), wait=False)
        times[site] += 1
    for site in stack.site_ids:
        stack.wait_ready(edge_service(site), 60)
    time.sleep(LONGEST)  # a poll or two after the last one
    ended = time.time() * 1000
    with stack.client("platform_admin") as client:
        return [Killed(judge(stack, simulator, client, site, begun, ended), times[site]) for site in stack.site_ids]
