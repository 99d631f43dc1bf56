"""The few things that an edge does in Redis, each within a deadline.

redis-py raises nothing by itself when Redis is frozen and its socket open, so every call here ends after DEADLINE
seconds. Names come from the contract and everything stays within `keys.edge_acl`. Errors: RedisAwayError (try again
later, what was under way may or may not have been done), RedisRefusedError (the credentials are not, or no longer,
good). A write that Redis itself refuses because it is full or cannot persist is no error: its stream id is None.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, cast

import structlog
from ems_contract import keys
from ems_contract.keys import LANES, Lane
from ems_contract.provisioning import RedisAccess
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError, RedisError, ResponseError

from ems_edge.clock import wall_ms
from ems_edge.window import StreamId, stream_id

log = structlog.get_logger()

Page = list[tuple[bytes, dict[bytes, bytes]]]
"""What XRANGE gives: ids and fields."""

DEADLINE = 5.0
PAGE = 32
_REFUSED = (AuthenticationError, AuthorizationError, NoPermissionError)


class RedisAwayError(Exception):
    """Redis does not answer, or not now."""


class RedisRefusedError(Exception):
    """Redis does not accept this edge's user, its password, or one of its commands."""


class _Credentials(CredentialProvider):
    """Asked at each new connection, so that a renewed password needs no new client."""

    def __init__(self, access: Callable[[], RedisAccess]) -> None:
        self._access = access

    async def get_credentials_async(self) -> tuple[str, str]:
        access = self._access()
        return access.username, access.password


