"""A thousand browsers lose the live service at once and come back. How long until all stream, and what does Django see?

Each has a token of its own, so nobody can share another's answer. Twice: as it happens (the service killed with -9,
their access still cached in Redis), and at its worst (all at the same instant, nothing cached).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ems_stack.stack import Stack

from ems_prove.audience import PATIENCE, quiet_site, tokens
from ems_prove.experiment import Outcome, percentile
from ems_prove.lab import Lab
from ems_prove.live_service import LiveService, log_folder
from ems_prove.publisher import Publisher
from ems_prove.regulars import Regular, regulars
from ems_prove.turnstile import Turnstile, busiest
from ems_prove.waiting import until

SOCKETS = 1_000
EVERY = 0.2
AIM_BACK, AIM_RATE = 30.0, 50
_LOGINS = 4


@dataclass(frozen=True)
class Storm:
    """`back`: s, for each socket, from the moment that the service is there again until it streams. `validations`:
    questions that Django was asked meanwhile; `rate`: the most within any second. `attempts`: connections made."""

    back: list[float]
    validations: int
    rate: int
    attempts: int

    @property
    def met(self) -> bool:
        return max(self.back) < AIM_BACK and self.rate <= AIM_RATE

    @property
    def text(self) -> str:
        return (
            f"all back after {max(self.back):.1f} s (median {percentile(self.back, 0.5):.1f} s, {self.attempts} "
            f"connections), {self.validations} validations, at most {self.rate} in a second"
        )


def measure(lab: Lab) -> Outcome:
    killed, cold = storm(lab.stack, sockets=SOCKETS)
    return Outcome(
        f"{SOCKETS} sockets, service killed: {killed.text}; all at one instant and nothing cached: {cold.text}",
        f"back within {AIM_BACK:.0f} s, at most {AIM_RATE} validations in any second",
        killed.met and cold.met,
    )


def storm(stack: Stack, *, sockets: int) -> tuple[Storm, Storm]:
    """-> as it happens, and at its worst. Raises TimeoutError if somebody does not come back at all."""
    with quiet_site(stack, "Reconnect storm") as site, log_folder() as folder:
        with ThreadPoolExecutor(_LOGINS) as pool:
            made = [pool.submit(tokens, stack, -(-sockets // _LOGINS)) for _ in range(_LOGINS)]
        theirs = [token for each in made for token in each.result()][:sockets]
        return asyncio.run(_storm(stack, site.id, theirs, LiveService(stack, log=folder / "service.log")))


async def _storm(stack: Stack, site: int, theirs: Sequence[str], service: LiveService) -> tuple[Storm, Storm]:
    turnstile = Turnstile(stack.url("backend"))
    service.ask(await turnstile.start())
    try:
        with service:
            async with Publisher(stack, site, EVERY):
                async with regulars(service.door, theirs, site, PATIENCE) as everyone:
                    killed = await _killed(service, everyone, turnstile)
                await asyncio.to_thread(_forget_grants, stack)
                cold = await _cold(service, theirs, site, turnstile)
    finally:
        await turnstile.stop()
    return killed, cold


async def _killed(service: LiveService, everyone: Sequence[Regular], turnstile: Turnstile) -> Storm:
    before, lives = len(turnstile.passed), sum(len(one.lives) for one in everyone)
    await asyncio.to_thread(service.kill)
    await until("everyone has lost it", lambda: not any(one.streams for one in everyone), PATIENCE)
    await asyncio.to_thread(service.start)
    began = time.monotonic()
    await until("everyone back", lambda: all(one.streams for one in everyone), 3 * AIM_BACK)
    back = [(one.life.streaming or began) - began for one in everyone]
    asked = turnstile.passed[before:]
    return Storm(back, len(asked), busiest(asked), sum(len(one.lives) for one in everyone) - lives)


async def _cold(service: LiveService, theirs: Sequence[str], site: int, turnstile: Turnstile) -> Storm:
    before = len(turnstile.passed)
    began = time.monotonic()
    async with regulars(service.door, theirs, site, 3 * AIM_BACK) as everyone:
        back = [(one.life.streaming or began) - began for one in everyone]
        lives = sum(len(one.lives) for one in everyone)
    asked = turnstile.passed[before:]
    return Storm(back, len(asked), busiest(asked), lives)


def _forget_grants(stack: Stack) -> None:
    """Nobody's access is cached any more."""
    with stack.redis() as client:
        for key in client.scan_iter("grant:*", count=1_000):
            client.delete(key)
