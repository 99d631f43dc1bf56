"""The way out to one client. Beside it: `wire_uvicorn.py`, which does it on uvicorn's transport."""

from __future__ import annotations

from typing import Protocol


class Wire(Protocol):
    """One connection's outgoing side. No method blocks, awaits or raises; after `close` or `abort` nothing is written.

    `write` takes frames encoded by `text_frame` (one or several, joined); they leave in the order they were given.
    """

    def write(self, frames: bytes) -> None: ...

    def buffered(self) -> int:
        """Bytes that the operating system has not taken yet; 0 once closed."""

    def close(self, code: int, reason: str) -> None:
        """Say goodbye, wait briefly for the client's answer, then cut the connection."""

    def fault(self) -> int | None:
        """The code that it has closed with by itself, because the client broke the rules of WebSocket."""

    def abort(self) -> None:
        """Cut the connection and forget what it did not take."""


def text_frame(payload: bytes) -> bytes:
    """One unmasked, unfragmented, uncompressed WebSocket text frame (RFC 6455): the same bytes for every client."""
    length = len(payload)
    if length < 126:
        return b"\x81%c%b" % (length, payload)
    if length < 65_536:
        return b"\x81\x7e%b%b" % (length.to_bytes(2), payload)
    return b"\x81\x7f%b%b" % (length.to_bytes(8), payload)
