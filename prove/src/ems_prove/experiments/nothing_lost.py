"""Redis, the historian and the edges are killed while the simulator runs; afterwards its ledger must equal history."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from ems_contract.telemetry import GAP_EDGE_DOWN
from ems_stack.stack import Stack

from ems_prove import faults, history
from ems_prove.experiment import Outcome
from ems_prove.lab import Lab
from ems_prove.ledger import Answer, Span, Verdict, compare
from ems_prove.simulator import Simulator
from ems_prove.waiting import eventually

SLACK_MS = 50
"""Between the simulator writing an answer and the edge stamping it."""
SETTLE_SECONDS = 120


@dataclass(frozen=True)
class SiteResult:
    site: str
    verdict: Verdict
    gaps: list[Span]
    devices: int

    @property
    def outage_recorded(self) -> bool:
        return any(gap.reason == GAP_EDGE_DOWN for gap in self.gaps)

    @property
    def met(self) -> bool:
        """A recorded gap excuses only the poll that was in progress when the edge was killed: one answer a device."""
        return self.verdict.clean and self.outage_recorded and self.verdict.in_gaps <= self.devices


def survive(stack: Stack, simulator: Simulator, *, outage: float, between: float) -> list[SiteResult]:
    """The whole sequence on a running stack, then the ledger of every site against history.

    `outage`: s that Redis stays away (the others: a quarter of it). `between`: s of quiet around each fault.
    """
    begun = time.time() * 1000
    time.sleep(between)  # healthy telemetry before the first fault
    faults.lose_redis(stack, outage)
    time.sleep(between)
    faults.kill_historian(stack, outage / 4)
    time.sleep(between)
    for site in stack.site_ids:
        faults.kill_edge(stack, site, outage / 4)
    time.sleep(between)
    ended = time.time() * 1000
    with stack.client("platform_admin") as client:
        return [judge(stack, simulator, client, site, begun, ended) for site in stack.site_ids]


def measure(lab: Lab) -> Outcome:
    """Redis away for 20 s and wiped, historian and every edge killed."""
    results = survive(lab.stack, lab.simulator, outage=20, between=15)
    verdicts = [result.verdict for result in results]
    answered, lost = sum(one.answered for one in verdicts), sum(len(one.lost) for one in verdicts)
    duplicated = sum(len(one.duplicated) + len(one.invented) for one in verdicts)
    wrong = sum(len(one.wrong) for one in verdicts)
    cut_off = sum(one.in_gaps for one in verdicts)
    recorded = sum(result.outage_recorded for result in results)
    return Outcome(
        f"{answered} answered reads, {lost} lost, {duplicated} duplicated, {wrong} wrong, "
        f"{cut_off} cut off by the kill of an edge, edge outages "
        f"recorded as gaps at {recorded} of {len(results)} sites",
        "0 lost, 0 duplicated, 0 wrong, every edge outage recorded",
        all(result.met for result in results),
    )


def judge(
    stack: Stack, simulator: Simulator, client: httpx.Client, site: str, begun: float, ended: float
) -> SiteResult:
    """Compare what was answered in `begun..ended` (ms) once history has caught up with it."""
    answers = simulator.answers(site, begun, ended)
    site_id = stack.site_ids[site]
    last = _last_of_each_device(answers)
    counters = [f"{device}.reads" for device in last]

    def caught_up() -> bool:
        stored = history.samples(client, site_id, counters, int(ended) - 5_000, int(ended) + 60_000)
        return all(
            any(value is not None and value >= reads for _, value in stored[f"{device}.reads"])
            for device, reads in last.items()
        )

    eventually(f"the last answers of {site} in history", caught_up, SETTLE_SECONDS, 0.5)

    def settled() -> Verdict | None:
        verdict = _compare(client, site_id, answers, begun, ended)
        return None if verdict.lost else verdict

    try:
        verdict = eventually("backfill", settled, SETTLE_SECONDS, 1.0)
    except TimeoutError:
        verdict = _compare(client, site_id, answers, begun, ended)
    return SiteResult(site, verdict, history.gaps(client, site_id, int(begun), int(ended)), len(last))


def _compare(client: httpx.Client, site_id: int, answers: list[Answer], begun: float, ended: float) -> Verdict:
    keys = sorted({key for answer in answers for key in answer.values})
    stored = history.samples(client, site_id, keys, int(begun) - SLACK_MS, int(ended) + SLACK_MS)
    known = history.gaps(client, site_id, int(begun), int(ended))
    verdict = compare(answers, stored, known, SLACK_MS)
    # The window's edges: a sample of a read just outside it is not invented.
    numbers = _numbers(answers)
    verdict.invented = [one for one in verdict.invented if numbers[one[0]][0] < one[1] < numbers[one[0]][1]]
    return verdict


def _last_of_each_device(answers: list[Answer]) -> dict[str, int]:
    return {answer.device: answer.reads for answer in answers}


def _numbers(answers: list[Answer]) -> Mapping[str, tuple[int, int]]:
    first: dict[str, int] = {}
    for answer in answers:
        first.setdefault(answer.device, answer.reads)
    return {device: (first[device], last) for device, last in _last_of_each_device(answers).items()}
