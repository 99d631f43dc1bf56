"""uvicorn's HTTP and its server, bounded. This and `wire_uvicorn.py` are all that knows of uvicorn: it is pinned."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import ClassVar
from weakref import WeakKeyDictionary

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import Server, ServerState

from ems_realtime.wire_uvicorn import CLOSE_TIMEOUT

HANDSHAKE_TIMEOUT = 10.0
MAX_REQUEST_BYTES = 32_768
"""Of everything that a connection says before it is a WebSocket."""
MAX_ASKING = 2_000
"""Connections that have not finished asking; one more ends the oldest of them."""


class HandshakeProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, bounded: in the time and in the bytes that a connection may take to say what it wants, and in
    how many may be at it. One request for each connection; nothing here is asked often enough for more.
    """

    _asking: ClassVar[WeakKeyDictionary[ServerState, dict[HandshakeProtocol, None]]] = WeakKeyDictionary()
    """Of each server, the oldest first."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._received = 0
        self._patience = self.loop.call_later(HANDSHAKE_TIMEOUT, transport.abort)
        asking = self._asking.setdefault(self.server_state, {})
        asking[self] = None
        if len(asking) > MAX_ASKING:
            oldest = next(iter(asking))
            del asking[oldest]
            oldest.transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._received <= MAX_REQUEST_BYTES:
            super().data_received(data)
        elif not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n")
            self.transport.close()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        one_answer: bool = self.cycle is not None  # uvicorn's types say that it is always there; it is not
        if one_answer:
            self.cycle.keep_alive = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._asked()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        # Behind another request, the answer to that one would come in the midst of frames. HTTP/1.0 knows no upgrade,
        # and uvicorn would hand it on as 1.1.
        behind_another: bool = self.cycle is not None  # as above
        if behind_another or self.scope["http_version"] != "1.1":
            self.send_400_response("A WebSocket begins with the first request of a connection, in HTTP/1.1.")
            return
        self._asked()
        super().handle_websocket_upgrade()

    def _asked(self) -> None:
        self._patience.cancel()
        self._asking[self.server_state].pop(self, None)  # it may be gone as the oldest


class DrainingServer(Server):
    """On SIGTERM: no new connections, the application says goodbye in its own time, then uvicorn's own shutdown."""

    def __init__(self, config: Config, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT + 0.5):  # by then each has answered or was cut off
                while self.server_state.connections and not self.force_exit:  # noqa: ASYNC110 -- uvicorn has no event
                    await asyncio.sleep(0.05)
        await super().shutdown(sockets)
