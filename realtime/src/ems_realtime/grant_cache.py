"""Grants and epochs in Redis, shared by all processes of this service. Only hashes of tokens are keys."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from ems_contract import keys
from ems_contract.access import Grant
from redis.asyncio import Redis
from redis.exceptions import RedisError


class CacheUnavailableError(ConnectionError):
    """Redis cannot be asked right now."""


class Entry(msgspec.Struct, frozen=True):
    """A grant, the user's epoch read before it was validated, and when that was (ms since the epoch)."""

    epoch: int
    validated: int
    grant: Grant


_entry = msgspec.json.Decoder(Entry)


class GrantCache:
    def __init__(self, client: Redis) -> None:
        self._client = client

    async def look_up(self, token_hash: str, user: int) -> tuple[int, Entry | None]:
        """The user's current epoch, and what is cached for the token. Raises CacheUnavailableError."""
        try:
            pipeline = self._client.pipeline(transaction=False)
            pipeline.get(keys.user_epoch(user))
            pipeline.get(keys.grant(token_hash))
            epoch, cached = await pipeline.execute()
        except (RedisError, OSError, TimeoutError) as error:
            raise CacheUnavailableError(type(error).__name__) from None
        try:
            entry = _entry.decode(cached) if cached else None
        except (msgspec.DecodeError, UnicodeError):
            entry = None  # written by another version: ask anew
        return _number(epoch), entry

    async def store(self, token_hash: str, entry: Entry, seconds: int) -> None:
        """Raises CacheUnavailableError."""
        try:
            await self._client.set(keys.grant(token_hash), msgspec.json.encode(entry), ex=seconds)
        except (RedisError, OSError, TimeoutError) as error:
            raise CacheUnavailableError(type(error).__name__) from None

    async def epochs(self, users: Iterable[int]) -> dict[int, int]:
        """Each user's current epoch. Raises CacheUnavailableError."""
        wanted = list(users)
        pipeline = self._client.pipeline(transaction=False)
        for user in wanted:
            pipeline.get(keys.user_epoch(user))
        try:
            found = await pipeline.execute()
        except (RedisError, OSError, TimeoutError) as error:
            raise CacheUnavailableError(type(error).__name__) from None
        return {user: _number(epoch) for user, epoch in zip(wanted, found, strict=True)}


def _number(epoch: bytes | None) -> int:
    """A user whose access never changed has no epoch yet: 0."""
    if epoch is None:
        return 0
    if not epoch.isdigit():
        raise CacheUnavailableError("an epoch in Redis is not a number")
    return int(epoch)
