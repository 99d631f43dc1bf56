"""WebSocket frames as RFC 6455 has them, read and written by hand: what is measured must not judge itself."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_CONTINUATION, _FIN, _MASKED, _RESERVED = 0x0, 0x80, 0x80, 0x70


class ProtocolError(ValueError):
    """The server sent what RFC 6455 forbids."""


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message, or a control frame. A text message is known to be UTF-8."""

    opcode: int
    payload: bytes


def upgrade(port: int, path: str, subprotocol: str | None = None, origin: str | None = None) -> bytes:
    """The request that opens a WebSocket."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    ]
    if subprotocol:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    if origin:
        lines.append(f"Origin: {origin}")
    return "\r\n".join([*lines, "", ""]).encode()


def client_frame(opcode: int, payload: bytes) -> bytes:
    """One masked frame, as a client must send it; the mask is zero, so the payload stays as it is."""
    length = len(payload)
    if length < 126:
        head = bytes((_FIN | opcode, _MASKED | length))
    elif length < 65_536:
        head = bytes((_FIN | opcode, _MASKED | 126)) + length.to_bytes(2)
    else:
        head = bytes((_FIN | opcode, _MASKED | 127)) + length.to_bytes(8)
    return head + b"\0\0\0\0" + payload


class FrameReader:
    """What one server sends, after the handshake."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._opcode = 0
        self._parts = bytearray()

    def feed(self, received: bytes | memoryview) -> Iterator[Message]:
        """Every message that is complete now. Raises ProtocolError."""
        self._bytes += received
        at, have = 0, len(self._bytes)
        while have - at >= 2:
            first, length = self._bytes[at], self._bytes[at + 1]
            if first & _RESERVED or length & _MASKED:
                raise ProtocolError(f"a server's frame began with {first:#04x} {length:#04x}: reserved bits or a mask")
            start = at + 2
            if length >= 126:
                start += 2 if length == 126 else 8
                if have < start:
                    break
                length = int.from_bytes(self._bytes[at + 2 : start])
            if have < start + length:
                break
            at = start + length
            if (message := self._take(first, bytes(self._bytes[start:at]))) is not None:
                yield message
        del self._bytes[:at]

    def _take(self, first: int, payload: bytes) -> Message | None:
        opcode, last = first & 0x0F, bool(first & _FIN)
        if opcode in (CLOSE, PING, PONG):
            return Message(opcode, payload)
        if opcode == _CONTINUATION:
            if not self._opcode:
                raise ProtocolError("a continuation of nothing")
            self._parts += payload
            opcode, payload = self._opcode, bytes(self._parts) if last else b""
        elif opcode not in (TEXT, BINARY) or self._opcode:
            raise ProtocolError(f"a frame of opcode {opcode} where none may be")
        elif not last:
            self._parts[:] = payload
        self._opcode = 0 if last else opcode
        if not last:
            return None
        if opcode == TEXT:
            payload.decode()  # a UnicodeDecodeError is a ValueError too
        return Message(opcode, payload)
