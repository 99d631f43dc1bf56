"""A client that logs in, subscribes, and then reads nothing any more. Its kernel takes as little as it may."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import socket
from typing import Any, Self

from realtime_support.running import ORIGIN


class FrozenReader:
    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    @classmethod
    async def subscribed(cls, port: int, token: str, *sites: int) -> Self:
        return await asyncio.to_thread(cls._subscribed, port, token, sites)

    @classmethod
    def _subscribed(cls, port: int, token: str, sites: tuple[int, ...]) -> Self:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET /ws HTTP/1.1\r\nHost: localhost\r\nOrigin: {ORIGIN}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ems.v1\r\n\r\n".encode()
        )
        reader = cls(connection)
        reader._read_until(b"\r\n\r\n", 1)
        reader._send({"type": "auth", "token": token})
        reader._send({"type": "subscribe", "sites": [f"site_{site}" for site in sites]})
        reader._read_until(b'"snapshot"', len(sites))
        return reader

    def _read_until(self, mark: bytes, times: int) -> None:
        heard = b""
        while heard.count(mark) < times:
            more = self._socket.recv(1_000)
            assert more, f"closed before {mark!r} came"
            heard += more

    def _send(self, frame: dict[str, Any]) -> None:
        payload = json.dumps(frame).encode()
        head = b"\x81" + (bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2))
        self._socket.sendall(head + b"\0\0\0\0" + payload)  # masked with zeros

    async def cut_off(self, seconds: float) -> None:
        """Returns when the service has cut the connection; what was sent before is read and thrown away."""
        async with asyncio.timeout(seconds):
            await asyncio.to_thread(self._read_to_the_end, seconds)

    def _read_to_the_end(self, seconds: float) -> None:
        self._socket.settimeout(seconds)
        with contextlib.suppress(ConnectionResetError):
            while self._socket.recv(65_536):
                pass

    def close(self) -> None:
        self._socket.close()
