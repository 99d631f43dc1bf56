"""The network between a client and the service: a TCP relay that can be cut, frozen and pointed elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import ssl as tls
from typing import Self


class Relay:
    """`target`: the port it leads to; None refuses. `ssl`: it speaks TLS to clients, as an ingress does."""

    def __init__(self, target: int | None, ssl: tls.SSLContext | None = None) -> None:
        self.target = target
        self._ssl = ssl
        self.accepted = 0
        self.port = 0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._handlers: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"{'wss' if self._ssl else 'ws'}://127.0.0.1:{self.port}/ws"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._ssl)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._flowing.set()
        self._server.close()
        while self._handlers:
            self.cut()
            await asyncio.wait(self._handlers, timeout=0.1)
        await self._server.wait_closed()

    def cut(self) -> None:
        """Every connection is reset."""
        for writer in list(self._writers):
            writer.transport.abort()

    def freeze(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        handler: asyncio.Task[None] = asyncio.current_task()  # type: ignore[assignment]
        self._handlers.add(handler)
        handler.add_done_callback(self._handlers.discard)
        with contextlib.suppress(OSError):
            if self.target is None:
                raise ConnectionRefusedError
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers |= {writer, far_writer}
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
        self._writers.discard(writer)
