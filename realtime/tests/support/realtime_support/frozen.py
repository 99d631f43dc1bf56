"""A client that logs in, subscribes, and then reads nothing any more. Its kernel takes as little as it may."""

from __future__ import annotations

import asyncio
from typing import Self

from realtime_support.raw import RawClient


class FrozenReader(RawClient):
    @classmethod
    async def subscribed(cls, port: int, token: str, *sites: int) -> Self:
        return await asyncio.to_thread(cls._subscribed, port, token, sites)

    @classmethod
    def _subscribed(cls, port: int, token: str, sites: tuple[int, ...]) -> Self:
        reader = cls.opened(port, window=4_096)
        reader.send(type="auth", token=token)
        reader.send(type="subscribe", sites=[f"site_{site}" for site in sites])
        reader.read_until(b'"snapshot"', len(sites))
        return reader

    async def cut_off(self, seconds: float) -> None:
        """Returns when the service has cut the connection; what was sent before is read and thrown away."""
        async with asyncio.timeout(seconds):
            await asyncio.to_thread(self.end, seconds)

    def close(self) -> None:
        self.socket.close()
