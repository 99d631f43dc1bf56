"""uvicorn's sockets as wires: the WebSocket protocol that uvicorn is given as `ws`.

Why not uvicorn's own: its `send` waits for a slow client, its close waits for ever for a frozen one with all that
client's memory held, and of an idle socket it keeps the handshake, two events and a queue, 16 KB in all. Here every
write is immediate, a frame is framed once for all, whoever does not answer a close within CLOSE_TIMEOUT is cut off, and
what is done with is let go. Frames are read by `websockets`' parser; of uvicorn only what it asks of a protocol is
used.

What was found out the hard way, and is kept: never write after the close frame; a write to a closing transport may
raise and must cost that session only; `transport.close()` waits for the client to read, `abort()` does not.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any, Final, cast

from starlette.types import Message, Scope
from uvicorn.config import Config
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState
from websockets.frames import CloseCode

from ems_realtime.inbound import Inbound
from ems_realtime.upgrade import Upgrade, scope_of

EXTENSION: Final = "ems.wire"
"""The ASGI scope's extension under which the application finds its wire."""

CLOSE_TIMEOUT = 2.0
PING_SECONDS = 20.0
"""Between two pings; a client that has not answered one when the next is due is gone."""
MAX_UNHEARD = 1_048_576
"""Bytes that a client may still send once it was told of the end."""
SEND_BUFFER = 131_072
"""Bytes that the kernel may hold for one client (it doubles the figure). Left alone, it takes megabytes."""


