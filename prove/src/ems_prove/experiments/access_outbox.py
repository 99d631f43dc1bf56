"""Access changes while the worker is dead and Redis is away; when both are back, every change has been told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx
from ems_contract import keys
from ems_stack.stack import Stack

from ems_prove.experiment import Outcome
from ems_prove.experiments.revocation import OTHERS, REVOKED, TURNED_AWAY, Scene, beacon
from ems_prove.lab import Lab
from ems_prove.listener import until_streaming
from ems_prove.waiting import eventually

ROUNDS = 5
PATIENCE = 60.0


@dataclass(frozen=True)
class Round:
    """`told`: how many of the `changed` people have a new epoch. `ended`: the revoked person's open socket closed."""

    changed: int
    told: int
    ended: bool


def measure(lab: Lab) -> Outcome:
    rounds = [asyncio.run(survive(lab.stack)) for _ in range(ROUNDS)]
    changed, told = sum(one.changed for one in rounds), sum(one.told for one in rounds)
    ended = sum(one.ended for one in rounds)
    return Outcome(
        f"{told} of {changed} changes told, {ended} of {ROUNDS} open sockets of the revoked person ended",
        "all of them",
        told == changed and ended == ROUNDS,
    )


async def survive(stack: Stack) -> Round:
    """The worker killed with -9, a change, Redis killed, more changes, the worker killed again while it retries."""
    scene = Scene(stack)
    people = _ids(stack)
    before = {user: _epoch(stack, user) for user in people.values()}
    with beacon(stack, scene.site):
        watching = scene.listen(REVOKED)
        await until_streaming([watching], PATIENCE)
        await asyncio.to_thread(_break_and_mend, stack, scene.site, people)
        async with asyncio.timeout(PATIENCE):
            await watching.task
    told = sum(_epoch(stack, user) > epoch for user, epoch in before.items())
    _grant(stack, people[REVOKED], scene.site)
    return Round(len(people), told, watching.close_code in TURNED_AWAY)


def _break_and_mend(stack: Stack, site: int, people: dict[str, int]) -> None:
    stack.kill("worker")
    _sql(stack, "DELETE FROM sites_siteaccess WHERE user_id = %s AND site_id = %s", people[REVOKED], site)
    stack.kill("redis")
    for who in OTHERS:
        _sql(stack, "UPDATE accounts_user SET name = name || '.' WHERE id = %s", people[who])
    stack.start("worker", wait=False)
    eventually("the worker that misses Redis", lambda: _says_failing(stack), PATIENCE)
    stack.kill("worker")
    stack.start("redis")
    stack.start("worker")
    eventually("the empty outbox", lambda: not _sql(stack, "SELECT id FROM accounts_accesschange"), PATIENCE)


def _says_failing(stack: Stack) -> bool:
    try:
        answer = httpx.get(f"{stack.url('worker')}/readyz", timeout=5, trust_env=False)
    except httpx.TransportError:
        return False
    return "failing since" in str(answer.json().get("missing", {}).get("access changes"))


def _ids(stack: Stack) -> dict[str, int]:
    rows = _sql(stack, "SELECT email, id FROM accounts_user WHERE email = ANY (%s)", [REVOKED, *OTHERS])
    return {str(email): int(str(number)) for email, number in rows}


def _epoch(stack: Stack, user: int) -> int:
    with stack.redis() as client:
        return int(client.get(keys.user_epoch(user)) or 0)


def _grant(stack: Stack, user: int, site: int) -> None:
    query = (
        "INSERT INTO sites_siteaccess (user_id, site_id, organization_id, role) "
        "SELECT %s, id, organization_id, 'viewer' FROM sites_site WHERE id = %s"
    )
    _sql(stack, query, user, site)


def _sql(stack: Stack, query: str, *values: object) -> list[tuple[object, ...]]:
    """A change past every line of Python, in a transaction of its own."""
    with stack.database() as database:
        cursor = database.execute(query, values)
        return list(cursor.fetchall()) if cursor.description else []
