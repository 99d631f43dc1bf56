"""What one session may see, from its first token to its last.

- First: the token is validated while the session already hears of changes of its user's access.
- Renewal: at the end of the grant's time the token in hand is validated again. A fresh token, sent in band, takes its
  place.
- Backend down (and nobody said no): the last grant is kept, marked stale, for a bounded time; access can only change
  through the backend.
- Access changed: the session is suspended at once, so nothing of any site leaves until the new grant is known. If it
  cannot be had within `recheck_limit`, the session is closed: after a change, the old grant proves nothing.
"""

from __future__ import annotations

import asyncio
import random

import structlog
from ems_contract.frames import CloseCode, GrantChanged, Welcome

from ems_realtime import protocol
from ems_realtime.clock import now_ms
from ems_realtime.grants import Grants, Held, claimed_user
from ems_realtime.hub import Hub
from ems_realtime.session import Session, State
from ems_realtime.settings import Settings
from ems_realtime.validation import RefusedError, UnavailableError

log = structlog.get_logger()

RECHECK_PAUSE = 0.25
SHORTEST_RENEWAL = 0.2
UNCONFIRMED = "your access cannot be confirmed right now; try again later"


class Access:
    __slots__ = (
        "_changed_at",
        "_grants",
        "_held",
        "_hub",
        "_loop",
        "_not_before",
        "_session",
        "_settings",
        "_settled",
        "_stale",
        "_task",
        "_timer",
        "_token",
        "_version",
    )

    def __init__(self, session: Session, hub: Hub, grants: Grants, settings: Settings) -> None:
        self._session = session
        self._hub = hub
        self._grants = grants
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._token = ""
        self._held: Held | None = None
        self._stale = False
        self._version = 0  # raised by whatever makes an answer on its way worthless
        self._changed_at = 0.0
        self._not_before = 0
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._settled: asyncio.Event | None = None  # made when somebody waits for it

    def __repr__(self) -> str:
        return f"Access({self._session!r}, token='[redacted]')"

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    async def admit(self, token: str) -> None:
        """The first token. Afterwards the session is open, or closed with a named code."""
        session, hub = self._session, self._hub
        user = claimed_user(token)
        if user is None:
            hub.close(session, CloseCode.UNAUTHENTICATED, "this is no access token")
            return
        self._token = token
        session.recheck = self._recheck
        hub.claim(session, user)
        try:
            held = await self._fetch(user)
        except RefusedError as error:
            code = CloseCode.UNAUTHENTICATED if error.status == 401 else CloseCode.FORBIDDEN
            hub.close(session, code, "the token is not accepted")
            return
        except UnavailableError:
            hub.close(session, CloseCode.TRY_AGAIN_LATER, UNCONFIRMED)
            return
        if session.closed:
            return
        if not held.granted:
            hub.close(session, CloseCode.FORBIDDEN, "no site may be viewed with this token")
        elif hub.admitted(user) >= self._settings.max_sockets_per_user:
            hub.close(session, CloseCode.TOO_MANY, "too many connections of this user")
        else:
            session.admit(held.granted, held.epoch)
            self._keep(held)
            heartbeat = int(self._settings.heartbeat * 1000)
            sites = list(held.granted.values())
            hub.send(session, protocol.encode(Welcome(session.id, now_ms(), held.expires, heartbeat, sites)))

    def renew_with(self, token: str) -> None:
        """A fresh token, sent in band. Raises BadMessageError if it is not the same user's.

        The cache may answer for it: whoever repeats a token that is known puts no question to the backend."""
        if claimed_user(token) != self._session.user:
            raise protocol.BadMessageError("a session cannot change its user; open another one")
        self._token = token
        self._version += 1
        self._revalidate()

    async def settled(self) -> None:
        """Returns when the grant in hand can be relied on, or the session is closed."""
        while self._session.state is State.SUSPENDED:
            self._settled = self._settled or asyncio.Event()
            self._settled.clear()
            await self._settled.wait()

    def _recheck(self, changed: bool) -> None:
        """The user's access has changed, or (not `changed`) nobody knows whether it has."""
        self._version += 1
        self._changed_at = self._loop.time()
        self._not_before = now_ms()
        if changed and self._session.state is State.OPEN:
            self._hub.suspend(self._session)
        if self._session.state in (State.OPEN, State.SUSPENDED):
            self._revalidate()

    # Validation -----------------------------------------------------------------------------------------------

    async def _fetch(self, user: int) -> Held:
        """Asks again as long as the question has become another one meanwhile."""
        while True:
            version, not_before = self._version, self._not_before
            address = self._session.address if self._held is None else None
            try:
                held = await self._grants.fetch(
                    self._token, user, not_before=not_before, began_after=self._changed_at, address=address
                )
            except RefusedError:
                if version == self._version:
                    raise
            else:
                if version == self._version:
                    return held

    def _renew(self) -> None:
        """The grant's time is over, so what is cached is not good enough."""
        assert self._held is not None  # noqa: S101 -- only an admitted session has a grant to renew
        self._not_before = max(self._not_before, self._held.validated + 1)
        self._revalidate()

    def _revalidate(self) -> None:
        """At most one task at a time; one under way notices by `_version` that it must ask again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(self._validate_again(), name=f"revalidate-{self._session.id}")
            self._task.add_done_callback(self._validated)

    def _validated(self, task: asyncio.Task[None]) -> None:
        if self._settled is not None:
            self._settled.set()
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._hub.fault(self._session, fault)

    async def _validate_again(self) -> None:
        session, hub = self._session, self._hub
        assert session.user is not None  # noqa: S101 -- only an admitted session has a grant to renew
        while not session.closed:
            try:
                held = await self._fetch(session.user)
            except RefusedError as error:
                self._end(error)
                return
            except UnavailableError:
                if session.state is not State.SUSPENDED:
                    self._go_stale()
                    return
                if self._loop.time() - self._changed_at >= self._settings.recheck_limit:
                    hub.close(session, CloseCode.TRY_AGAIN_LATER, UNCONFIRMED)
                    return
                await asyncio.sleep(RECHECK_PAUSE)
            else:
                self._take(held)
                return

    def _take(self, held: Held) -> None:
        session, hub = self._session, self._hub
        if session.closed:
            return
        if not held.granted:
            hub.close(session, CloseCode.GRANT_REVOKED, "no site may be viewed any more")
            return
        for site in session.take(held.granted, held.epoch):
            hub.unsubscribe(session, site)
        self._keep(held)
        self._tell(stale=False)
        if session.state is State.SUSPENDED:
            hub.resume(session)

    def _keep(self, held: Held) -> None:
        self._held, self._stale = held, False
        due = min(held.validated + self._settings.grant_ttl * 1000, held.expires)
        self._renew_in((due - now_ms()) / 1000)

    def _go_stale(self) -> None:
        """The backend cannot be asked, and nothing says that access has changed: go on, for a while."""
        assert self._held is not None  # noqa: S101 -- only an admitted session renews
        left = self._settings.stale_limit - (now_ms() - self._held.validated) / 1000
        if left <= 0:
            self._hub.close(self._session, CloseCode.TRY_AGAIN_LATER, UNCONFIRMED)
            return
        if not self._stale:
            self._stale = True
            self._tell(stale=True)
        self._renew_in(min(left, self._settings.stale_retry * random.uniform(0.5, 1.5)))  # noqa: S311

    def _end(self, error: RefusedError) -> None:
        """An expired token asks for a fresh one; anything else was taken away."""
        assert self._held is not None  # noqa: S101 -- only an admitted session renews
        expired = self._held.expires <= now_ms() or self._session.state is not State.SUSPENDED
        if error.status == 401 and expired:
            self._hub.close(self._session, CloseCode.UNAUTHENTICATED, "the token is not accepted any more")
        else:
            self._hub.close(self._session, CloseCode.GRANT_REVOKED, "access has ended")

    def _tell(self, *, stale: bool) -> None:
        assert self._held is not None  # noqa: S101 -- only an admitted session has a grant
        sites = list(self._held.granted.values())
        self._hub.send(self._session, protocol.encode(GrantChanged(self._held.expires, stale, sites)))

    def _renew_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = (
            None if self._session.closed else self._loop.call_later(max(SHORTEST_RENEWAL, seconds), self._renew)
        )
