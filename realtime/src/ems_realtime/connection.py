"""One connection: what the client says, and what happens then. The shell around `session.py`; knows no framework."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from ems_contract.frames import Auth, ClientFrame, CloseCode, ErrorCode, Ping, Pong, Subscribe, Unsubscribe
from ems_contract.limits import BURST_SECONDS, MAX_NAMES

from ems_realtime import protocol
from ems_realtime.access import Access
from ems_realtime.clock import now_ms
from ems_realtime.grants import Grants
from ems_realtime.hub import Hub
from ems_realtime.pace import rounded_up
from ems_realtime.protocol import BadMessageError
from ems_realtime.session import Session
from ems_realtime.settings import Settings

Receive = Callable[[], Awaitable[str | None]]
"""The client's next text message; None once it is gone. Raises BadMessageError for anything that is not text."""


class Allowance:
    """A token bucket: `rate` per second, BURST_SECONDS of it at once."""

    __slots__ = ("_last", "_left", "_most", "_rate")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._most = self._left = rate * BURST_SECONDS
        self._last = now

    def take(self, now: float) -> bool:
        self._left = min(self._most, self._left + (now - self._last) * self._rate)
        self._last = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Connection:
    __slots__ = ("_access", "_allowance", "_hub", "_session", "_settings")

    def __init__(self, session: Session, hub: Hub, grants: Grants, settings: Settings) -> None:
        self._session = session
        self._hub = hub
        self._settings = settings
        self._access = Access(session, hub, grants, settings)
        self._allowance = Allowance(settings.max_messages, time.monotonic())

    async def run(self, receive: Receive) -> None:
        """Returns when the connection is over; the session is in no index then."""
        self._hub.add(self._session)
        try:
            here = await self._greet(receive)
            while here and not self._session.closed:
                text = await receive()
                if text is None:
                    break
                await self._hear(text)
        except BadMessageError as error:
            self._hub.close(self._session, CloseCode.BAD_MESSAGE, str(error))
        finally:
            self._access.stop()
            self._hub.remove(self._session)

    async def _greet(self, receive: Receive) -> bool:
        """The first message. False if none came."""
        try:
            async with asyncio.timeout(self._settings.auth_timeout):
                text = await receive()
        except TimeoutError:
            self._hub.close(self._session, CloseCode.AUTH_TIMEOUT, "no token in time")
            return False
        if text is None or self._session.closed:
            return False
        frame = protocol.parse(text)
        if not isinstance(frame, Auth):
            raise BadMessageError("the first message must be auth")
        await self._access.admit(frame.token)
        return True

    async def _hear(self, text: str) -> None:
        if not self._allowance.take(time.monotonic()):
            self._hub.close(self._session, CloseCode.TOO_MANY, "too many messages")
            return
        await self._handle(protocol.parse(text))

    async def _handle(self, frame: ClientFrame) -> None:
        match frame:
            case Auth():
                self._access.renew_with(frame.token)
            case Subscribe():
                await self._access.settled()
                self._subscribe(frame)
            case Unsubscribe():
                for name in frame.sites:
                    if (site := protocol.site_id(name)) is not None:
                        self._hub.unsubscribe(self._session, site)
            case Ping():
                self._hub.send(self._session, protocol.encode(Pong(frame.id, now_ms())))

    def _subscribe(self, frame: Subscribe) -> None:
        """Membership in the grant decides, and nothing else: a pattern or a key is simply no site."""
        session, hub = self._session, self._hub
        if not frame.sites or len(frame.sites) > MAX_NAMES:
            hub.send(session, protocol.error(ErrorCode.BAD_MESSAGE, f"name 1 to {MAX_NAMES} sites at once"))
            return
        try:
            interval = rounded_up(frame.interval)
        except ValueError as error:
            hub.send(session, protocol.error(ErrorCode.BAD_MESSAGE, str(error)))
            return
        for name in dict.fromkeys(frame.sites):
            site = protocol.site_id(name)
            if session.closed:
                return
            if site is None or site not in session.granted:
                hub.send(session, protocol.not_found(name))
            elif site not in session.sites and len(session.sites) >= self._settings.max_sites:
                most = f"at most {self._settings.max_sites} sites in one session"
                hub.send(session, protocol.error(ErrorCode.TOO_MANY_SITES, most))
                return
            else:
                hub.subscribe(session, site, interval)
