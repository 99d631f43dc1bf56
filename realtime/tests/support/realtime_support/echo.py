"""An application that says everything back, on the service's own WebSocket protocol: what the conformance suite talks
to. It writes as the service does, whole frames on the wire; a binary message gets the same frame but for its opcode."""

from __future__ import annotations

import asyncio
import threading
import time

import uvicorn
from ems_realtime.server_uvicorn import HandshakeProtocol
from ems_realtime.wire import Wire, text_frame
from ems_realtime.wire_uvicorn import EXTENSION, LiveProtocol
from starlette.types import Receive, Scope, Send

MAX_MESSAGE = 4 * 1024 * 1024


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    wire: Wire = scope["extensions"][EXTENSION]
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        wire.write(text_frame(text.encode()) if text is not None else b"\x82" + text_frame(message["bytes"])[1:])


class EchoServer:
    def __init__(self) -> None:
        config = uvicorn.Config(
            echo,
            port=0,
            http=HandshakeProtocol,
            ws=LiveProtocol,
            ws_max_size=MAX_MESSAGE,
            lifespan="off",
            log_config=None,
            log_level="warning",
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()), name="echo")
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert self._thread.is_alive(), "the echo server did not start"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive(), "the echo server did not stop"
