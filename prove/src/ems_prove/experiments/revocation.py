"""Permission is taken away in the Django admin while the person watches, and while more of their tabs are just opening.

How long until the last frame of the site, from the moment the admin's form is sent? A numbered batch is published 20
times a second on top of what the site's edge sends, so that a frame that leaves too late is seen, and a batch that
somebody else misses too.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from ems_contract import keys
from ems_contract.frames import CloseCode
from ems_contract.telemetry import Batch, Reading, encode_batch
from ems_stack.client import LoggedIn
from ems_stack.stack import Stack

from ems_prove.admin import Admin, Form
from ems_prove.experiment import Outcome, percentile
from ems_prove.lab import Lab
from ems_prove.listener import Listener, until_streaming

SITE = "factory"
REVOKED = "viewer@nordwerk.example"
OTHERS = ("orgadmin@nordwerk.example", "manager@nordwerk.example", "operator@nordwerk.example")
EDGE = "edge_999999"
BEAT = 0.05
DOORWAY_PAUSE = 0.02
AFTER = 0.5
RENEW_AFTER = 240.0
AIM = 1.0
PATIENCE = 30.0
TURNED_AWAY = frozenset({CloseCode.FORBIDDEN, CloseCode.GRANT_REVOKED})


@dataclass(frozen=True)
class Trial:
    """`last_frame`: s from sending the admin's form to the last frame that any socket of the person got, 0 if none
    came after it. `doorway`: sockets that were opened meanwhile. `wrongly_closed`: how often one of the person's
    sockets ended with another code than those that mean "you may not"."""

    last_frame: float
    sockets: int
    doorway: int
    wrongly_closed: int


@dataclass(frozen=True)
class Result:
    """`interrupted`: of the `others`, how many were closed, told of a gap or missed a batch."""

    trials: list[Trial]
    others: int
    interrupted: int

    @property
    def last_frames(self) -> list[float]:
        return [trial.last_frame for trial in self.trials]


def measure(lab: Lab) -> Outcome:
    """50 trials with 100 sockets of the person and 100 of others."""
    result = asyncio.run(revoke(lab.stack, trials=50, sockets=100, others=100))
    median, p99 = percentile(result.last_frames, 0.5), percentile(result.last_frames, 0.99)
    doorway = sum(trial.doorway for trial in result.trials)
    wrong = sum(trial.wrongly_closed for trial in result.trials)
    return Outcome(
        f"last frame {median * 1000:.0f} ms (median), {p99 * 1000:.0f} ms (p99) after the admin's click, over "
        f"{len(result.trials)} trials with 100 open sockets and {doorway} that were just connecting; "
        f"{result.interrupted} of {result.others} others interrupted, {wrong} sockets closed for a wrong reason",
        f"p99 under {AIM:g} s, nobody else interrupted",
        p99 < AIM and result.interrupted == 0 and wrong == 0,
    )


async def revoke(stack: Stack, *, trials: int, sockets: int, others: int) -> Result:
    """Raises TimeoutError when a socket neither streams nor ends in time."""
    scene = Scene(stack)
    with Admin(stack) as admin, beacon(stack, scene.site):
        async with scene.audience(OTHERS, others) as audience:
            done = []
            for _ in range(trials):
                await scene.renew(audience)
                done.append(await scene.trial(admin, sockets))
            interrupted = sum(listener.interrupted for listener in audience)
    return Result(done, others, interrupted)


async def revoke_token(stack: Stack) -> Trial:
    """An integrator's access token of the person streams; it is revoked over the API. Their browser goes on."""
    scene = Scene(stack)
    with beacon(stack, scene.site), stack.client(REVOKED) as client:
        expires = datetime.now(UTC) + timedelta(days=1)
        wanted = {"name": "an integration", "scopes": ["read"], "sites": None, "expires": expires.isoformat()}
        answer = await asyncio.to_thread(lambda: client.post("/api/access-tokens", json=wanted).raise_for_status())
        token = answer.json()
        integrator = Listener(stack.url("ws"), stack.url("web"), token["token"], scene.site, EDGE)
        async with scene.audience((REVOKED,), 1) as browser:
            await until_streaming([integrator], PATIENCE)
            began = time.monotonic()
            path = f"/api/access-tokens/{token['id']}"
            await asyncio.to_thread(lambda: client.delete(path).raise_for_status())
            async with asyncio.timeout(PATIENCE):
                await integrator.task
            wrong = sum(one.over for one in browser) + (integrator.close_code not in TURNED_AWAY)
    return Trial(max(0.0, (integrator.last_frame or began) - began), 1, 0, wrong)