class RedisDoor:
    """One client of a few connections. After an error: `close`, and make a new one."""

    def __init__(self, site: int, edge: int, access: Callable[[], RedisAccess], deadline: float = DEADLINE) -> None:
        self._deadline = deadline
        self.full = ""
        """Why Redis took no batch the last time, empty when it did."""
        self._streams: dict[Lane, str] = {lane: keys.telemetry_stream(site, edge, lane) for lane in LANES}
        self._acked = keys.telemetry_acked(site, edge)
        self._latest = keys.telemetry_latest(site)
        self._status = keys.edge_status(site)
        self._channel = keys.telemetry_channel(site)
        self._config_channel = keys.config_changed_channel(edge)
        self._events = keys.edge_events_stream(site, edge)
        self._commands = keys.commands_stream(site, edge)
        self._edge_name = keys.edge_name(edge)
        self._redis: Redis = Redis.from_url(
            access().url,
            credential_provider=_Credentials(access),
            protocol=2,
            driver_info=None,
            socket_timeout=None,
            socket_connect_timeout=None,
            socket_keepalive=True,
            health_check_interval=15,
            retry=Retry(NoBackoff(), 0),
        )

    async def time(self) -> tuple[int, int, int]:
        """Redis' time between two looks at ours, all in ms: (redis, asked, answered)."""
        async with self._within_deadline():
            asked = wall_ms()
            seconds, micros = await self._redis.time()
            return int(seconds) * 1000 + int(micros) // 1000, asked, wall_ms()

    async def set_latest(self, image: bytes) -> None:
        await self._set(self._latest, image)

    async def set_status(self, status: bytes) -> None:
        await self._set(self._status, status)

    async def _set(self, hash_key: str, value: bytes) -> None:
        async with self._within_deadline():
            with contextlib.suppress(ResponseError):  # full; a permission problem shows at the next publish
                await self._redis.hset(hash_key, self._edge_name, value)

    async def publish(self, batches: Sequence[bytes], image: bytes | None, durable: bool) -> list[StreamId | None]:
        """Live: XADD (where `durable`), PUBLISH for each batch, and the image once, in one pipeline."""
        pipeline = self._redis.pipeline(transaction=False)
        for batch in batches:
            if durable:
                pipeline.xadd(self._streams["stream"], {keys.STREAM_FIELD: batch})
        if image is not None:
            pipeline.hset(self._latest, self._edge_name, image)
        for batch in batches:
            pipeline.publish(self._channel, batch)
        answers = await self._execute(pipeline)
        return [self._taken(answer) for answer in answers[: len(batches)]] if durable else [None] * len(batches)

    async def add(self, lane: Lane, batches: Sequence[bytes]) -> list[StreamId | None]:
        """XADD only."""
        pipeline = self._redis.pipeline(transaction=False)
        for batch in batches:
            pipeline.xadd(self._streams[lane], {keys.STREAM_FIELD: batch})
        return [self._taken(answer) for answer in await self._execute(pipeline)]

    async def receipts(self) -> str:
        """The text of the receipt, empty where there is none. Bytes that are no UTF-8 are replaced, not raised."""
        async with self._within_deadline():
            text = cast("bytes | None", await self._redis.get(self._acked))
        return (text or b"").decode("utf-8", "replace")

    async def heads(self) -> dict[Lane, StreamId | None]:
        """The id of each stream's first entry, None for an empty one."""
        pipeline = self._redis.pipeline(transaction=False)
        for lane in LANES:
            pipeline.xrange(self._streams[lane], count=1)
        answers = await self._execute(pipeline)
        return {
            lane: stream_id(answer[0][0]) if isinstance(answer, list) and answer else None
            for lane, answer in zip(LANES, answers, strict=True)
        }

    async def walk(self, lane: Lane) -> AsyncIterator[tuple[StreamId, bytes]]:
        """Every entry of a stream, oldest first."""
        after = "-"
        while True:
            async with self._within_deadline():
                page = cast("Page", await self._redis.xrange(self._streams[lane], min=after, count=PAGE))
            for entry_id, fields in page:
                yield stream_id(entry_id), fields.get(keys.STREAM_FIELD.encode(), b"")
            if len(page) < PAGE:
                return
            after = f"({_text(stream_id(page[-1][0]))}"

    async def commands(self, after: StreamId) -> list[tuple[StreamId, bytes]]:
        """What came after this id, oldest first, `PAGE` at most; waits for some time where there is nothing."""
        block = int(self._deadline * 500)
        async with self._within_deadline():
            found: Any = await self._redis.xread({self._commands: _text(after)}, count=PAGE, block=block)
        return [
            (stream_id(entry_id), fields.get(keys.COMMAND_FIELD.encode(), b""))
            for _, entries in found
            for entry_id, fields in entries
        ]

    async def events_stream(self) -> tuple[StreamId, int]:
        """The last id that it ever had, (0, 0) where there is no such stream, and how many entries it has."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.xinfo_stream(self._events)
        (found,) = await self._execute(pipeline)
        return _last_id(found), 0 if isinstance(found, ResponseError) else int(found["length"])

    async def tell(self, events: Sequence[bytes]) -> tuple[StreamId, list[StreamId | None]]:
        """The last id before, and those that the events got."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.xinfo_stream(self._events)
        for event in events:
            pipeline.xadd(self._events, {keys.EVENT_FIELD: event})
        found, *answers = await self._execute(pipeline)
        return _last_id(found), [self._taken(answer) for answer in answers]

    async def config_changes(self) -> AsyncIterator[None]:
        """Once for each `config_changed`; the first, None as well, when the subscription stands."""
        async with contextlib.aclosing(self._redis.pubsub()) as subscription:
            async with self._within_deadline():
                await subscription.subscribe(self._config_channel)
            while True:
                try:
                    message = await subscription.get_message(timeout=30)
                except _REFUSED as error:
                    raise RedisRefusedError(str(error)) from None
                except (RedisError, OSError) as error:
                    raise RedisAwayError(str(error)) from None
                if message is not None and message["type"] in ("subscribe", "message"):
                    yield None

    async def close(self) -> None:
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._redis.aclose()

    @contextlib.asynccontextmanager
    async def _within_deadline(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._deadline):
                yield
        except TimeoutError:
            raise RedisAwayError(f"no answer in {self._deadline:g} s") from None
        except _REFUSED as error:
            raise RedisRefusedError(str(error)) from None
        except (RedisError, OSError) as error:
            raise RedisAwayError(str(error)) from None

    async def _execute(self, pipeline: Any) -> list[Any]:
        async with self._within_deadline():
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
        for answer in answers:
            if isinstance(answer, _REFUSED):
                raise RedisRefusedError(str(answer))
        return answers

    def _taken(self, answer: object) -> StreamId | None:
        """The id that XADD gave; None where Redis took nothing."""
        if isinstance(answer, bytes):
            self.full = ""
            return stream_id(answer)
        if not isinstance(answer, ResponseError):
            raise RedisAwayError(str(answer))
        if str(answer) != self.full:
            self.full = str(answer)
            log.warning("redis takes no batches", problem=self.full)
        return None


def _text(entry: StreamId) -> str:
    return "{}-{}".format(*entry)


def _last_id(found: Any) -> StreamId:
    """Of XINFO STREAM; (0, 0) where there is no such stream."""
    if not isinstance(found, ResponseError):
        return stream_id(found["last-generated-id"])
    if "no such key" in str(found):
        return 0, 0
    raise RedisAwayError(str(found))
