"""From a token to a grant: cached, validated once however many ask, never older than the user's last change of access.

The epoch is read BEFORE the backend is asked, and a cached grant counts only while its epoch is still the user's. So a
grant validated just before a change and written just after it is void as soon as it is read.

Redis down: tokens are validated without a cache. Such a grant has no epoch, and is checked as soon as Redis is heard.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from functools import partial

import msgspec
import structlog
from ems_contract.access import Grant, SiteGrant
from ems_contract.tokens import parse_access_token

from ems_realtime.clock import now_ms
from ems_realtime.grant_cache import CacheUnavailableError, Entry, GrantCache
from ems_realtime.metrics import Metrics
from ems_realtime.session import viewable
from ems_realtime.validation import RefusedError, UnavailableError, Validator

log = structlog.get_logger()

MAX_TOKEN = 4_096
_JWT = re.compile(r"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*\Z")
_USER = re.compile(r"[1-9][0-9]{0,17}\Z")


@dataclass(frozen=True, slots=True)
class Held:
    """A grant in hand. `expires`: when its token ends; `validated`: when the backend was asked; ms since the epoch."""

    granted: dict[int, SiteGrant]
    expires: int
    epoch: int | None
    validated: int


@dataclass(frozen=True)
class _Flight:
    user: int
    began: float
    task: asyncio.Task[Held]


def claimed_user(token: str) -> int | None:
    """Whose token this says it is: an unverified hint, to know which epoch to read and which changes to listen for.

    A login's JWT or an integrator's access token. The hint is checked against the backend's answer before it means
    anything. None if this cannot be a token at all.
    """
    if len(token) > MAX_TOKEN:
        return None
    if (parts := parse_access_token(token)) is not None:
        return parts.user
    found = _JWT.match(token)
    if found is None:
        return None
    try:
        payload = msgspec.json.decode(base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)))
    except (binascii.Error, msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if not isinstance(payload, dict):
        return None
    user = str(payload.get("user_id", payload.get("sub")))
    return int(user) if _USER.match(user) else None


class Grants:
    """`ttl` in s: how long a validated grant is good without asking again."""

    def __init__(self, cache: GrantCache, validator: Validator, *, ttl: float, metrics: Metrics) -> None:
        self._cache = cache
        self._validator = validator
        self._ttl = ttl
        self._metrics = metrics
        self._flights: dict[str, _Flight] = {}
        self._changed: dict[int, int] = {}  # user -> when a change was last heard, ms; the oldest first

    async def fetch(
        self, token: str, user: int, *, not_before: int = 0, began_after: float = 0.0, address: str | None = None
    ) -> Held:
        """The token's grant. Raises RefusedError or UnavailableError.

        `not_before` (ms since the epoch): a grant validated earlier is not good enough. `began_after` (the loop's
        clock): nor is one from a question that was put earlier. `address`: of a newcomer, see `lanes.py`.
        """
        digest = hashlib.sha256(token.encode()).hexdigest()
        not_before = max(not_before, self._changed.get(user, 0))
        while True:
            flight = self._flights.get(digest)
            if flight is None or flight.began < began_after:
                flight = self._ask(token, digest, user, not_before, address)
            held = await asyncio.shield(flight.task)
            if held.validated >= not_before:
                return held
            # someone else's question was answered from the cache, with less than is needed here

    def distrust(self, user: int | None) -> None:
        """This user's access (None: anybody's) has just changed: nobody who asks from now on shares an answer that is
        on its way already. Whoever waits for it was told of the change and asks again.

        Nor is anything cached before it good enough: a Redis that is full cannot raise the epoch that would say so.
        """
        if user is not None:
            now = now_ms()
            self._changed.pop(user, None)
            self._changed[user] = now
            while (oldest := next(iter(self._changed))) != user and self._changed[oldest] < now - self._ttl * 1000:
                del self._changed[oldest]
        for digest, flight in list(self._flights.items()):
            if user is None or flight.user == user:
                del self._flights[digest]

    def _ask(self, token: str, digest: str, user: int, not_before: int, address: str | None) -> _Flight:
        loop = asyncio.get_running_loop()
        flight = _Flight(user, loop.time(), loop.create_task(self._fetch(token, digest, user, not_before, address)))
        self._flights[digest] = flight
        flight.task.add_done_callback(partial(self._landed, digest, flight))
        return flight

    def _landed(self, digest: str, flight: _Flight, task: asyncio.Task[Held]) -> None:
        if self._flights.get(digest) is flight:
            del self._flights[digest]
        if not task.cancelled():
            task.exception()  # whoever asked may be gone; then nobody else looks at it

    async def _fetch(self, token: str, digest: str, user: int, not_before: int, address: str | None) -> Held:
        try:
            epoch, entry = await self._cache.look_up(digest, user)
        except CacheUnavailableError:
            return await self._validate(token, digest, user, None, not_before, address)
        now = now_ms()
        if (
            entry is not None
            and entry.epoch == epoch
            and entry.grant.user.id == user
            and min(entry.validated, now) >= max(not_before, now - int(self._ttl * 1000))
            and entry.grant.expires > now
        ):
            self._metrics.count("grants_cached")
            return _held(entry.grant, epoch, min(entry.validated, now))
        return await self._validate(token, digest, user, epoch, not_before, address)

    async def _validate(
        self, token: str, digest: str, user: int, epoch: int | None, not_before: int, address: str | None
    ) -> Held:
        """`epoch`: read before; None if it could not be, and then nothing is cached."""
        asked = max(now_ms(), not_before)  # clocks may step back; this answer is new all the same
        grant = await self._validator.validate(token, address)
        if grant.user.id != user:
            log.warning("token_of_another_user", claimed=user, actual=grant.user.id)
            raise RefusedError(401)
        held = _held(grant, epoch, asked)
        if epoch is not None:
            await self._store(digest, Entry(epoch, asked, grant))
        return held

    async def _store(self, digest: str, entry: Entry) -> None:
        seconds = int(min(self._ttl, (entry.grant.expires - now_ms()) / 1000))
        if seconds < 1:
            return
        try:
            await self._cache.store(digest, entry, seconds)
        except CacheUnavailableError as error:
            log.warning("grant_not_cached", problem=str(error))


def _held(grant: Grant, epoch: int | None, validated: int) -> Held:
    try:
        return Held(viewable(grant), grant.expires, epoch, validated)
    except ValueError as error:
        raise UnavailableError(str(error)) from None
