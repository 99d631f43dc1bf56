"""A socket and nothing in between: for what no well-meant library would send."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
from types import TracebackType
from typing import Any, Self

from realtime_support.running import ORIGIN

TEXT, PING, CLOSE = 0x1, 0x9, 0x8


def upgrade(*extra: str, method: str = "GET", path: str = "/ws") -> bytes:
    """A whole handshake, with further header lines."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Origin: {ORIGIN}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: ems.v1",
        *extra,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def frame(opcode: int, payload: bytes, *, fin: bool = True, rsv1: bool = False) -> bytes:
    """As a client sends it: masked, though with zeros."""
    head = bytes([fin << 7 | rsv1 << 6 | opcode])
    if len(payload) < 126:
        head += bytes([0x80 | len(payload)])
    else:
        head += b"\xfe" + len(payload).to_bytes(2)
    return head + b"\0\0\0\0" + payload


class RawClient:
    """`window`: bytes that its kernel takes before the client reads; None leaves that to the kernel."""

    def __init__(self, port: int, *, window: int | None = None) -> None:
        self.socket = socket.socket()
        if window is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        self._ahead = b""

    @classmethod
    def opened(cls, port: int, *extra: str, window: int | None = None) -> Self:
        """With the handshake behind it."""
        client = cls(port, window=window)
        client.say(upgrade(*extra))
        client.read_until(b"\r\n\r\n")
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send(self, **message: Any) -> None:
        self.say(frame(TEXT, json.dumps(message).encode()))

    def read_until(self, mark: bytes, times: int = 1) -> bytes:
        """All up to the last of `times` marks; what came behind it is kept for the next reading."""
        while self._ahead.count(mark) < times:
            more = self.socket.recv(1_000)
            assert more, f"closed before {mark!r} came"
            self._ahead += more
        end = -1
        for _ in range(times):
            end = self._ahead.index(mark, end + 1)
        heard, self._ahead = self._ahead[: end + len(mark)], self._ahead[end + len(mark) :]
        return heard

    def end(self, seconds: float = 10.0) -> bytes:
        """What is read until the service ends the connection, which it does within `seconds` of its last byte."""
        self.socket.settimeout(seconds)
        heard, self._ahead = self._ahead, b""
        with contextlib.suppress(ConnectionError):
            while more := self.socket.recv(65_536):
                heard += more
        return heard

    def goodbye(self) -> int:
        """The code of the close frame that comes next; it is answered."""
        self.read_until(b"\x88")
        while len(self._ahead) < 3:
            more = self.socket.recv(1_000)
            assert more, "closed within the close frame"
            self._ahead += more
        code = self._ahead[1:3]
        with contextlib.suppress(ConnectionError):
            self.say(frame(CLOSE, code))
            self.end()
        return int.from_bytes(code)

    def flood(self, data: bytes, most: int) -> int:
        """Say it again and again until the service has had enough; how many bytes it took. At most `most`."""
        said = 0
        with contextlib.suppress(ConnectionError):
            while said < most:
                self.say(data)
                said += len(data)
        return said
