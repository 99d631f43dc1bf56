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
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from ems_contract.frames import CloseCode
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import Server, ServerState
from websockets.frames import CloseCode as StandardCode
from websockets.server import ServerProtocol

EXTENSION = "ems.wire"
"""The ASGI scope's extension under which the application finds its wire."""

HANDSHAKE_TIMEOUT = 10.0
MAX_REQUEST_BYTES = 32_768
"""Of everything that a connection says before it is a WebSocket."""
MAX_ASKING = 2_000
"""Connections that have not finished asking; one more ends the oldest of them."""
CLOSE_TIMEOUT = 2.0
FRAMES_PER_SECOND, FRAMES_AT_ONCE = 100, 2_048
"""Frames of any kind from one client: pings, pongs and fragments cost time too, and nobody needs many."""
SLICE = 4_096
"""Bytes read from one client before its frames are counted."""
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
        self._frames_left = float(FRAMES_AT_ONCE)
        self._counted_at = self.loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), SLICE):
            super().data_received(data[start : start + SLICE])
            if self.transport.is_closing():
                return
        if not self.handshake_initiated:  # it came whole, so it is one that `websockets` does not take
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
            self.abort_soon()

    def handle_events(self) -> None:
        """One client's flood of tiny frames would take the time of all the others."""
        now = self.loop.time()
        left = min(FRAMES_AT_ONCE, self._frames_left + (now - self._counted_at) * FRAMES_PER_SECOND)
        self._frames_left, self._counted_at = left - len(self.conn.events), now
        if self._frames_left >= 0:
            super().handle_events()
        else:
            self.conn.events_received()
            self.conn.data_to_send()  # the answers to its pings
            self._refuse(CloseCode.TOO_MANY, "too many frames")

    def send_receive_event_to_app(self) -> None:
        """uvicorn takes bad UTF-8 for an error of its own, and fails on a goodbye that comes with it."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._refuse(StandardCode.INVALID_DATA, "not UTF-8")
                return
        super().send_receive_event_to_app()

    def _refuse(self, code: int, reason: str) -> None:
        """The end, for what the client sent."""
        if self.close_sent:  # it was told already
            self.transport.abort()
            return
        if self.conn.close_sent is None:
            self.conn.fail(code, reason)
        self.handle_parser_exception()

    def eof_received(self) -> None:
        """The client says that it will send no more; it may read nothing any more either."""
        super().eof_received()
        self.abort_soon()

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:  # the application's task has been created and has not run yet
            self.scope["extensions"][EXTENSION] = UvicornWire(self)  # type: ignore[assignment]
        else:
            self.abort_soon()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        self.abort_soon()

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

    def fault(self) -> int | None:
        connection = self._protocol.conn
        sent = connection.close_sent
        return int(sent.code) if sent is not None and not connection.close_rcvd_then_sent else None

    def abort(self) -> None:
        if not self._protocol.disconnected:
            self._protocol.transport.abort()


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
