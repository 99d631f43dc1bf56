"""The client: a shell of sockets and tasks around `link.py`, which decides everything."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl as tls
import time
from collections.abc import Coroutine
from typing import Any, Self

from ems_contract.frames import SUBPROTOCOL
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from ems_client.address import checked_origin, checked_url
from ems_client.errors import EndReason, TokenUnavailableError
from ems_client.events import Event, Gap, Hole, LinkState, Refused, StateChange
from ems_client.inbox import SMALL, Inbox
from ems_client.link import Due, Link
from ems_client.sockets import CONNECT_TIMEOUT, Proxy, open_socket, refusal, say_goodbye
from ems_client.tokens import Tokens, TokenSource

SEND_TIMEOUT = 10.0
SEND_SPACING = 0.125
"""Between two frames to the service, s, on average: it takes ten a second."""
SMALLEST_QUEUE = 65_536
ABNORMAL_CLOSURE = 1006


class LiveClient:
    """One link to the live service. Use it from one event loop; one task iterates.

    `url`: `wss://host/ws`. `token`: see `tokens.TokenSource`. `origin`: one that the service allows (EMS_WS_ORIGINS);
    it may be left out where the operator lets clients without one in. `queue_bytes`: how much telemetry waits for a
    program that is busy before its sites are set aside. `ssl` and `proxy` are those of `websockets.connect`.

    `async with` starts it and closes it; it connects, and comes back after every loss, by itself. The iteration yields
    `events.Event`s. It ends after `close`, and raises LiveEndedError when trying again would not help.
    """

    def __init__(
        self,
        url: str,
        *,
        token: TokenSource,
        origin: str | None = None,
        queue_bytes: int = 4 * 1024 * 1024,
        ssl: tls.SSLContext | None = None,
        proxy: Proxy = True,
    ) -> None:
        """Raises ValueError for what cannot be a URL, an origin or a size."""
        self._url = checked_url(url)
        self._tokens = Tokens(token)
        self._origin = checked_origin(origin) if origin is not None else None
        self._ssl = ssl
        self._proxy = proxy
        if queue_bytes < SMALLEST_QUEUE:
            raise ValueError(f"queue_bytes: {queue_bytes}; at least {SMALLEST_QUEUE}, as much as comes at once")
        self._inbox = Inbox(queue_bytes)
        self._link = Link(
            fixed_token=self._tokens.fixed,
            random=random.random,
            now=time.monotonic(),
            now_ms=time.time_ns() // 1_000_000,
        )
        self._to_write = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._helpers: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None

    def __repr__(self) -> str:
        return f"LiveClient({self._url!r}, {self._link.state.value})"

    @property
    def state(self) -> LinkState:
        return self._link.state

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise RuntimeError("a LiveClient is started once; make another one")
        self._task = asyncio.create_task(self._run(), name="ems-live")
        self._task.add_done_callback(self._over)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Say goodbye to the service. What is in the queue can still be iterated over."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def subscribe(self, *sites: str, interval: int = 0) -> None:
        """Follow these sites; or the same ones at another interval. Raises ValueError.

        `interval` (ms): at most one telemetry event of each site in this time, as `Merged`; rounded up to one of
        `ems_contract.frames.INTERVALS`. 0: every batch as it comes. Alerts, commands and gaps are never delayed.

        Returns at once: the answer is a Snapshot or a Refused, now or whenever the link is open again.
        """
        self._link.subscribe(sites, interval, time.monotonic())
        self._to_write.set()

    async def unsubscribe(self, *sites: str) -> None:
        """Nothing of these sites follows, except for what is in the queue."""
        self._link.unsubscribe(sites)
        self._to_write.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if self._task is None:
            raise RuntimeError("start the client first: `async with LiveClient(...) as live:`")
        event = await self._inbox.take()
        self._catch_up()
        return event

    # One attempt after the other ------------------------------------------------------------------------------

    async def _run(self) -> None:
        while self._link.end is None:
            await asyncio.sleep(self._link.retry_at - time.monotonic())
            self._link.connecting(time.monotonic())
            self._publish()
            await self._attempt()
            self._publish()

    async def _attempt(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                token = await self._tokens.fetch()
            socket = await open_socket(self._url, self._origin, self._ssl, self._proxy)
        except (OSError, TokenUnavailableError) as error:
            self._link.failed(f"no connection: {str(error) or type(error).__name__}", time.monotonic())
        except InvalidStatus as error:
            problem = refusal(error.response)
            self._link.refused(error.response.status_code, problem, time.monotonic())
        except WebSocketException as error:
            self._link.failed(f"not a live service: {error}", time.monotonic())
        else:
            await self._converse(socket, token)

    async def _converse(self, socket: ClientConnection, token: str) -> None:
        """Returns when this connection is over and the link knows it."""
        if socket.subprotocol != SUBPROTOCOL:
            await socket.close()
            self._link.give_up(EndReason.BAD_MESSAGE, f"{self._url} does not speak {SUBPROTOCOL}")
            return
        self._link.opened(token, time.monotonic())
        self._help(self._write(socket))
        code, reason = ABNORMAL_CLOSURE, "nothing was heard for too long"
        try:
            while (due := self._link.due(time.monotonic())) is not Due.DEAD:
                if due is Due.RENEW:
                    self._help(self._renew())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._link.due_at - time.monotonic()):
                        message = await socket.recv()
                    self._hear(message)
        except ConnectionClosed:
            code, reason = socket.close_code or ABNORMAL_CLOSURE, socket.close_reason or ""
        else:
            socket.transport.abort()  # nobody is there to answer a goodbye
        finally:
            await self._dismiss()
            await say_goodbye(socket)
        self._link.closed(code, reason, time.monotonic())

    def _hear(self, message: str | bytes) -> None:
        if not isinstance(message, str):
            return  # the service speaks text only
        size = len(message)
        self._link.received(message, time.monotonic(), room=self._inbox.room(size))
        self._publish(size)
        self._catch_up()
        self._to_write.set()

    def _catch_up(self) -> None:
        if self._inbox.caught_up and self._link.caught_up(time.monotonic()):
            self._to_write.set()

    def _publish(self, size: int = SMALL) -> None:
        """To the program. `size`: of the frame that brought the events, bytes."""
        for event in self._link.events():
            small = isinstance(event, Gap | Hole | Refused | StateChange)
            try:
                self._inbox.put(event, SMALL if small else size)
            except OverflowError as error:
                raise self._link.give_up(EndReason.SLOW_CONSUMER, str(error)) from None

    async def _write(self, socket: ClientConnection) -> None:
        self._to_write.set()
        with contextlib.suppress(ConnectionClosed):  # the reader knows as well
            while await self._to_write.wait():
                self._to_write.clear()
                frames = self._link.to_send()
                try:
                    async with asyncio.timeout(SEND_TIMEOUT):
                        for frame in frames:
                            await socket.send(frame)
                except TimeoutError:
                    socket.transport.abort()
                await asyncio.sleep(SEND_SPACING * len(frames))

    async def _renew(self) -> None:
        with contextlib.suppress(OSError, TokenUnavailableError):  # the link asks again a little later
            async with asyncio.timeout(CONNECT_TIMEOUT):
                token = await self._tokens.fetch()
            self._link.renewed(token)
            self._to_write.set()

    # Tasks ----------------------------------------------------------------------------------------------------

    def _help(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._helpers.add(task)
        task.add_done_callback(self._helped)

    def _helped(self, task: asyncio.Task[None]) -> None:
        """What a helper could not deal with (a token source that is broken) ends the client."""
        self._helpers.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None and self._task is not None:
            self._fault = fault
            self._task.cancel()

    async def _dismiss(self) -> None:
        helpers = list(self._helpers)
        for helper in helpers:
            helper.cancel()
        if helpers:
            await asyncio.wait(helpers)

    def _over(self, task: asyncio.Task[None]) -> None:
        fault = self._fault if task.cancelled() else task.exception()
        self._inbox.end(fault or self._link.end)
