"""The broker on Redis pub/sub: one subscription connection, kept by hand, and a pool for reading.

redis-py's own PubSub reconnects in silence, which would hide exactly what viewers must be told: that something may be
missing. Here a connection is used once. It is asked PING every second, on the subscription itself; a server that does
not answer within the deadline, or answers like one that has forgotten the subscription, is dead or deaf: the
connection is dropped, a new one made, everything wanted is subscribed again, and the listener is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import structlog
from ems_contract import keys
from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import RedisError

from ems_realtime.broker import BrokerUnavailableError, Listener

log = structlog.get_logger()

PING_INTERVAL = 1.0
BACKOFF_FIRST, BACKOFF_MOST = 0.1, 1.0
_PATTERNS = (keys.ALERTS_PATTERN, keys.COMMANDS_PATTERN, keys.USERS_PATTERN)
_CONFIRMED = {b"subscribe", b"psubscribe"}


class _DeafError(OSError):
    """The server is there, but this connection hears nothing."""


class RedisBroker:
    """`deadline` in s: how long the subscription may be silent after a ping. `client` reads `latest`."""

    def __init__(self, url: str, client: Redis, *, deadline: float = 5.0) -> None:
        # RESP2: a subscribed connection answers PING with a list, any other one with a string. No timeout on
        # reads: silence is normal between two pings, and the deadline below knows when it is not.
        self._connections = ConnectionPool.from_url(url, protocol=2, socket_timeout=None, client_name="ems-realtime")
        self._client = client
        self._deadline = deadline
        self._listener: Listener | None = None
        self._task: asyncio.Task[None] | None = None
        self._connection: Any = None  # redis-py's Connection; it has no complete types
        self._outgoing: asyncio.Queue[tuple[str, ...]] = asyncio.Queue()
        self._wanted: set[int] = set()
        self._awaited: Counter[bytes] = Counter()  # channel -> subscriptions sent and not yet confirmed
        self._restoring: set[bytes] = set()  # what must be confirmed before a new connection is live
        self._waiters: dict[bytes, set[asyncio.Future[None]]] = {}
        self._answered = asyncio.Event()
        self._heard_ms = 0
        self._live = False
        self._lost_at: int | None = None

    @property
    def live(self) -> bool:
        return self._live

    async def start(self, listener: Listener) -> None:
        self._listener = listener
        self._supervise()

    async def stop(self) -> None:
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._listener = None
        await self._connections.aclose()

    async def watch(self, site: int) -> None:
        self._wanted.add(site)
        channel = keys.telemetry_channel(site)
        if self._connection is not None:
            self._send("SUBSCRIBE", channel)
        waiter = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(channel.encode(), set())
        waiters.add(waiter)
        try:
            await waiter
        finally:
            waiters.discard(waiter)
            if not waiters and self._waiters.get(channel.encode()) is waiters:
                del self._waiters[channel.encode()]

    def unwatch(self, site: int) -> None:
        self._wanted.discard(site)
        if self._connection is not None:
            self._outgoing.put_nowait(("UNSUBSCRIBE", keys.telemetry_channel(site)))

    async def latest(self, site: int) -> dict[str, bytes]:
        try:
            answer: Mapping[bytes, bytes] = await self._client.hgetall(keys.telemetry_latest(site))  # type: ignore[assignment]
        except (RedisError, OSError, TimeoutError) as error:
            raise BrokerUnavailableError(f"cannot read the latest image: {type(error).__name__}") from None
        return {edge.decode(errors="replace"): image for edge, image in answer.items()}

    # One connection after the other ---------------------------------------------------------------------------

    def _supervise(self) -> None:
        self._task = asyncio.create_task(self._keep_listening(), name="redis-subscription")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Only a fault of this service ends the task by itself. It is told, and the task begins again."""
        if self._task is not task or task.cancelled():
            return
        log.error("redis_subscription_failed", exc_info=task.exception())
        asyncio.get_running_loop().call_later(BACKOFF_MOST, self._begin_again, task)

    def _begin_again(self, failed: asyncio.Task[None]) -> None:
        if self._task is failed:
            self._supervise()

    async def _keep_listening(self) -> None:
        backoff = BACKOFF_FIRST
        while True:
            try:
                async with asyncio.timeout(self._deadline):
                    await self._connect()
                backoff = BACKOFF_FIRST
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._read(), name="redis-read")
                    tasks.create_task(self._write(), name="redis-write")
                    tasks.create_task(self._ping(), name="redis-ping")
            except* (RedisError, OSError, TimeoutError) as errors:
                self._report(errors)
            finally:
                await self._drop()
            await asyncio.sleep(random.uniform(backoff / 2, backoff))  # noqa: S311 -- spreads reconnects
            backoff = min(backoff * 2, BACKOFF_MOST)

    def _report(self, errors: BaseExceptionGroup[Exception]) -> None:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        log.warning("redis_subscription_lost", error=type(first).__name__, reason=str(first), was_live=self._live)

    async def _connect(self) -> None:
        connection: Any = self._connections.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        self._outgoing = asyncio.Queue()
        self._awaited.clear()
        self._connection = connection
        for pattern in _PATTERNS:
            self._send("PSUBSCRIBE", pattern)
        for site in sorted(self._wanted):
            self._send("SUBSCRIBE", keys.telemetry_channel(site))
        self._restoring = set(self._awaited)

    def _send(self, command: str, channel: str) -> None:
        self._awaited[channel.encode()] += 1
        self._outgoing.put_nowait((command, channel))

    async def _drop(self) -> None:
        self._set_live(False)
        connection, self._connection = self._connection, None
        if connection is not None:
            # nowait: a frozen server never finishes a polite goodbye
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                await connection.disconnect(nowait=True)

    async def _write(self) -> None:
        while True:
            await self._connection.send_command(*await self._outgoing.get())

    async def _ping(self) -> None:
        while True:
            self._answered.clear()
            self._outgoing.put_nowait(("PING",))
            try:
                async with asyncio.timeout(self._deadline):
                    await self._answered.wait()
            except TimeoutError:
                raise _DeafError(f"no answer for {self._deadline:g} s") from None
            await asyncio.sleep(PING_INTERVAL)

    async def _read(self) -> None:
        while True:
            message = await self._connection.read_response(timeout=math.inf)
            self._answered.set()
            self._heard_ms = time.time_ns() // 1_000_000
            if not isinstance(message, list):
                raise _DeafError("the server has forgotten the subscription")
            kind = message[0]
            if kind == b"message":
                self._deliver(message[1], message[2])
            elif kind == b"pmessage":
                self._deliver(message[2], message[3])
            elif kind in _CONFIRMED:
                self._confirm(message[1])

    def _confirm(self, channel: bytes) -> None:
        self._awaited[channel] -= 1
        if self._awaited[channel] > 0:
            return
        del self._awaited[channel]
        self._restoring.discard(channel)
        if self._live:
            self._wake(channel)
        elif not self._restoring:
            self._set_live(True)
            for waited in list(self._waiters):
                if not self._awaited[waited]:
                    self._wake(waited)

    def _wake(self, channel: bytes) -> None:
        for waiter in self._waiters.pop(channel, ()):
            if not waiter.done():
                waiter.set_result(None)

    def _set_live(self, live: bool) -> None:
        if live == self._live or self._listener is None:
            return
        self._live = live
        if not live:
            self._lost_at = self._heard_ms
            self._listener.on_live_changed(False)
            return
        log.info("redis_subscription_live", sites=len(self._wanted))
        self._listener.on_live_changed(True)
        if self._lost_at is not None:
            self._listener.on_resubscribed(self._lost_at)

    def _deliver(self, name: bytes, payload: bytes) -> None:
        assert self._listener is not None  # noqa: S101 -- set by start(), before anything is read
        channel = name.decode(errors="replace")
        try:
            if channel.startswith("user:"):
                self._listener.on_user_event(*keys.parse_user_channel(channel), payload)
                return
            kind, site = keys.parse_site_channel(channel)
        except ValueError:
            log.warning("unknown_channel", channel=channel[:80])
            return
        match kind:
            case "telemetry":
                self._listener.on_telemetry(site, payload)
            case "alerts":
                self._listener.on_alert(site, payload)
            case "commands":
                self._listener.on_command(site, payload)
