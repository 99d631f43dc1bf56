"""A stolen edge key: what it opens in Redis beyond its own edge, and how long after its revocation."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import httpx
import msgspec
import redis
from ems_contract import keys
from ems_contract.provisioning import RedisAccess, SessionAnswer
from ems_stack.stack import Stack
from redis.backoff import NoBackoff
from redis.retry import Retry

from ems_prove.experiment import Outcome, percentile
from ems_prove.lab import Lab
from ems_prove.thief import Command, attempts

ROUNDS = 20
AIM_SECONDS = 1.0
GIVE_UP = 10.0


@dataclass(frozen=True)
class Stolen:
    """An edge made for the experiment, and a key of it."""

    site: int
    edge: int
    key_id: int
    access: RedisAccess


def measure(lab: Lab) -> Outcome:
    return judged(*try_keys(lab.stack, ROUNDS))


def judged(tried: int, through: list[Command], dead_after: list[float]) -> Outcome:
    worst = max(dead_after)
    named = f" (not: {', '.join(' '.join(each) for each in through[:3])})" if through else ""
    return Outcome(
        f"{tried - len(through)} of {tried} hostile commands refused{named}; {len(dead_after)} open connections of a "
        f"revoked key dead after {percentile(dead_after, 0.5) * 1000:.0f} ms, at most {worst * 1000:.0f} ms",
        f"all refused, dead within {AIM_SECONDS:g} s",
        tried > 0 and not through and worst < AIM_SECONDS,
    )


def try_keys(stack: Stack, rounds: int) -> tuple[int, list[Command], list[float]]:
    """(commands tried, those that were not refused, seconds until each open connection of a revoked key was dead)"""
    mine, other = stack.sites[0], stack.sites[-1]
    dead_after: list[float] = []
    with stack.client("platform_admin") as client, an_edge(client, mine.id) as edge:
        stolen = new_key(stack, client, mine.id, edge)
        hostile = attempts(mine.id, edge, other.id, other.edge_id)
        with closing(connect(stolen.access)) as thief:
            through = [command for command in hostile if not refused(thief, command)]
        for _ in range(rounds):
            dead_after += revoke(client, stolen)
            stolen = new_key(stack, client, mine.id, edge)
        revoke(client, stolen)
    return len(hostile), through, dead_after


@contextmanager
def an_edge(client: httpx.Client, site: int) -> Iterator[int]:
    """An edge that no process plays, so that nobody is disturbed."""
    made = client.post("/api/edges", json={"site": site, "name": "Stolen"}).raise_for_status().json()
    try:
        yield made["id"]
    finally:
        for key in client.get(f"/api/edges/{made['id']}/keys").raise_for_status().json()["results"]:
            client.delete(f"/api/edge-keys/{key['id']}").raise_for_status()
        client.delete(f"/api/edges/{made['id']}").raise_for_status()


def new_key(stack: Stack, client: httpx.Client, site: int, edge: int) -> Stolen:
    key = client.post(f"/api/edges/{edge}/keys").raise_for_status().json()
    answer = httpx.post(
        f"{stack.url('backend')}/api/edge/session",
        json={"boot": str(uuid.uuid4()), "software": "thief"},
        headers={"Authorization": f"Bearer {key['key']}"},
        trust_env=False,
    ).raise_for_status()
    return Stolen(site, edge, key["id"], msgspec.json.decode(answer.content, type=SessionAnswer).redis)


def connect(access: RedisAccess) -> redis.Redis:
    """One connection, which is never opened again by itself."""
    return redis.Redis.from_url(
        access.url,
        username=access.username,
        password=access.password,
        retry=Retry(NoBackoff(), 0),
        single_connection_client=True,
        socket_timeout=GIVE_UP,
    )


def refused(thief: redis.Redis, command: Command) -> bool:
    """Whether Redis said NOPERM; another error means that the command came through to its work."""
    try:
        thief.execute_command(*command)  # type: ignore[no-untyped-call]
    except redis.exceptions.NoPermissionError:
        return True
    except redis.ResponseError:
        return False
    return False


def revoke(client: httpx.Client, stolen: Stolen) -> list[float]:
    """Seconds from asking for it to the end of a connection that works, one that listens and one that waits."""
    stream, backfill = (keys.telemetry_stream(stolen.site, stolen.edge, lane) for lane in keys.LANES)
    with ExitStack() as opened:
        working, listening, waiting = (opened.enter_context(closing(connect(stolen.access))) for _ in range(3))
        ends = (
            lambda: working.xlen(stream),
            _silence(listening, "SUBSCRIBE", keys.config_changed_channel(stolen.edge)),
            _silence(waiting, "XREAD", "BLOCK", "0", "STREAMS", backfill, "$"),
        )
        with ThreadPoolExecutor(len(ends)) as watchers:
            watching = [watchers.submit(_dead, act) for act in ends]
            started = time.monotonic()
            client.delete(f"/api/edge-keys/{stolen.key_id}").raise_for_status()
            return [one.result() - started for one in watching]


def _silence(connected: redis.Redis, *command: str) -> Callable[[], object]:
    """Send a command, and then only listen."""
    connection = connected.connection
    if connection is None:
        raise RuntimeError("a client of one connection has one")
    connection.send_command(*command)  # type: ignore[no-untyped-call]
    return lambda: connection.read_response(timeout=GIVE_UP)


def _dead(act: Callable[[], object]) -> float:
    """When it failed because the connection is gone."""
    deadline = time.monotonic() + GIVE_UP
    while time.monotonic() < deadline:
        try:
            act()
            time.sleep(0.002)  # as often as is worth measuring
        except (redis.ConnectionError, redis.AuthenticationError):
            return time.monotonic()
        except redis.TimeoutError:
            break
    return time.monotonic()
