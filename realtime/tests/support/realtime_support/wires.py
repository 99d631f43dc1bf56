"""Wires without a network, for the pure parts."""

from __future__ import annotations

import json
from typing import Any

from websockets.frames import Opcode
from websockets.protocol import Protocol, Side


class SlowWire:
    """Keeps what is written until `drain` takes it, as a transport does; `taken` is what the reader got."""

    def __init__(self, *, instant: bool = False) -> None:
        self.instant = instant
        self.waiting = bytearray()
        self.taken = bytearray()
        self.closed: tuple[int, str] | None = None
        self.aborted = False

    def write(self, frames: bytes) -> None:
        assert self.closed is None, "something was written after the close"
        (self.taken if self.instant else self.waiting).extend(frames)

    def buffered(self) -> int:
        return len(self.waiting)

    def drain(self, amount: int | None = None) -> None:
        amount = len(self.waiting) if amount is None else amount
        self.taken += self.waiting[:amount]
        del self.waiting[:amount]

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def fault(self) -> int | None:
        return None

    def abort(self) -> None:
        self.aborted = True

    def frames(self) -> list[dict[str, Any]]:
        """What a client understands of the bytes it got, by another implementation of RFC 6455."""
        client = Protocol(Side.CLIENT, max_size=None)
        client.receive_data(bytes(self.taken))
        events = client.events_received()
        assert all(event.opcode in (Opcode.TEXT, Opcode.CLOSE) for event in events)
        return [json.loads(event.data) for event in events if event.opcode == Opcode.TEXT]
