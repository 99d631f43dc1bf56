"""uvicorn's sockets as wires. THE ONE FILE that touches uvicorn's and websockets' inner attributes; pinned, tested.

Why not the application's own `send`: it waits for a slow client, and its close waits for ever for a frozen one, with
all that client's memory held. Here every write is immediate, a frame is framed once for all, and whoever does not
answer a close within CLOSE_TIMEOUT is cut off.

What was found out the hard way, and is kept: never write after the close frame; a write to a closing transport may
raise and must cost that session only; `transport.close()` waits for the client to read, `abort()` does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from ems_contract.frames import CloseCode
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import Server
from websockets.frames import CloseCode as StandardCode
from websockets.server import ServerProtocol

EXTENSION = "ems.wire"
"""The ASGI scope's extension under which the application finds its wire."""

HANDSHAKE_TIMEOUT = 10.0
CLOSE_TIMEOUT = 2.0
SEND_BUFFER = 131_072
"""Bytes that the kernel may hold for one client (it doubles the figure). Left alone, it takes megabytes."""


class _StrictProtocol(ServerProtocol):
    """A message beyond the limit is a fault of the client like any other, and is named like one."""

    def fail(self, code: StandardCode | int, reason: str = "") -> None:
        if code == StandardCode.MESSAGE_TOO_BIG:
            code, reason = CloseCode.BAD_MESSAGE, "message too big"
        super().fail(code, reason)


class LiveProtocol(WebSocketsSansIOProtocol):
    """uvicorn's `websockets-sansio`, with a wire in the scope and no way to hang on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _StrictProtocol(max_size=self.config.ws_max_size, logger=self.conn.logger)
        self._abort_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:  # the application's task has been created and has not run yet
            self.scope["extensions"][EXTENSION] = UvicornWire(self)  # type: ignore[assignment]

    def handle_close(self, event: Any) -> None:
        super().handle_close(event)
        self.abort_soon()

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self.abort_soon()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.abort_soon()

    def shutdown(self) -> None:
        super().shutdown()
        self.abort_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._abort_timer is not None:
            self._abort_timer.cancel()

    def abort_soon(self) -> None:
        if self._abort_timer is None and not self.disconnected:
            self._abort_timer = self.loop.call_later(CLOSE_TIMEOUT, self.transport.abort)

    def say_goodbye(self, code: int, reason: str) -> None:
        """What uvicorn does for `websocket.close`, without waiting for the client to read first."""
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        if self.read_paused:  # the client's answer must get through
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CLOSE_TIMEOUT, self.transport.abort)


class UvicornWire:
    """A `Wire`."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: LiveProtocol) -> None:
        self._protocol = protocol

    @property
    def _open(self) -> bool:
        protocol = self._protocol
        return (
            protocol.handshake_complete
            and not protocol.close_sent
            and not protocol.disconnected
            and not protocol.transport.is_closing()
        )

    def write(self, frames: bytes) -> None:
        if self._open:
            try:
                self._protocol.transport.write(frames)
            except (OSError, RuntimeError):
                self.abort()

    def buffered(self) -> int:
        protocol = self._protocol
        if protocol.disconnected or protocol.transport.is_closing():
            return 0
        return protocol.transport.get_write_buffer_size()

    def close(self, code: int, reason: str) -> None:
        if self._open:
            try:
                self._protocol.say_goodbye(code, reason.encode()[:123].decode(errors="ignore"))
            except (OSError, RuntimeError):
                self.abort()

    def abort(self) -> None:
        if not self._protocol.disconnected:
            self._protocol.transport.abort()


class HandshakeProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, with a limit on how long a connection may take to say what it wants."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._patience = self.loop.call_later(HANDSHAKE_TIMEOUT, self._lose_patience)

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.cancel()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._patience.cancel()
        super().handle_websocket_upgrade()

    def _lose_patience(self) -> None:
        never_asked: bool = self.cycle is None  # uvicorn's types say it is always there; it is not
        if never_asked:
            self.transport.abort()


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
