"""One connection to Redis that only listens: used once, read as fast as hiredis can parse, and never trusted to live.

redis-py connects and logs in (ACL user, TLS, unix socket); from then on the transport's protocol is this one, because
its reader costs more for each message than everything that the hub does with it.

The server is asked PING every second, on the subscription itself. One that does not answer within the deadline, or
answers like one that has forgotten the subscription, is dead or deaf: the connection ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import hiredis
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from ems_realtime.clock import now_ms

PING_INTERVAL = 1.0

_CONFIRMED = (b"subscribe", b"psubscribe")
_IGNORED = (b"unsubscribe", b"punsubscribe")


class DeafError(OSError):
    """The server is there, but this connection hears nothing."""


class Subscription(asyncio.Protocol):
    """`on_message` is called with (channel, payload) for what was subscribed by name, `on_pattern` for what was by
    pattern, `on_confirmed` with the channel or pattern, each in the order of the connection."""

    def __init__(
        self,
        on_message: Callable[[bytes, bytes], None],
        on_pattern: Callable[[bytes, bytes], None],
        on_confirmed: Callable[[bytes], None],
    ) -> None:
        self._on_message = on_message
        self._on_pattern = on_pattern
        self._on_confirmed = on_confirmed
        self._reader = hiredis.Reader()
        self._connection: Any = None  # redis-py's Connection; it has no complete types
        self._transport: asyncio.Transport | None = None
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answered = asyncio.Event()
        self._asked = time.monotonic()
        self._round_trip = 0.0
        self._asked_ms = 0
        self.heard_ms = 0
        """What was published before this has been heard, ms since the epoch: the answer to a ping comes after all that
        was before it. When something was last read says nothing: after a pause it may be old."""

    @property
    def lag(self) -> float:
        """Seconds that the last ping took, or that its answer is late already: how far this reader is behind."""
        overdue = 0.0 if self._answered.is_set() else time.monotonic() - self._asked
        return max(self._round_trip, overdue)

    async def open(self, connections: ConnectionPool) -> None:
        """Raises RedisError, OSError or TimeoutError."""
        connection: Any = connections.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        # No answer is outstanding after the login, so nothing is left in redis-py's own reader.
        self._connection = connection
        self._transport = connection._writer.transport  # noqa: SLF001 -- see the module; redis is pinned by the lock
        assert self._transport is not None  # noqa: S101 -- it has just been connected
        self._transport.set_protocol(self)
        self.heard_ms = now_ms()

    async def run(self, deadline: float) -> None:
        """Until the connection ends, which is always an error: RedisError, OSError or TimeoutError.

        `deadline` in s: how long the server may take to answer a ping.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._wait(), name="redis-read")
            tasks.create_task(self._ping(deadline), name="redis-ping")

    async def close(self) -> None:
        """At once: a frozen server never finishes a polite goodbye."""
        if not self._ended.cancel() and not self._ended.cancelled():
            self._ended.exception()  # whoever should have heard of it may be gone
        if self._transport is not None:
            self._transport.abort()
        if self._connection is not None:
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                await self._connection.disconnect(nowait=True)

    def send(self, *command: str | bytes) -> None:
        """Never waits; a connection that is gone takes it and forgets it."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(hiredis.pack_command(command))  # type: ignore[arg-type]  # its stub means any length

    # What the transport calls ---------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        gets, on_message = self._reader.gets, self._on_message
        while (message := gets()) is not False:
            if type(message) is list and message[0] == b"message":
                on_message(message[1], message[2])
            else:
                self._rarely(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionResetError("the server closed the connection"))

    def _rarely(self, message: Any) -> None:
        kind = message[0] if type(message) is list else None
        if kind == b"pmessage":
            self._on_pattern(message[2], message[3])
        elif kind in _CONFIRMED:
            self._on_confirmed(message[1])
        elif kind == b"pong":
            self._round_trip = time.monotonic() - self._asked
            self.heard_ms = self._asked_ms
            self._answered.set()
        elif isinstance(message, hiredis.HiredisError):
            self._end(ConnectionAbortedError(str(message)))
        elif kind not in _IGNORED:
            self._end(DeafError("the server has forgotten the subscription"))

    def _end(self, error: Exception) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)

    # Whether it still hears -----------------------------------------------------------------------------------

    async def _wait(self) -> None:
        await self._ended

    async def _ping(self, deadline: float) -> None:
        while True:
            self._answered.clear()
            self._asked, self._asked_ms = time.monotonic(), now_ms()
            self.send("PING")
            try:
                async with asyncio.timeout(deadline):
                    await self._answered.wait()
            except TimeoutError:
                raise DeafError(f"no answer for {deadline:g} s") from None
            await asyncio.sleep(PING_INTERVAL)
