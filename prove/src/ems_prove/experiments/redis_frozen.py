"""Redis is frozen (SIGSTOP): it holds every connection and answers nothing. Is it noticed, and is what was missed told?

Batches go on being handed to it; what its sockets took meanwhile it publishes when it thaws, to whoever still listens.
Each batch that a viewer did not get must be covered by the gap that it was told of.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ems_stack.stack import Stack

from ems_prove.audience import Tally, audience, caught_up, quiet_site, tokens
from ems_prove.experiment import Outcome
from ems_prove.lab import Lab
from ems_prove.publisher import Publisher
from ems_prove.sockets import Door, LiveSocket
from ems_prove.waiting import until

SOCKETS, FROZEN_SECONDS = 200, 30.0
EVERY = 0.05
QUIET = 3.0
DEADLINE, AIM_DETECTED, AIM_REBUILT = 5.0, 8.0, 10.0
"""The service's own deadline; with the second between two pings and the page's sight of it; after the thaw."""


@dataclass(frozen=True)
class Result:
    """s: `detected` from the freeze until each viewer was told that Redis is not heard, `rebuilt` from the thaw until
    each had a gap, a snapshot and a fresh batch. `uncovered`: batches missed that no gap's `since` reaches back to."""

    tally: Tally
    detected: list[float]
    rebuilt: list[float]
    uncovered: int

    @property
    def met(self) -> bool:
        everyone = len(self.detected) == len(self.rebuilt) == self.tally.viewers
        told = self.tally.gaps >= self.tally.viewers and self.uncovered == 0
        in_time = max(self.detected) < AIM_DETECTED and max(self.rebuilt) < AIM_REBUILT
        return self.tally.clean and everyone and told and in_time


def measure(lab: Lab) -> Outcome:
    result = freeze(lab.stack, sockets=SOCKETS, seconds=FROZEN_SECONDS)
    tally = result.tally
    return Outcome(
        f"frozen for {FROZEN_SECONDS:.0f} s: {tally.viewers} viewers told after {max(result.detected):.1f} s at most, "
        f"streaming again {max(result.rebuilt):.1f} s at most after the thaw; {tally.dropped} dropped, {tally.bridged} "
        f"batches announced as missing by {tally.gaps} gaps, {tally.lost + result.uncovered} not announced",
        f"told within {AIM_DETECTED:.0f} s, streaming within {AIM_REBUILT:.0f} s, 0 dropped, all that was missed told",
        result.met,
    )


def freeze(stack: Stack, *, sockets: int, seconds: float) -> Result:
    """`seconds` must be more than the service's deadline. Raises TimeoutError if somebody is never told."""
    with quiet_site(stack, "Redis frozen") as site:
        return asyncio.run(_freeze(stack, site.id, sockets, seconds))


async def _freeze(stack: Stack, site: int, sockets: int, seconds: float) -> Result:
    token = await asyncio.to_thread(tokens, stack, 1)
    back: dict[LiveSocket, float] = {}
    async with Publisher(stack, site, EVERY) as publisher, audience(Door.of(stack), token, site, sockets) as viewers:
        await asyncio.sleep(QUIET)  # healthy telemetry before the fault
        with _frozen(stack):
            frozen_at = time.monotonic()
            await until("everyone is told", lambda: not any(one.live for one in viewers), 2 * AIM_DETECTED)
            detected = [next(at for at, live in one.told if not live) - frozen_at for one in viewers]
            await asyncio.sleep(frozen_at + seconds - time.monotonic())  # the length of the outage is the experiment
        thawed_at = time.monotonic()
        await until("everyone streams again", lambda: _streams_again(viewers, back), 3 * AIM_REBUILT)
        await asyncio.sleep(QUIET)  # healthy telemetry behind it
        await caught_up(viewers, publisher)
        tally = Tally.of(viewers, publisher)
    return Result(tally, detected, [at - thawed_at for at in back.values()], _uncovered(viewers, publisher))


@contextmanager
def _frozen(stack: Stack) -> Iterator[None]:
    stack.pause("redis")
    try:
        yield
    finally:
        stack.resume("redis")


def _streams_again(viewers: Sequence[LiveSocket], back: dict[LiveSocket, float]) -> bool:
    """Notes in `back` when a viewer first had a batch behind its gap."""
    for one in viewers:
        bridged = one.ledger.bridged
        if one not in back and one.live and bridged and one.ledger.last > bridged[-1].last:
            back[one] = time.monotonic()
    return len(back) == len(viewers)


def _uncovered(viewers: Sequence[LiveSocket], publisher: Publisher) -> int:
    """Batches that were missed, and sent before the moment from which the gap says that something may be missing."""
    return sum(
        publisher.sent[seq] < bridge.since
        for one in viewers
        for bridge in one.ledger.bridged
        for seq in range(bridge.first, bridge.last + 1)
    )
