"""The broker on Redis pub/sub: one subscription connection at a time, kept by hand, and a pool for reading.

redis-py's own PubSub reconnects in silence, which would hide exactly what viewers must be told: that something may be
missing. Here a connection is used once (`redis_subscription.py`). When it ends, a new one is made, everything wanted
is subscribed again, and the listener is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

import structlog
from ems_contract import keys
from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import RedisError

from ems_realtime.broker import (
    MAX_EDGES,
    MAX_IMAGES_BYTES,
    BrokerUnavailableError,
    ImagesRefusedError,
    Listener,
)
from ems_realtime.redis_subscription import Subscription

log = structlog.get_logger()

BACKOFF_FIRST, BACKOFF_MOST = 0.1, 1.0
_PATTERNS = (keys.ALERTS_PATTERN, keys.COMMANDS_PATTERN, keys.USERS_PATTERN)


class RedisBroker:
    """`deadline` in s: how long the subscription may be silent after a ping. `client` reads `latest`."""

    def __init__(self, url: str, client: Redis, *, deadline: float = 5.0) -> None:
        # RESP2: a subscribed connection answers PING with a list, any other one with a string.
        self._connections = ConnectionPool.from_url(url, protocol=2, socket_timeout=None, client_name="ems-realtime")
        self._client = client
        self._deadline = deadline
        self._listener: Listener | None = None
        self._task: asyncio.Task[None] | None = None
        self._subscription: Subscription | None = None
        self._wanted: dict[bytes, Callable[[bytes], None]] = {}  # channel of a watched site -> who hears its batches
        self._awaited: Counter[bytes] = Counter()  # channel -> subscriptions sent and not yet confirmed
        self._restoring: set[bytes] = set()  # what must be confirmed before a new connection is live
        self._waiters: dict[bytes, set[asyncio.Future[None]]] = {}
        self._live = False
        self._lost_at: int | None = None

    @property
    def live(self) -> bool:
        return self._live

    @property
    def lag(self) -> float:
        """Seconds that the last ping on the subscription itself took."""
        return self._subscription.lag if self._subscription is not None else 0.0

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
        assert self._listener is not None  # noqa: S101 -- set by start()
        channel = keys.telemetry_channel(site).encode()
        self._wanted[channel] = partial(self._listener.on_telemetry, site)
        if self._subscription is not None:
            self._subscribe(self._subscription, "SUBSCRIBE", channel)
        waiter = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(channel, set())
        waiters.add(waiter)
        try:
            await waiter
        finally:
            waiters.discard(waiter)
            if not waiters and self._waiters.get(channel) is waiters:
                del self._waiters[channel]

    def unwatch(self, site: int) -> None:
        channel = keys.telemetry_channel(site).encode()
        self._wanted.pop(channel, None)
        if self._subscription is not None:
            self._subscription.send("UNSUBSCRIBE", channel)

    async def latest(self, site: int) -> dict[str, bytes]:
        key = keys.telemetry_latest(site)
        try:
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hlen(key)
            pipeline.memory_usage(key, samples=MAX_EDGES)
            edges, size = await pipeline.execute()
            if edges > MAX_EDGES or (size or 0) > MAX_IMAGES_BYTES:
                raise ImagesRefusedError(edges, size)
            answer: Mapping[bytes, bytes] = await self._client.hgetall(key)  # type: ignore[assignment]
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
            subscription = Subscription(self._hear, self._hear_pattern, self._confirm)
            try:
                async with asyncio.timeout(self._deadline):
                    await subscription.open(self._connections)
                self._restore(subscription)
                backoff = BACKOFF_FIRST
                await subscription.run(self._deadline)
            except* (RedisError, OSError, TimeoutError) as errors:
                self._report(errors)
            finally:
                self._drop(subscription)
                await subscription.close()
            await asyncio.sleep(random.uniform(backoff / 2, backoff))  # noqa: S311 -- spreads reconnects
            backoff = min(backoff * 2, BACKOFF_MOST)

    def _report(self, errors: BaseExceptionGroup[Exception]) -> None:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        log.warning("redis_subscription_lost", error=type(first).__name__, reason=str(first), was_live=self._live)

    def _restore(self, subscription: Subscription) -> None:
        """Ask for everything that is wanted; live once all of it is confirmed."""
        self._awaited.clear()
        self._subscription = subscription
        for pattern in _PATTERNS:
            self._subscribe(subscription, "PSUBSCRIBE", pattern.encode())
        for channel in self._wanted:
            self._subscribe(subscription, "SUBSCRIBE", channel)
        self._restoring = set(self._awaited)

    def _subscribe(self, subscription: Subscription, command: str, channel: bytes) -> None:
        self._awaited[channel] += 1
        subscription.send(command, channel)

    def _drop(self, subscription: Subscription) -> None:
        self._set_live(False, subscription.heard_ms)
        self._subscription = None

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

    def _set_live(self, live: bool, heard_ms: int = 0) -> None:
        if live == self._live or self._listener is None:
            return
        self._live = live
        if not live:
            self._lost_at = heard_ms
            self._listener.on_live_changed(False)
            return
        log.info("redis_subscription_live", sites=len(self._wanted))
        self._listener.on_live_changed(True)
        if self._lost_at is not None:
            self._listener.on_resubscribed(self._lost_at)

    def _hear(self, channel: bytes, payload: bytes) -> None:
        hear = self._wanted.get(channel)
        if hear is not None:
            hear(payload)

    def _hear_pattern(self, name: bytes, payload: bytes) -> None:
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
            case "alerts":
                self._listener.on_alert(site, payload)
            case "commands":
                self._listener.on_command(site, payload)
