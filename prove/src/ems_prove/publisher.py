"""Numbered batches of an edge that does not exist, on a site's live channel, and the ledger of when each was sent.

As an edge does it: first the latest image, then the batch. What the sockets heard is held against this.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from types import TracebackType
from typing import Self

from ems_contract import keys
from ems_contract.telemetry import Batch, Reading, encode_batch
from ems_stack.stack import Stack
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

EDGE = "edge_999999"
_TIMEOUT = 2.0


class Publisher:
    """`every` s one batch of `points` values, from `async with` to its end; `pause` and `go_on` in between.

    `at` and `sent`: seq -> when it was handed to Redis, by `time.monotonic` and in ms since the epoch. `unconfirmed`:
    seqs that Redis did not answer for; nobody knows whether they were published.
    """

    def __init__(self, stack: Stack, site: int, every: float, points: int = 1) -> None:
        self._redis = Redis.from_url(
            stack.table.redis_url("stack"),
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        self._site = site
        self._every = every
        self._points = [f"beacon.value_{number}" for number in range(points)]
        self._boot = str(uuid.uuid4())
        self._shining = asyncio.Event()
        self._idle = asyncio.Event()
        self.last = 0
        self.at: dict[int, float] = {}
        self.sent: dict[int, int] = {}
        self.unconfirmed: set[int] = set()

    async def __aenter__(self) -> Self:
        await self.publish()  # so that the first snapshot has the edge
        self._task = asyncio.create_task(self._shine(), name=f"publisher-{self._site}")
        self.go_on()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._redis.aclose()

    def go_on(self) -> None:
        self._shining.set()

    async def pause(self) -> int:
        """The last seq; no other follows until `go_on`."""
        self._shining.clear()
        await self._idle.wait()
        return self.last

    async def publish(self) -> None:
        """One batch, now."""
        seq, self.last = self.last + 1, self.last + 1
        now = time.time_ns() // 1_000_000
        values: dict[str, float | None] = {point: float(seq) for point in self._points}
        payload = encode_batch(Batch(1, EDGE, self._boot, seq, now, [Reading(now, values)]))
        self.at[seq], self.sent[seq] = time.monotonic(), now
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hset(keys.telemetry_latest(self._site), EDGE, payload)
        pipeline.publish(keys.telemetry_channel(self._site), payload)
        try:
            await pipeline.execute()
        except (RedisError, OSError, TimeoutError):
            self.unconfirmed.add(seq)

    async def _shine(self) -> None:
        due = time.monotonic()
        while True:
            if not self._shining.is_set():
                self._idle.set()
                await self._shining.wait()
                self._idle.clear()
                due = time.monotonic()
            await self.publish()
            due = max(due + self._every, time.monotonic() - self._every)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
