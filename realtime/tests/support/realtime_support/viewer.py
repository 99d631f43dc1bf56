"""A client of `ems.v1`, on the `websockets` library, that keeps the rules a browser keeps."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from realtime_support.running import ORIGIN

Frame = dict[str, Any]


class Viewer:
    """Frames are read in the background into `frames`; `seen` holds what the rule of the contract lets through."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Frame] = []
        self.seen: dict[tuple[str, str], list[int]] = {}
        """(site, edge) -> every seq applied, in order; a snapshot counts as one."""
        self._floor: dict[tuple[str, str, str], int] = {}
        self._taken = 0
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, url: str, *, origin: str | None = ORIGIN, **options: Any) -> Self:
        return cls(await connect(url, origin=origin, subprotocols=["ems.v1"], max_size=None, proxy=None, **options))

    @classmethod
    async def login(cls, url: str, token: str, *sites: int, **options: Any) -> Self:
        """Connected, welcomed, and subscribed with a snapshot of each site in hand."""
        viewer = await cls.connect(url, **options)
        await viewer.send(type="auth", token=token)
        await viewer.next("welcome")
        if sites:
            await viewer.subscribe(*sites)
            for _ in sites:
                await viewer.next("snapshot")
        return viewer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self.socket.close()
        await self._reader

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def subscribe(self, *sites: int | str) -> None:
        names = [site if isinstance(site, str) else f"site_{site}" for site in sites]
        await self.send(type="subscribe", sites=names)

    async def _read(self) -> None:
        try:
            async for message in self.socket:
                frame = json.loads(message)
                self._apply(frame)
                self.frames.append(frame)
                self._news.set()
        except ConnectionClosed:
            pass
        finally:
            self._news.set()

    def _apply(self, frame: Frame) -> None:
        if frame["type"] not in ("snapshot", "telemetry"):
            return
        for batch in frame["batches"]:
            key = (frame["site"], batch["edge"], batch["boot"])
            if frame["type"] == "snapshot":
                self._floor[key] = batch["seq"]
            elif batch["seq"] <= self._floor.get(key, 0):
                continue
            self.seen.setdefault((frame["site"], batch["edge"]), []).append(batch["seq"])

    async def next(self, *kinds: str, seconds: float = 10.0) -> Frame:
        """The next frame of one of these types that was not taken yet; others are passed over."""
        async with asyncio.timeout(seconds):
            while True:
                while self._taken < len(self.frames):
                    frame = self.frames[self._taken]
                    self._taken += 1
                    if frame["type"] in kinds:
                        return frame
                if self._reader.done():
                    raise AssertionError(f"closed with {self.socket.close_code} while waiting for {kinds}")
                self._news.clear()
                await self._news.wait()

    async def closed(self, seconds: float = 10.0) -> int:
        """The code with which the service closed."""
        async with asyncio.timeout(seconds):
            await self.socket.wait_closed()
            await self._reader
        code = self.socket.close_code
        assert code is not None
        return code

    def types(self) -> list[str]:
        return [frame["type"] for frame in self.frames]