class LiveProtocol(asyncio.Protocol):
    """One WebSocket: for uvicorn a protocol, for the application a `Wire`.

    ASGI messages: `send` knows those of the handshake, then the wire is the way out; `receive` is as in the
    specification. A message that nobody has taken yet keeps the next one in the kernel.
    """

    __slots__ = (
        "_abort_timer",
        "_config",
        "_inbound",
        "_inbox",
        "_loop",
        "_lost",
        "_open",
        "_paused",
        "_ping_timer",
        "_server",
        "_transport",
        "_unheard",
        "_upgrade",
        "_waiter",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],  # noqa: ARG002 -- the application keeps its own
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._config = config
        self._server = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._upgrade: Upgrade | None = Upgrade()
        self._inbound: Inbound | None = None
        self._inbox: list[Message] = []
        self._waiter: asyncio.Future[None] | None = None
        self._open = False
        """Frames may be written: the handshake is over, and no close was sent or heard."""
        self._lost = False
        self._paused = False
        self._unheard = 0
        self._ping_timer: asyncio.TimerHandle | None = None
        self._abort_timer: asyncio.TimerHandle | None = None

    # The transport's calls ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections.add(self)  # type: ignore[arg-type]
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def data_received(self, data: bytes) -> None:
        if self._upgrade is not None:
            self._meet(self._upgrade, data)
        elif self._inbound is not None and not self._inbound.over:
            self._hear(self._inbound, data)
        else:
            self._unheard += len(data)
            if self._unheard > MAX_UNHEARD:
                self._transport.abort()

    def eof_received(self) -> None:
        """The client says that it will send no more; it may read nothing any more either."""
        self._abort_soon()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- whatever it was
        self._open, self._lost = False, True
        for timer in (self._ping_timer, self._abort_timer):
            if timer is not None:
                timer.cancel()
        self._server.connections.discard(self)
        self._deliver(_gone(CloseCode.ABNORMAL_CLOSURE))

    def shutdown(self) -> None:
        """uvicorn's last call: it has waited for long enough."""
        if self._upgrade is not None:
            self._refuse(self._upgrade, 503)
        self.close(CloseCode.SERVICE_RESTART, "")
        self._transport.close()

    # The handshake --------------------------------------------------------------------------------------------

    def _meet(self, upgrade: Upgrade, data: bytes) -> None:
        """The client's request, as uvicorn hands it over: whole, and nothing after it."""
        request = upgrade.hear(data)
        if request is None:
            self._refuse(upgrade)
            return
        self._pause()  # until the application has answered
        self._inbox.append({"type": "websocket.connect"})
        scope = scope_of(request, self._config.root_path)
        scope["asgi"] = {"version": self._config.asgi_version, "spec_version": "2.4"}
        scope["scheme"] = "wss" if is_ssl(self._transport) else "ws"
        scope["server"] = get_local_addr(self._transport)
        scope["client"] = get_remote_addr(self._transport)
        scope["extensions"] = {"websocket.http.response": {}, EXTENSION: self}
        task = self._loop.create_task(self._run(scope))
        self._server.tasks.add(task)
        task.add_done_callback(self._finished)

    async def _run(self, scope: Scope) -> None:
        await self._config.loaded_app(scope, self.receive, self.send)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._server.tasks.discard(task)
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=fault)
        if self._upgrade is not None:
            self._refuse(self._upgrade, 500)
        elif self._open:
            self.close(CloseCode.INTERNAL_ERROR if fault else CloseCode.NORMAL_CLOSURE, "")
        self._abort_soon()

    async def send(self, message: Message) -> None:
        """The application's answer to the handshake. Nothing is sent to a client that has gone meanwhile."""
        upgrade = self._upgrade
        if upgrade is None:
            if self._open:
                raise RuntimeError(f"{message['type']} after the handshake; write to the wire instead")
            return
        match message["type"]:
            case "websocket.accept":
                self._accept(upgrade, message.get("subprotocol"), message.get("headers", ()))
            case "websocket.close":
                self._refuse(upgrade, 403)
            case "websocket.http.response.start":
                upgrade.begin_refusal(message["status"], message["headers"])
            case "websocket.http.response.body":
                upgrade.add_to_refusal(message["body"])
                if not message.get("more_body", False):
                    self._refuse(upgrade)
            case other:
                raise RuntimeError(f"{other} is no answer to a handshake")

    def _accept(self, upgrade: Upgrade, subprotocol: str | None, headers: Any) -> None:
        """What read the handshake, and all that it read, is let go here."""
        self._upgrade = None
        self._inbound = Inbound(self._config.ws_max_size, self._loop.time())
        self._say(upgrade.accepted(subprotocol, headers))
        self._open = not self._transport.is_closing()
        self._ping_timer = self._loop.call_later(PING_SECONDS, self._ping)
        self._resume()

    def _refuse(self, upgrade: Upgrade, status: int | None = None) -> None:
        self._upgrade = None
        self._say(upgrade.refused(status))
        self._deliver(_gone(CloseCode.ABNORMAL_CLOSURE))
        self._transport.close()
        self._abort_soon()

    # What the client says -------------------------------------------------------------------------------------

    def _hear(self, inbound: Inbound, data: bytes) -> None:
        messages = inbound.hear(data, self._loop.time())
        answers = inbound.answers()
        if self._open:
            self._say(answers)
            for message in messages:
                kind = "text" if isinstance(message, str) else "bytes"
                self._deliver({"type": "websocket.receive", kind: message})
                self._pause()  # until it is taken
        if inbound.over:
            self._end(inbound)

    def _end(self, inbound: Inbound) -> None:
        """The last word is said. Only our side of the connection is closed, and what still comes is read: to close it
        all would be a reset, which may take the close frame away from a client that is sending.
        """
        if self._open and inbound.closed_with is not None:
            self._open = False
            self._deliver(_gone(inbound.closed_with.code, inbound.closed_with.reason))
        self._resume()
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()
        else:
            self._transport.close()
        self._abort_soon()

    def _ping(self) -> None:
        """A client for whom bytes wait is not judged by this: a slow one reads the ping only after them, and one that
        reads nothing at all is the hub's business. Nor is one whose answer is not read, as a message of its own waits.
        """
        if not self._open or self._inbound is None:
            return
        if self._paused or self.buffered():
            self._inbound.ponged = True
        elif self._inbound.ponged:
            self._say(self._inbound.ping())
        else:
            self.close(CloseCode.INTERNAL_ERROR, "no answer to a ping")
            return
        self._ping_timer = self._loop.call_later(PING_SECONDS, self._ping)

    # What the application hears -------------------------------------------------------------------------------

    async def receive(self) -> Message:
        while not self._inbox:
            self._waiter = self._loop.create_future()
            await self._waiter
        message = self._inbox.pop(0)
        if not self._inbox and self._upgrade is None:
            self._resume()
        return message

    def _deliver(self, message: Message) -> None:
        self._inbox.append(message)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    # The wire -------------------------------------------------------------------------------------------------

    def write(self, frames: bytes) -> None:
        if self._open:
            self._say(frames)

    def buffered(self) -> int:
        return self._transport.get_write_buffer_size() if self._open else 0

    def close(self, code: int, reason: str) -> None:
        if self._open and self._inbound is not None:
            self._open = False
            reason = reason.encode()[:123].decode(errors="ignore")
            self._say(self._inbound.close(code, reason))
            self._deliver(_gone(code, reason))
            self._resume()  # the client's answer must get through
            self._abort_soon()

    def fault(self) -> int | None:
        if self._inbound is None or self._inbound.closed_with is None or self._inbound.closed_by_client:
            return None
        return int(self._inbound.closed_with.code)

    def abort(self) -> None:
        if not self._lost:
            self._transport.abort()

    def _say(self, data: bytes) -> None:
        try:
            self._transport.write(data)
        except (OSError, RuntimeError):
            self.abort()

    def _abort_soon(self) -> None:
        if self._abort_timer is None and not self._lost:
            self._abort_timer = self._loop.call_later(CLOSE_TIMEOUT, self._transport.abort)


def _gone(code: int, reason: str = "") -> Message:
    return {"type": "websocket.disconnect", "code": code, "reason": reason}
