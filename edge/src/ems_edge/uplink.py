"""Batches to Redis: live at once, the rest as backfill, and out of the buffer when history has them.

    offline --connect--> online: latest image, then live | backfill | evidence, side by side
       ^---- any error: close, wait with jitter, refused: ask for a new session ---'

Live: a batch just made is XADDed to the edge's stream, becomes the latest image and is PUBLISHed, in one pipeline. What
is made while Redis is away is given back to the buffer and is never published: it goes through the backfill stream, as
does every resend. In flight is bounded in bytes. At the bound, or when Redis takes no more, live goes on with image and
PUBLISH alone, and the batch is left to backfill.

Delivery: at least once into a stream, and the receipt makes it exactly once in history. A batch is deleted from the
buffer only when the receipt lists it, and sent again only on evidence (`evidence.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from ems_contract.keys import Lane
from ems_contract.provisioning import RedisAccess

from ems_edge.buffer import Buffer, BufferFullError, Name
from ems_edge.clock import Clock
from ems_edge.evidence import Evidence
from ems_edge.image import Image
from ems_edge.pace import Pace
from ems_edge.redis_door import DEADLINE, RedisAwayError, RedisDoor, RedisRefusedError
from ems_edge.window import GRACE, StreamId, Window

log = structlog.get_logger()

BACKOFF_FIRST, BACKOFF_LAST = 0.2, 5.0
TIME_EVERY = 30.0
LIVE_AGE = 10.0
"""A batch that could not be published for so long is no longer live."""
LIVE_AT_ONCE = 64
CHUNK_BYTES, CHUNK_COUNT = 131_072, 256
"""Backfill's step: small, so that a live batch never waits long behind it."""
FULL_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Tuning:
    """Bytes in flight of both lanes together and of backfill alone; backfill's bytes a second; and seconds.

    `look`: how often receipts are read; `look_in_backfill`: the same while backfill waits for them.
    """

    in_flight: int = 16 * 1_048_576
    backfill_in_flight: int = 8 * 1_048_576
    backfill_rate: float = 3.5 * 1_048_576
    look: float = 1.0
    look_in_backfill: float = 0.2
    grace: float = GRACE
    deadline: float = DEADLINE


@dataclass(frozen=True, slots=True)
class _Offered:
    name: Name
    payload: bytes
    at: float


Companion = Callable[[RedisDoor], Coroutine[Any, Any, None]]
"""What else is done in Redis as long as one connection lasts; raises what RedisDoor does."""


