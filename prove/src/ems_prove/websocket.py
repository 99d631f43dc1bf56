"""The client's side of RFC 6455, as little of it as a live socket needs. Pure: bytes in, bytes and messages out."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from enum import IntEnum

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Opcode(IntEnum):
    TEXT = 1
    CLOSE = 8
    PING = 9
    PONG = 10


class FramingError(ValueError):
    """What a server of `ems.v1` never sends: masked, fragmented, compressed or of an unknown kind."""


class Handshake:
    """One key, and the answer that it must get."""

    def __init__(self, path: str, host: str, origin: str, subprotocol: str) -> None:
        key = base64.b64encode(os.urandom(16))
        self._proof = base64.b64encode(hashlib.sha1(key + _GUID).digest())  # noqa: S324 -- the RFC says so
        self.request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key.decode()}\r\n"
            f"Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
        ).encode()

    def status(self, head: bytes) -> int:
        """Of the answer's head. Raises FramingError where 101 comes without the proof."""
        status = int(head.split(b" ", 2)[1])
        if status == 101 and self._proof not in head:
            raise FramingError("the server did not prove that it speaks WebSocket")
        return status


def frame(opcode: Opcode, payload: bytes) -> bytes:
    """One whole frame, masked as a client's must be. At most 65,535 bytes."""
    mask = os.urandom(4)
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2)
    stream = int.from_bytes((mask * (size // 4 + 1))[:size])
    return bytes([0x80 | opcode]) + length + mask + (int.from_bytes(payload) ^ stream).to_bytes(size)


class FrameReader:
    """Bytes as they come -> whole messages."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, memoryview]]:
        """The messages that are whole now. A view is good until the next one is asked for. Raises FramingError."""
        data = self._left + data if self._left else data
        view, start, end = memoryview(data), 0, len(data)
        while end - start >= 2:
            first, size, body = data[start], data[start + 1], start + 2
            if size == 126:
                body += 2
            elif size == 127:
                body += 8
            if end < body:
                break
            if size >= 126:
                size = int.from_bytes(view[start + 2 : body])
            if end < body + size:
                break
            yield _opcode(first, data[start + 1]), view[body : body + size]
            start = body + size
        self._left = data[start:]


def _opcode(first: int, second: int) -> Opcode:
    if second & 0x80 or first & 0xF0 != 0x80 or first & 0x0F not in _KNOWN:
        raise FramingError(f"a frame that begins with {first:#04x} {second:#04x}")
    return Opcode(first & 0x0F)


_KNOWN = frozenset(Opcode)
