"""A setpoint was given for some seconds, and Redis dies: is the default in force when they are over?

The simulator's register is looked at all the time; what is measured is how long after the lease's end it holds the
default again. The edge has no connection then, and the backend nothing to say it with.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from ems_stack.stack import Stack

from ems_prove.experiment import Outcome
from ems_prove.experiments.command_round_trip import DEVICE, NAME, POINT, SITE
from ems_prove.lab import Lab
from ems_prove.simulator import Simulator
from ems_prove.waiting import eventually

VALUE = -7_500.0
POLL = 1.0
"""s between two reads of the edge; the aim is one of them."""
TRIALS = 5


@dataclass(frozen=True)
class Trial:
    """`late`: s from the lease's end to the default in the register; `told`: what became of the command at last."""

    late: float
    told: str


def measure_lease(stack: Stack, simulator: Simulator, lease: int) -> Trial:
    """Redis is killed once the value is in force, and comes back, as it was, when the default is."""
    with stack.client(stack.account("operator").email) as client:
        given = _verified(client, stack, lease)
        stack.kill("redis")
        try:
            ends = _seconds(given["lease_until"])
            while simulator.value(SITE, DEVICE, NAME) != 0.0:
                if time.time() > ends + 20:
                    return Trial(float("inf"), "nothing")
                time.sleep(0.01)
            late = time.time() - ends
        finally:
            stack.start("redis")

        def reverted() -> str | None:
            now = client.get(f"/api/commands/{given['id']}").json()
            return f"{now['state']} {now['reason']}" if now.get("state") == "reverted" else None

        return Trial(late, eventually("the backend hears of it", reverted, 60))


def _verified(client: httpx.Client, stack: Stack, lease: int) -> dict[str, Any]:
    site = stack.site_ids[SITE]
    found = client.get("/api/points", params={"site": site, "page_size": 500}).raise_for_status().json()["results"]
    point = next(one["id"] for one in found if one["key"] == POINT)

    def give() -> dict[str, Any] | None:
        """Right after an outage nobody may take it yet."""
        answer = client.post("/api/commands", json={"site": site, "point": point, "value": VALUE, "lease": lease})
        return answer.json() if answer.status_code == 201 else None

    given = eventually("a command is taken", give, 30)

    def in_force() -> dict[str, Any] | None:
        now: dict[str, Any] = client.get(f"/api/commands/{given['id']}").json()
        return now if now.get("state") == "verified" else None

    return eventually("it is in force", in_force, 30)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def measure(lab: Lab) -> Outcome:
    """Five leases of 10 s."""
    trials = [measure_lease(lab.stack, lab.simulator, 10) for _ in range(TRIALS)]
    late, told = max(trial.late for trial in trials), sum(trial.told == "reverted lease_ended" for trial in trials)
    return Outcome(
        f"default in force {late * 1000:.0f} ms after the lease's end at most, with Redis dead; "
        f"{told} of {len(trials)} reverts told afterwards",
        f"within one cycle, {POLL:g} s; all told",
        min(trial.late for trial in trials) >= -0.1 and late <= POLL and told == len(trials),
    )
