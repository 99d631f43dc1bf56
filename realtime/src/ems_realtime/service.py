"""Everything wired together: what one process of this service consists of."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from ems_realtime.addresses import counted
from ems_realtime.broker_redis import RedisBroker
from ems_realtime.connection import Connection, Receive
from ems_realtime.grant_cache import CacheUnavailableError, GrantCache
from ems_realtime.grants import Grants
from ems_realtime.hub import Hub
from ems_realtime.metrics import Metrics
from ems_realtime.outbox import Outbox
from ems_realtime.session import Session
from ems_realtime.settings import Settings
from ems_realtime.validation import Validator
from ems_realtime.wire import Wire

log = structlog.get_logger()

COMPARISON_PAUSE = 0.5


class Service:
    """Create it in the event loop that it will run in."""

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics()
        self._settings = settings
        self._redis = _client(settings)
        self._broker = RedisBroker(settings.redis_url, self._redis, deadline=settings.redis_deadline)
        self._validator = Validator(
            settings.backend_url,
            rate=settings.validations_per_second,
            timeout=settings.backend_timeout,
            metrics=self.metrics,
        )
        self._cache = GrantCache(self._redis)
        self._grants = Grants(self._cache, self._validator, ttl=settings.grant_ttl, metrics=self.metrics)
        self._hub = Hub(self._broker, settings, self.metrics)
        self._hub.after_interruption = self._compare_epochs_soon
        self._hub.before_recheck = self._grants.distrust
        self._comparison: asyncio.Task[None] | None = None
        self.metrics.gauge("redis_live", "1 while the subscription is heard.", lambda: float(self._broker.live))

    async def start(self) -> None:
        asyncio.get_running_loop().set_exception_handler(self._count_fault)
        await self._broker.start(self._hub)
        self._hub.start()

    async def drain(self) -> None:
        log.info("draining", seconds=self._settings.drain)
        await self._hub.drain(self._settings.drain)
        self._validator.give_up()  # those who wait for it are closed already

    async def stop(self) -> None:
        self._hub.stop()
        if self._comparison is not None:
            comparison, self._comparison = self._comparison, None
            comparison.cancel()
        await self._broker.stop()
        await self._validator.aclose()
        await self._redis.aclose()

    async def serve(self, wire: Wire, address: str, receive: Receive) -> None:
        """One accepted connection, until it is over."""
        outbox = Outbox(wire, self._settings.outbox_bytes, asyncio.get_running_loop().time())
        session = Session(counted(address), outbox)
        log.info("session_opened", session=session.id, address=address)
        try:
            await Connection(session, self._hub, self._grants, self._settings).run(receive)
        except Exception:  # uvicorn tells it
            self.metrics.count("errors")
            raise

    async def readiness(self) -> tuple[bool, dict[str, str]]:
        """Whether new viewers should be sent here, and the state of each thing that this depends on.

        A backend that is down does not make the service unready: open sessions and cached grants go on, and
        taking every process out of the load balancer would end them.
        """
        state = {
            "redis": "ok" if self._broker.live else "not heard",
            "backend": "ok" if await self._validator.reachable() else "unreachable",
            "service": "draining" if self._hub.draining else "ok",
        }
        return self._broker.live and not self._hub.draining, state

    def _count_fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What was raised where nobody waits for it: in a callback, or in a task that nobody asks."""
        self.metrics.count("errors")
        loop.default_exception_handler(context)

    def _compare_epochs_soon(self) -> None:
        if self._comparison is not None:
            self._comparison.cancel()
        self._comparison = asyncio.create_task(self._compare_epochs(), name="compare-epochs")
        self._comparison.add_done_callback(self._compared)

    def _compared(self, task: asyncio.Task[None]) -> None:
        """A fault of ours must not leave a change of access unnoticed: it is told, and the comparison begins again."""
        if task.cancelled() or (fault := task.exception()) is None:
            return
        self.metrics.count("errors")
        log.error("epochs_not_compared", exc_info=fault)
        if task is self._comparison:
            asyncio.get_running_loop().call_later(COMPARISON_PAUSE, self._compare_epochs_soon)

    async def _compare_epochs(self) -> None:
        """After an interruption: who may have missed a change of access? A lower epoch means that Redis lost data.

        Asked until Redis answers: a session that missed a change would otherwise go on until its next renewal.
        """
        epochs = await self._current_epochs()
        while epochs is None:
            await asyncio.sleep(COMPARISON_PAUSE)
            epochs = await self._current_epochs()
        for user, epoch in epochs.items():
            for session in self._hub.sessions_of(user):
                if session.epoch != epoch:
                    session.recheck(session.epoch is not None and epoch > session.epoch)

    async def _current_epochs(self) -> dict[int, int] | None:
        """Of everyone who is connected now; None if Redis does not say."""
        try:
            return await self._cache.epochs(self._hub.users)
        except CacheUnavailableError as error:
            log.warning("epochs_not_compared", problem=str(error))
            return None


def _client(settings: Settings) -> Redis:
    """For reading images, grants and epochs. One retry, for a connection that died while it was idle."""
    pool = BlockingConnectionPool.from_url(
        settings.redis_url,
        protocol=2,
        max_connections=32,
        timeout=settings.redis_timeout,
        socket_timeout=settings.redis_timeout,
        socket_connect_timeout=settings.redis_timeout,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        client_name="ems-realtime",
    )
    return Redis.from_pool(pool)
