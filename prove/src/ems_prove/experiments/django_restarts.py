"""Django is restarted again and again while sockets stream: none is dropped, none misses a batch.

Each time some of them send a fresh token while Django is away, so that the service has to ask and gets no answer; and
somebody whose access is known connects anew.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import httpx
from ems_stack.stack import Stack

from ems_prove.audience import PATIENCE, WHO, Tally, audience, caught_up, quiet_site, tokens
from ems_prove.experiment import Outcome
from ems_prove.lab import Lab
from ems_prove.publisher import Publisher
from ems_prove.sockets import Door, LiveSocket, open_socket, until_streaming
from ems_prove.waiting import until

SOCKETS, RESTARTS = 500, 20
EVERY = 0.05
AWAY, BETWEEN = 2.0, 2.0
AIM_LOGIN = 10.0


@dataclass(frozen=True)
class Result:
    """`logins`: s from each start of Django until somebody could log in. `renewals`: fresh tokens sent while it was
    away; `stale_left`: sockets whose access was still unconfirmed at the end. `let_in`: of the newcomers, one each
    time, those that streamed while Django was away."""

    tally: Tally
    logins: list[float]
    renewals: int
    stale_left: int
    let_in: int

    @property
    def met(self) -> bool:
        served = max(self.logins) < AIM_LOGIN and self.let_in == len(self.logins) and not self.stale_left
        return self.tally.clean and self.tally.gaps == 0 and served


def measure(lab: Lab) -> Outcome:
    result = restart(lab.stack, sockets=SOCKETS, restarts=RESTARTS)
    tally = result.tally
    return Outcome(
        f"{tally.dropped} of {tally.viewers} sockets dropped, {tally.lost} of {tally.heard + tally.lost} live frames "
        f"lost, {tally.gaps} gaps over {len(result.logins)} restarts; {result.renewals} tokens renewed meanwhile, "
        f"{result.let_in} of {len(result.logins)} newcomers let in, login after {max(result.logins):.1f} s at most",
        f"0 dropped, 0 lost, every newcomer let in, login within {AIM_LOGIN:.0f} s",
        result.met,
    )


def restart(stack: Stack, *, sockets: int, restarts: int) -> Result:
    """Django is killed with -9 and stopped in good order in turn. Raises TimeoutError if it does not come back."""
    with quiet_site(stack, "Django restarts") as site:
        return asyncio.run(_restart(stack, site.id, sockets, restarts))


async def _restart(stack: Stack, site: int, sockets: int, restarts: int) -> Result:
    known = await asyncio.to_thread(tokens, stack, restarts + 1)
    door = Door.of(stack)
    logins, renewals, let_in = [], 0, 0
    async with Publisher(stack, site, EVERY) as publisher, audience(door, known[:1], site, sockets) as viewers:
        for number in range(restarts):
            await asyncio.to_thread(stack.kill if number % 2 else stack.stop, "backend")
            for viewer in viewers[number::restarts]:
                viewer.renew(known[number + 1])
                renewals += 1
            let_in += await _streams(door, known[0], site)
            await asyncio.sleep(AWAY)  # the length of the outage is the experiment
            began = time.monotonic()
            await asyncio.to_thread(stack.start, "backend", wait=False)
            await asyncio.to_thread(_log_in, stack, began + PATIENCE)
            logins.append(time.monotonic() - began)
            await asyncio.sleep(BETWEEN)
        await asyncio.to_thread(stack.wait_ready, "backend")
        stale_left = await _still_stale(viewers)
        await caught_up(viewers, publisher)
        tally = Tally.of(viewers, publisher)
    return Result(tally, logins, renewals, stale_left, let_in)


async def _streams(door: Door, token: str, site: int) -> bool:
    """Whether somebody with this token is let in now."""
    newcomer = await open_socket(door, token, site)
    try:
        await until_streaming([newcomer], PATIENCE)
    except (ConnectionError, TimeoutError):
        return False
    await newcomer.close()
    return True


def _log_in(stack: Stack, deadline: float) -> None:
    """Returns as soon as somebody can. Raises TimeoutError."""
    account = stack.account(WHO)
    body = {"email": account.email, "password": account.password}
    while time.monotonic() < deadline:
        try:
            if httpx.post(f"{stack.url('backend')}/api/auth/login", json=body, timeout=10, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError("nobody could log in after a restart of Django")


async def _still_stale(viewers: list[LiveSocket]) -> int:
    """After a while; each tries again every few seconds."""
    try:
        await until("access confirmed for everyone", lambda: not any(one.stale for one in viewers), PATIENCE)
    except TimeoutError:
        return sum(one.stale for one in viewers)
    return 0
