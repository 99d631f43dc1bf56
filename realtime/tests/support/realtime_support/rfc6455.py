"""A client of RFC 6455 that sends whatever it is told, right or wrong, and forgives the server nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from realtime_support.raw import upgrade

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MASK = b"\x37\xfa\x21\x3d"


@dataclass(frozen=True)
class Heard:
    opcode: int
    payload: bytes

    @property
    def code(self) -> int | None:
        """Of a close frame; None if it names none."""
        assert self.opcode == CLOSE, f"opcode {self.opcode} is no close"
        return int.from_bytes(self.payload[:2]) if self.payload else None


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = MASK,
    length: int | None = None,
) -> bytes:
    """`length`: the one that the head claims. `mask` None: unmasked, as no client may send."""
    claimed = len(payload) if length is None else length
    masked = 0x80 if mask is not None else 0
    head = bytes([fin << 7 | rsv << 4 | opcode])
    if claimed < 126:
        head += bytes([masked | claimed])
    elif claimed < 65_536:
        head += bytes([masked | 126]) + claimed.to_bytes(2)
    else:
        head += bytes([masked | 127]) + claimed.to_bytes(8)
    return head + payload if mask is None else head + mask + _masked(payload, mask)


def _masked(payload: bytes, mask: bytes) -> bytes:
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(len(payload))


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2) + reason)


def fragments(opcode: int, payload: bytes, size: int) -> bytes:
    """One message in frames of `size` bytes."""
    parts = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
    last = len(parts) - 1
    return b"".join(frame(CONT if n else opcode, part, fin=n == last) for n, part in enumerate(parts))


class StrictClient:
    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(upgrade(path="/"))
        self._buffer = b""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def say(self, *frames: bytes, chop: int | None = None) -> None:
        """`chop`: in pieces of so many bytes, each in a packet of its own."""
        data = b"".join(frames)
        for at in range(0, len(data), chop or len(data)):
            self._socket.sendall(data[at : at + (chop or len(data))])

    def hear(self) -> Heard:
        """The next frame. AssertionError for one that a server must not send, or when the server has gone."""
        first, second = self._take(2)
        assert first & 0x80, "a fragment; nothing is fragmented here"
        assert not first & 0x70, f"reserved bits {first:08b}"
        assert not second & 0x80, "a server masks nothing"
        opcode, length = first & 0x0F, second & 0x7F
        assert opcode in (TEXT, BINARY, CLOSE, PING, PONG), f"opcode {opcode}"
        if length == 126:
            length = int.from_bytes(self._take(2))
            assert length > 125, "not the shortest form of a length"
        elif length == 127:
            length = int.from_bytes(self._take(8))
            assert length > 65_535, "not the shortest form of a length"
        assert opcode < CLOSE or length < 126, "a long control frame"
        payload = self._take(length)
        if opcode == TEXT:
            payload.decode()
        if opcode == CLOSE:
            assert length != 1, "half a close code"
            payload[2:].decode()
        return Heard(opcode, payload)

    def hear_all(self) -> list[Heard]:
        """Until the server has ended the connection, on whose last frame it has closed."""
        heard: list[Heard] = []
        while self._buffer or self._more(may_end=True):
            assert not heard or heard[-1].opcode != CLOSE, "a frame after the close"
            heard.append(self.hear())
        return heard

    def closed(self) -> int | None:
        """The code of the close frame with which the server ends the connection."""
        return self.hear_all()[-1].code

    def echoes(self, messages: Iterable[tuple[int, bytes]]) -> None:
        """Next come exactly these."""
        for opcode, payload in messages:
            heard = self.hear()
            assert (heard.opcode, len(heard.payload)) == (opcode, len(payload))
            assert heard.payload == payload

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _more(self, *, may_end: bool = False) -> bool:
        try:
            data = self._socket.recv(1 << 20)
        except ConnectionResetError:
            data = b""
        assert data or may_end, "the server has gone"
        self._buffer += data
        return bool(data)
