"""Ten thousand sockets come and go, in every way that they can: nothing of them is left behind.

What Redis says of the subscriptions is what counts, and what the kernel says of memory and descriptors.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ems_contract import keys
from ems_stack.stack import Stack

from ems_prove.audience import PATIENCE, quiet_site, tokens
from ems_prove.experiment import Outcome
from ems_prove.lab import Lab
from ems_prove.live_service import LiveService, log_folder
from ems_prove.publisher import Publisher
from ems_prove.sockets import Door, open_socket, until_streaming
from ems_prove.waiting import until

CYCLES, WARM_UP = 10_000, 2_000
AT_ONCE = 50
EVERY = 0.1
AIM_GROWTH = 0.05
SETTLE_SECONDS = 5.0
"""A goodbye that is not answered is waited for, and so is a memory allocator."""

Way = Callable[[Door, str, int], Awaitable[None]]


@dataclass(frozen=True)
class Result:
    """`before`, `after`: resident MB, descriptors. `subscriptions`: to the site's channel, as Redis counts them while
    they come and go (at its most) and afterwards."""

    cycles: int
    seconds: float
    before: tuple[float, int]
    after: tuple[float, int]
    most_subscriptions: int
    subscriptions: int

    @property
    def growth(self) -> float:
        return self.after[0] / self.before[0] - 1

    @property
    def leaked(self) -> bool:
        return self.subscriptions > 0 or self.after[1] > self.before[1]

    @property
    def met(self) -> bool:
        return self.growth < AIM_GROWTH and not self.leaked and self.most_subscriptions > 0


def measure(lab: Lab) -> Outcome:
    result = cycle(lab.stack, cycles=CYCLES, warm_up=WARM_UP)
    return Outcome(
        f"{result.cycles:,} sockets in {result.seconds:.0f} s: resident {result.before[0]:.1f} MB before, "
        f"{result.after[0]:.1f} MB after ({result.growth:+.1%}), descriptors {result.before[1]} and {result.after[1]}, "
        f"{result.subscriptions} subscriptions left",
        f"memory within {AIM_GROWTH:.0%}, nothing left",
        result.met,
    )


def cycle(stack: Stack, *, cycles: int, warm_up: int) -> Result:
    """`warm_up`: cycles before the first measurement, in which caches and arenas get their size."""
    with quiet_site(stack, "Connect cycles") as site, log_folder() as folder:
        token = tokens(stack, 1)[0]
        with LiveService(stack, log=folder / "service.log") as service:
            return asyncio.run(_cycle(stack, service, token, site.id, cycles, warm_up))


async def _cycle(stack: Stack, service: LiveService, token: str, site: int, cycles: int, warm_up: int) -> Result:
    async with Publisher(stack, site, EVERY):
        await _come_and_go(service.door, token, site, warm_up)
        before = await _settled(stack, service, site)
        began = time.monotonic()
        most = 0
        batches = 10
        for _ in range(batches):
            coming = asyncio.create_task(_come_and_go(service.door, token, site, cycles // batches))
            while not coming.done():
                most = max(most, await asyncio.to_thread(_subscriptions, stack, site))
                await asyncio.wait({coming}, timeout=0.2)
            await coming
        seconds = time.monotonic() - began
        after = await _settled(stack, service, site)
    return Result(cycles, seconds, before, after, most, await asyncio.to_thread(_subscriptions, stack, site))


async def _come_and_go(door: Door, token: str, site: int, count: int) -> None:
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with turn:
            await WAYS[number % len(WAYS)](door, token, site)

    await asyncio.gather(*(one(number) for number in range(count)))


async def _settled(stack: Stack, service: LiveService, site: int) -> tuple[float, int]:
    """Memory and descriptors once everyone has gone."""
    with contextlib.suppress(TimeoutError):  # it is counted as a leak
        await until("no viewer is left", lambda: _subscriptions(stack, site) == 0, SETTLE_SECONDS)
    await asyncio.sleep(SETTLE_SECONDS)  # what memory is then is the measurement
    return service.memory, service.descriptors


def _subscriptions(stack: Stack, site: int) -> int:
    """As Redis counts them. No other service watches this site."""
    with stack.redis() as client:
        ((_, count),) = client.pubsub_numsub(keys.telemetry_channel(site))
        return int(count)


# The ways to go ---------------------------------------------------------------------------------------------------


async def _politely(door: Door, token: str, site: int) -> None:
    one = await open_socket(door, token, site)
    await until_streaming([one], PATIENCE)
    await one.close()


async def _by_a_reset(door: Door, token: str, site: int) -> None:
    one = await open_socket(door, token, site)
    await until_streaming([one], PATIENCE)
    one.abort()


async def _before_the_snapshot(door: Door, token: str, site: int) -> None:
    one = await open_socket(door, token, site)
    await until("the handshake", lambda: one.status, PATIENCE)
    one.abort()


async def _without_a_word(door: Door, token: str, site: int) -> None:  # noqa: ARG001 -- one of the WAYS
    """A connection that never asks for anything."""
    _, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.close()
    await writer.wait_closed()


WAYS: tuple[Way, ...] = (_politely, _by_a_reset, _before_the_snapshot, _politely, _by_a_reset, _without_a_word)
