"""Two processes of the realtime service that know nothing of each other, behind two ports and behind one: whoever
watches a site hears the same sequence, wherever they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass

from ems_stack import ports
from ems_stack.stack import Stack

from ems_prove.audience import Tally, audience, caught_up, quiet_site, tokens
from ems_prove.experiment import Outcome
from ems_prove.lab import Lab
from ems_prove.live_service import LiveService, log_folder
from ems_prove.publisher import Publisher
from ems_prove.sockets import LiveSocket

SITES, VIEWERS = 3, 100
SECONDS = 30.0
EVERY = 0.01


@dataclass(frozen=True)
class Result:
    """`split`: viewers at each of the two. `alike`: sites whose viewers all heard the same, which is what was
    published. `tallies`: one for each site."""

    split: tuple[int, int]
    tallies: list[Tally]
    alike: int

    @property
    def met(self) -> bool:
        same = self.alike == len(self.tallies) and all(one.clean and one.gaps == 0 for one in self.tallies)
        return same and min(self.split) > 0


def measure(lab: Lab) -> Outcome:
    two, one = (compare(lab.stack, shared=shared, viewers=VIEWERS, seconds=SECONDS) for shared in (False, True))
    batches = sum(tally.published for result in (two, one) for tally in result.tallies)
    return Outcome(
        f"{batches} batches of {SITES} sites; two ports, {two.split[0]} and {two.split[1]} viewers: the same sequence "
        f"at {two.alike} of {SITES} sites; one port, {one.split[0]} and {one.split[1]} viewers: at {one.alike} of "
        f"{SITES}; {_missed(two)} and {_missed(one)} batches missed or repeated",
        "the same sequence everywhere, nothing missed",
        two.met and one.met,
    )


def compare(stack: Stack, *, shared: bool, viewers: int, seconds: float) -> Result:
    """`shared`: behind one port. `viewers` of each site."""
    with ExitStack() as opened:
        sites = [opened.enter_context(quiet_site(stack, f"Two processes {number}")).id for number in range(SITES)]
        services = opened.enter_context(_two(stack, shared))
        return asyncio.run(_compare(stack, services, sites, viewers, seconds))


@contextmanager
def _two(stack: Stack, shared: bool) -> Iterator[list[LiveService]]:
    options = ["--reuse-port"] if shared else []
    both = ports.free_ports(2)
    numbers = [both[0], both[0]] if shared else both
    with log_folder() as folder, ExitStack() as opened:
        yield [
            opened.enter_context(LiveService(stack, *options, port=port, log=folder / f"{number}.log"))
            for number, port in enumerate(numbers)
        ]


async def _compare(stack: Stack, services: list[LiveService], sites: list[int], viewers: int, seconds: float) -> Result:
    token = await asyncio.to_thread(tokens, stack, 1)
    async with AsyncExitStack() as opened:
        publishers = [await opened.enter_async_context(Publisher(stack, site, EVERY)) for site in sites]
        crowds: list[list[LiveSocket]] = []
        for site in sites:
            crowd: list[LiveSocket] = []
            for service in services:
                crowd += await opened.enter_async_context(audience(service.door, token, site, viewers // 2))
            crowds.append(crowd)
        await asyncio.sleep(seconds)  # how long they listen is the experiment
        for crowd, publisher in zip(crowds, publishers, strict=True):
            await caught_up(crowd, publisher)
        at_first = len(services[0].clients)
        tallies = [Tally.of(crowd, publisher) for crowd, publisher in zip(crowds, publishers, strict=True)]
        alike = sum(_alike(crowd, publisher.last) for crowd, publisher in zip(crowds, publishers, strict=True))
    return Result((at_first, sum(map(len, crowds)) - at_first), tallies, alike)


def _alike(crowd: list[LiveSocket], published: int) -> bool:
    """Whether each heard every seq from its snapshot on to the last one published, once and in order."""
    return all(
        (one.ledger.first or 0) + one.ledger.heard == one.ledger.last == published
        and not (one.ledger.holes or one.ledger.repeated)
        for one in crowd
    )


def _missed(result: Result) -> int:
    return sum(tally.lost + tally.repeated for tally in result.tallies)