class Scene:
    """One site of the stack, the people who watch it and their tokens."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.site = stack.site_ids[SITE]
        self._logins = {who: self._login(who) for who in (REVOKED, *OTHERS)}
        self._renewed = time.monotonic()

    def _login(self, who: str) -> LoggedIn:
        account = self._stack.account(who)
        return LoggedIn(self._stack.url("backend"), account.email, account.password)

    def listen(self, who: str) -> Listener:
        token = self._logins[who].token()
        return Listener(self._stack.url("ws"), self._stack.url("web"), token, self.site, EDGE)

    @asynccontextmanager
    async def audience(self, people: tuple[str, ...], count: int) -> AsyncIterator[list[Listener]]:
        """`count` sockets of these people in turn, all streaming; closed at the end."""
        listeners = [self.listen(people[number % len(people)]) for number in range(count)]
        try:
            await until_streaming(listeners, PATIENCE)
            yield listeners
        finally:
            await asyncio.gather(*(listener.close() for listener in listeners))

    async def renew(self, audience: list[Listener]) -> None:
        """As a browser does in good time before its token expires."""
        if time.monotonic() - self._renewed > RENEW_AFTER:
            self._renewed = time.monotonic()
            logins = [self._login(who) for who in OTHERS]
            tokens = [await asyncio.to_thread(login.token) for login in logins]
            for number, listener in enumerate(audience):
                await listener.renew(tokens[number % len(OTHERS)])

    async def trial(self, admin: Admin, sockets: int) -> Trial:
        """Afterwards the person has the permission again."""
        user, access = self._access()
        form = await asyncio.to_thread(admin.open, f"/admin/sites/siteaccess/{access}/delete/", "post")
        await asyncio.to_thread(self._logins[REVOKED].token)  # not in the loop: it may have to log in anew
        open_ones = [self.listen(REVOKED) for _ in range(sockets)]
        await until_streaming(open_ones, PATIENCE)
        arriving = [self.listen(REVOKED)]
        coming = asyncio.create_task(self._keep_coming(arriving))
        try:
            began = await self._click(admin, form, arriving)
        finally:
            coming.cancel()
        everyone = [*open_ones, *arriving]
        _, left = await asyncio.wait([listener.task for listener in everyone], timeout=PATIENCE)
        if left:
            lingering = [listener for listener in everyone if not listener.over]
            raise TimeoutError(f"{len(left)} sockets had not ended after {PATIENCE:g} s, such as {lingering[0]!r}")
        last = max((listener.last_frame or began for listener in everyone), default=began)
        wrong = sum(listener.close_code not in TURNED_AWAY for listener in everyone)
        path, values = "/admin/sites/siteaccess/add/", {"user": str(user), "site": str(self.site), "role": "viewer"}
        await asyncio.to_thread(lambda: admin.submit(path, **values))
        return Trial(max(0.0, last - began), sockets, len(arriving), wrong)

    async def _keep_coming(self, arriving: list[Listener]) -> None:
        """More and more tabs of the person, until nobody wants to see more."""
        while True:
            await asyncio.sleep(DOORWAY_PAUSE)
            arriving.append(self.listen(REVOKED))

    async def _click(self, admin: Admin, form: Form, arriving: list[Listener]) -> float:
        """Send the form while tabs are opening; they go on opening for a while. Returns when it was sent."""
        await until_streaming(arriving[:1], PATIENCE)
        began = time.monotonic()
        await asyncio.to_thread(admin.send, form)
        await asyncio.sleep(AFTER)
        return began

    def _access(self) -> tuple[int, int]:
        """The ids of the person and of the row that lets them see the site."""
        query = (
            "SELECT a.user_id, a.id FROM sites_siteaccess a JOIN accounts_user u ON u.id = a.user_id "
            "WHERE u.email = %s AND a.site_id = %s"
        )
        with self._stack.database() as database:
            row = database.execute(query, (REVOKED, self.site)).fetchone()
        if row is None:
            raise LookupError(f"{REVOKED} has no role on {SITE}")
        return int(str(row[0])), int(str(row[1]))


@contextmanager
def beacon(stack: Stack, site: int) -> Iterator[None]:
    """A numbered batch on the site's live channel, every BEAT seconds, beside what its edge publishes."""
    done = threading.Event()
    boot = str(uuid.uuid4())

    def shine() -> None:
        with stack.redis() as client:
            number = 0
            while not done.wait(BEAT):
                number += 1
                now = time.time_ns() // 1_000_000
                batch = Batch(1, EDGE, boot, number, now, [Reading(now, {"beacon.beat": float(number)})])
                with contextlib.suppress(redis.RedisError):  # away: then nobody hears this one
                    client.publish(keys.telemetry_channel(site), encode_batch(batch))

    thread = threading.Thread(target=shine, name="beacon")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