class Uplink:
    """`refused` asks for a new session, `config_changed` for a new configuration; `companions` share a connection."""

    def __init__(
        self,
        site: int,
        edge: int,
        buffer: Buffer,
        clock: Clock,
        image: Image,
        access: RedisAccess,
        *,
        refused: Callable[[], None],
        config_changed: Callable[[], None],
        companions: Sequence[Companion] = (),
        tuning: Tuning | None = None,
    ) -> None:
        self._site = site
        self._edge = edge
        self._buffer = buffer
        self._clock = clock
        self._access = access
        self._image = image
        self._refused = refused
        self._config_changed = config_changed
        self._companions = companions
        self._tuning = tuning or Tuning()
        self._window = Window(self._tuning.grace)
        self._backfilled = -math.inf
        """When backfill last sent something."""
        self._offered: list[_Offered] = []
        self._wake_live = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._wake_backfill = asyncio.Event()
        self._surveyed = asyncio.Event()
        self._moved = asyncio.Event()
        self._full_until = 0.0
        self.online = False
        self._was_online = False
        self._away = "not connected yet"

    @property
    def problem(self) -> str:
        """Why nothing gets through, for /readyz; empty when all is well."""
        if self.online:
            return "redis takes no batches" if time.monotonic() < self._full_until else ""
        return self._away

    # What others call --------------------------------------------------------------------------------------------

    def offer(self, name: Name, payload: bytes) -> None:
        """A committed batch, lent to us."""
        if not self.online:
            self._give_back([name])
            return
        self._offered.append(_Offered(name, payload, time.monotonic()))
        self._idle.clear()
        self._wake_live.set()

    def use(self, access: RedisAccess) -> None:
        """From a new session. Another address means another connection; a new password waits for the next one."""
        moved, self._access = access.url != self._access.url, access
        if moved or not self.online:
            self._moved.set()

    async def flush(self, deadline: float) -> None:
        """Wait until what was offered is published, `deadline` s at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                await self._idle.wait()

    async def run(self) -> None:
        """Until cancelled."""
        backoff = BACKOFF_FIRST
        while True:
            started = time.monotonic()
            try:
                await self._connection()
            except* RedisRefusedError as group:
                self._offline(f"refused: {group.exceptions[0]}")
                self._refused()
            except* RedisAwayError as group:
                self._offline(str(group.exceptions[0]))
            if time.monotonic() - started > 2 * BACKOFF_LAST:
                backoff = BACKOFF_FIRST
            self._moved.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(backoff * random.uniform(0.5, 1.0)):  # noqa: S311 -- jitter
                    await self._moved.wait()
            backoff = min(backoff * 2, BACKOFF_LAST)

    # One connection ----------------------------------------------------------------------------------------------

    async def _connection(self) -> None:
        redis = RedisDoor(self._site, self._edge, lambda: self._access, self._tuning.deadline)
        self._moved.clear()
        self._surveyed.clear()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._clock.measure(*await redis.time())
                if (image := self._image.encode()) is not None:
                    await redis.set_latest(image)
                self.online = self._was_online = True
                log.info("redis connected", in_flight=len(self._window), offset_ms=self._clock.offset)
                tasks.create_task(self._live(redis))
                tasks.create_task(self._look(redis))
                tasks.create_task(self._backfill(redis))
                tasks.create_task(self._watch_config(redis))
                tasks.create_task(self._watch_move())
                for companion in self._companions:
                    tasks.create_task(companion(redis))
        finally:
            self.online = False
            self._give_back([offered.name for offered in self._offered])
            self._offered.clear()
            self._idle.set()
            await redis.close()

    def _offline(self, problem: str) -> None:
        if problem != self._away or self._was_online:
            log.warning("redis away", problem=problem)
        self._away, self._was_online = problem, False

    async def _live(self, redis: RedisDoor) -> None:
        while True:
            await self._wake_live.wait()
            self._wake_live.clear()
            while self._offered:
                some, self._offered = self._offered[:LIVE_AT_ONCE], self._offered[LIVE_AT_ONCE:]
                await self._publish(redis, some)
            self._idle.set()

    async def _publish(self, redis: RedisDoor, offered: list[_Offered]) -> None:
        now = time.monotonic()
        fresh = [one for one in offered if now - one.at <= LIVE_AGE]
        self._give_back([one.name for one in offered if now - one.at > LIVE_AGE])
        size = sum(len(one.payload) for one in fresh)
        durable = self._window.bytes + size <= self._tuning.in_flight and now >= self._full_until
        ids: list[StreamId | None] | None = None
        try:
            ids = await redis.publish([one.payload for one in fresh], self._image.encode(), durable)
        finally:
            if durable:
                self._take_off("stream", [(one.name, len(one.payload)) for one in fresh], ids)
            else:
                self._give_back([one.name for one in fresh])

    def _take_off(self, lane: Lane, sent: list[tuple[Name, int]], ids: list[StreamId | None] | None) -> None:
        """`ids` is None where the connection broke: Redis may have taken them, the evidence will tell."""
        now = time.monotonic()
        for (name, size), at in zip(sent, ids or [None] * len(sent), strict=True):
            if at is not None or ids is None:
                self._window.put(name, size, lane, at, now)
            else:
                self._full_until = now + FULL_PAUSE
                self._give_back([name])

    def _give_back(self, names: list[Name]) -> None:
        if names:
            self._buffer.give_back(names)
            self._wake_backfill.set()

    # Backfill ------------------------------------------------------------------------------------------------------

    async def _backfill(self, redis: RedisDoor) -> None:
        await self._surveyed.wait()
        pace = Pace(self._tuning.backfill_rate)
        while True:
            self._wake_backfill.clear()
            room = min(
                self._tuning.backfill_in_flight - self._window.bytes_in("backfill"),
                self._tuning.in_flight - self._window.bytes,
            )
            possible = room > 0 and time.monotonic() >= self._full_until
            lent = await self._begin(min(room, CHUNK_BYTES)) if possible else []
            if not lent:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FULL_PAUSE):
                        await self._wake_backfill.wait()
                continue
            self._backfilled = time.monotonic()
            ids: list[StreamId | None] | None = None
            try:
                ids = await redis.add("backfill", [payload for _, payload in lent])
            finally:
                self._take_off("backfill", [(name, len(payload)) for name, payload in lent], ids)
            await pace.passed(sum(len(payload) for _, payload in lent))

    async def _begin(self, max_bytes: int) -> list[tuple[Name, bytes]]:
        try:
            return [(lent.name, lent.payload) for lent in await self._buffer.begin(max_bytes, CHUNK_COUNT)]
        except BufferFullError as error:
            log.error("cannot read for backfill", problem=str(error))
            return []

    # Evidence ------------------------------------------------------------------------------------------------------

    async def _look(self, redis: RedisDoor) -> None:
        evidence = Evidence(redis, self._buffer, self._window, self._give_back, self._wake_backfill.set)
        await evidence.settle()
        await evidence.survey()
        self._surveyed.set()
        measured = time.monotonic()
        while True:
            waiting = self._window.bytes_in("backfill") or time.monotonic() - self._backfilled < self._tuning.look
            await asyncio.sleep(self._tuning.look_in_backfill if waiting else self._tuning.look)
            await evidence.look()
            if time.monotonic() - measured > TIME_EVERY:
                self._clock.measure(*await redis.time())
                measured = time.monotonic()

    # Configuration ---------------------------------------------------------------------------------------------------

    async def _watch_config(self, redis: RedisDoor) -> None:
        async for _ in redis.config_changes():
            self._config_changed()

    async def _watch_move(self) -> None:
        await self._moved.wait()
        raise RedisAwayError("the session names another Redis")
