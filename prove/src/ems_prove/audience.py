"""Many viewers of one site: their tokens, their sockets, and what they heard against what was published."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx
from ems_stack.stack import Stack

from ems_prove.own_site import OwnSite, own_site
from ems_prove.publisher import Publisher
from ems_prove.sockets import Door, LiveSocket, open_socket, unheard, until_streaming
from ems_prove.waiting import until

WHO = "platform_admin"
"""May view every site, that of an experiment's own too."""
AT_ONCE = 50
"""Handshakes on their way at a time; more would only queue up."""
PATIENCE = 60.0
SETTLE_SECONDS = 15.0


@contextmanager
def quiet_site(stack: Stack, name: str) -> Iterator[OwnSite]:
    """A site on which nobody publishes but the experiment."""
    with stack.client(WHO) as client, own_site(stack, client, name) as site:
        yield site


def tokens(stack: Stack, count: int, who: str = WHO) -> list[str]:
    """So many different access tokens of one person, as a browser gets them: one login, then its cookie again and
    again. Raises httpx.HTTPError."""
    account = stack.account(who)
    login = {"email": account.email, "password": account.password}
    with httpx.Client(base_url=stack.url("backend"), timeout=30, trust_env=False) as client:
        answers = [client.post("/api/auth/login", json=login).raise_for_status()]
        answers += [client.post("/api/auth/refresh").raise_for_status() for _ in range(count - 1)]
    return [str(answer.json()["access"]) for answer in answers]


@asynccontextmanager
async def audience(
    door: Door,
    their_tokens: Sequence[str],
    site: int,
    count: int,
    on_batch: Callable[[int, float], None] = unheard,
) -> AsyncIterator[list[LiveSocket]]:
    """`count` sockets with these tokens in turn, all streaming; those that are left are closed at the end."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> LiveSocket:
        async with turn:
            made = await open_socket(door, their_tokens[number % len(their_tokens)], site, on_batch=on_batch)
            await until_streaming([made], PATIENCE)
            return made

    sockets = await asyncio.gather(*(one(number) for number in range(count)))
    try:
        yield sockets
    finally:
        await asyncio.gather(*(each.close() for each in sockets))


@dataclass(frozen=True)
class Tally:
    """Of all viewers together. `dropped`: connections that ended. `lost`: batches that were published, not heard and
    not announced as missing. `bridged`: not heard, but announced by a gap."""

    viewers: int
    published: int
    heard: int
    dropped: int
    lost: int
    repeated: int
    gaps: int
    bridged: int

    @property
    def clean(self) -> bool:
        return self.heard > 0 and not (self.dropped or self.lost or self.repeated)

    @classmethod
    def of(cls, sockets: Sequence[LiveSocket], publisher: Publisher) -> Tally:
        ledgers = [one.ledger for one in sockets]
        return cls(
            viewers=len(sockets),
            published=publisher.last,
            heard=sum(one.heard for one in ledgers),
            dropped=sum(one.over.done() or bool(one.fault) for one in sockets),
            lost=sum(len(one.missing(publisher.last) - publisher.unconfirmed) for one in ledgers),
            repeated=sum(one.repeated for one in ledgers),
            gaps=sum(one.gaps for one in ledgers),
            bridged=sum(bridge.last - bridge.first + 1 for one in ledgers for bridge in one.bridged),
        )


async def caught_up(sockets: Sequence[LiveSocket], publisher: Publisher) -> None:
    """Stops the publisher and waits until everyone who is still there has its last batch, or cannot get it any more."""
    last = await publisher.pause()

    def all_there() -> bool:
        return all(one.over.done() or one.ledger.last >= last for one in sockets)

    try:
        await until("the last batch", all_there, SETTLE_SECONDS)
    except TimeoutError:
        return  # whoever does not have it is counted by the tally
