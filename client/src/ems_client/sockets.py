"""The `websockets` library as this client needs it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl as tls
from typing import Any, Literal

import msgspec
from ems_contract.frames import SUBPROTOCOL
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response
from websockets.typing import Origin, Subprotocol

CONNECT_TIMEOUT = 10.0
CLOSE_TIMEOUT = 2.0
MAX_FRAME = 64 * 1024 * 1024

Proxy = str | Literal[True] | None

_wire_log = logging.getLogger("ems_client.wire")
_wire_log.setLevel(logging.WARNING)  # below, the library writes whole frames, and the first one is the token


class _Connect(connect):
    """Follows no redirect: the token would be told to whoever answers there."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


async def open_socket(url: str, origin: str | None, ssl: tls.SSLContext | None, proxy: Proxy) -> ClientConnection:
    """Raises OSError, InvalidStatus for another answer than a handshake's, another WebSocketException for no HTTP."""
    options: dict[str, Any] = {} if ssl is None else {"ssl": ssl}
    return await _Connect(
        url,
        origin=Origin(origin) if origin is not None else None,
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        compression=None,
        user_agent_header="ems-client",
        proxy=proxy,
        open_timeout=CONNECT_TIMEOUT,
        ping_interval=None,  # the service's heartbeat has a deadline
        close_timeout=CLOSE_TIMEOUT,
        max_size=MAX_FRAME,
        logger=_wire_log,
        **options,
    )


async def say_goodbye(socket: ClientConnection) -> None:
    """Frames are read on meanwhile: the answer is behind them, and the library stops reading when nobody takes any."""
    closing = asyncio.create_task(socket.close())
    with contextlib.suppress(ConnectionClosed):
        while not closing.done():
            await socket.recv()
    await closing


def refusal(answer: Response) -> str:
    """Why the handshake was refused: the service answers with a problem, a proxy in between with anything."""
    said = f"the handshake was answered with {answer.status_code} {answer.reason_phrase}"
    try:
        detail = msgspec.json.decode(answer.body or b"", type=_Problem).detail
    except (msgspec.DecodeError, UnicodeError):
        return said
    return f"{said}: {detail[:200]}"


class _Problem(msgspec.Struct):
    """RFC 9457, as far as it matters here."""

    detail: str
