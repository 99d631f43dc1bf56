"""One browser tab's socket, without the browser: it watches one site and notes what comes and when it ends."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from ems_contract.frames import SUBPROTOCOL
from websockets import Origin, Subprotocol
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

LIVE = frozenset({"telemetry", "snapshot", "alert"})


class Listener:
    """Starts when it is made. Times are of `time.monotonic`."""

    def __init__(self, url: str, origin: str, token: str, site: int, edge: str) -> None:
        """`edge`: whose numbered batches are noted in `heard`."""
        self._url, self._origin, self._token = url, origin, token
        self._site = f"site_{site}"
        self._edge = edge
        self._socket: ClientConnection | None = None
        self._last_kind = ""
        self.last_frame: float | None = None
        """When the last frame with anything of the site came."""
        self.heard: list[int] = []
        self.gaps = 0
        self.close_code: int | None = None
        self.streaming = asyncio.Event()
        self.task = asyncio.create_task(self._run())

    def __repr__(self) -> str:
        state = "over" if self.over else "connecting" if self._socket is None else "open"
        age = "never" if self.last_frame is None else f"{time.monotonic() - self.last_frame:.1f} s ago"
        return f"Listener({state}, last said {self._last_kind!r}, last frame of the site {age}, gaps {self.gaps})"

    @property
    def over(self) -> bool:
        return self.task.done()

    @property
    def interrupted(self) -> bool:
        """It was closed, told of a gap, or missed one of the numbered batches."""
        consecutive = not self.heard or self.heard == list(range(self.heard[0], self.heard[-1] + 1))
        return self.over or self.gaps > 0 or not consecutive

    async def renew(self, token: str) -> None:
        if self._socket is not None:
            await self._socket.send(json.dumps({"type": "auth", "token": token}))

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        await self.task

    async def _run(self) -> None:
        try:
            async with connect(
                self._url,
                origin=Origin(self._origin),
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                proxy=None,
                max_size=None,
                open_timeout=30,
                ping_interval=None,
            ) as socket:
                self._socket = socket
                await socket.send(json.dumps({"type": "auth", "token": self._token}))
                async for message in socket:
                    await self._hear(json.loads(message))
        except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
            pass
        finally:
            if self._socket is not None:
                self.close_code = self._socket.close_code

    async def _hear(self, frame: dict[str, Any]) -> None:
        assert self._socket is not None  # noqa: S101 -- it heard something
        kind = self._last_kind = str(frame["type"])
        if kind == "welcome":
            await self._socket.send(json.dumps({"type": "subscribe", "sites": [self._site]}))
        elif kind == "gap":
            self.gaps += 1
        elif kind in LIVE and frame["site"] == self._site:
            self.last_frame = time.monotonic()
            if kind == "telemetry":
                self.heard += [batch["seq"] for batch in frame["batches"] if batch["edge"] == self._edge]
                if self.heard:
                    self.streaming.set()


async def until_streaming(listeners: list[Listener], seconds: float) -> None:
    """Raises TimeoutError if one of them does not get anything in time."""
    async with asyncio.timeout(seconds):
        for listener in listeners:
            await listener.streaming.wait()
