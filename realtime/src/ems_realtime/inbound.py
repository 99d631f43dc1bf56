"""What one client says after its handshake: bytes in, messages out, and what must be answered without asking. Pure.

`websockets` parses the frames and checks them against RFC 6455; here they become messages, and are counted.
"""

from __future__ import annotations

import logging
from typing import cast

from ems_contract.frames import CloseCode
from websockets.frames import Close, Frame, Opcode
from websockets.frames import CloseCode as StandardCode
from websockets.protocol import SEND_EOF, State
from websockets.server import ServerProtocol

FRAMES_PER_SECOND, FRAMES_AT_ONCE = 100, 2_048
"""Frames of any kind from one client: pings, pongs and fragments cost time too, and nobody needs many."""
SLICE = 4_096
"""Bytes read from one client before its frames are counted."""

_log = logging.getLogger("websockets.server")


class _Parser(ServerProtocol):
    def fail(self, code: StandardCode | int, reason: str = "") -> None:
        """A message beyond the limit is a fault of the client like any other, and is named like one."""
        if code == StandardCode.MESSAGE_TOO_BIG:
            code, reason = CloseCode.BAD_MESSAGE, "message too big"
        super().fail(code, reason)

    def recv_frame(self, frame: Frame) -> None:
        """A client may close within a message, and means no harm by it; `websockets` would call it a protocol error."""
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        super().recv_frame(frame)


class Inbound:
    """`max_size` of a message in bytes; `now` is the loop's clock, in seconds."""

    __slots__ = ("_counted_at", "_frames_left", "_kind", "_parser", "_partial", "over", "ponged")

    def __init__(self, max_size: int, now: float) -> None:
        self._parser = _Parser(state=State.OPEN, max_size=max_size, logger=_log)
        self._kind = Opcode.TEXT
        self._partial = bytearray()
        self._frames_left = float(FRAMES_AT_ONCE)
        self._counted_at = now
        self.ponged = True
        """A pong has come since the last ping."""
        self.over = False
        """The client has closed or answered our close, or broken the rules: it is not heard any more."""

    def hear(self, data: bytes, now: float) -> list[str | bytes]:
        """The messages that are whole by now. There may be `answers` afterwards."""
        messages = []
        for start in range(0, len(data), SLICE):
            self._parser.receive_data(data[start : start + SLICE])
            frames = cast("list[Frame]", self._parser.events_received())
            if self._affordable(len(frames), now):
                messages += [message for frame in frames if (message := self._take(frame)) is not None]
            else:
                self._parser.fail(CloseCode.TOO_MANY, "too many frames")
        return messages

    def answers(self) -> bytes:
        """Pongs, and the last word: a close that answers the client's, or says what it did wrong."""
        answers = self._parser.data_to_send()
        self.over = self.over or SEND_EOF in answers
        return b"".join(answers)

    def ping(self) -> bytes:
        self.ponged = False
        self._parser.send_ping(b"")
        return self.answers()

    def close(self, code: int, reason: str) -> bytes:
        """Messages are not taken any more; the client's answer is awaited."""
        self._parser.send_close(code, reason)
        return self.answers()

    @property
    def closed_with(self) -> Close | None:
        """What was said at the end, by whomever first."""
        return self._parser.close_sent

    @property
    def closed_by_client(self) -> bool:
        return bool(self._parser.close_rcvd_then_sent)

    def _affordable(self, frames: int, now: float) -> bool:
        """One client's flood of tiny frames would take the time of all the others."""
        left = min(FRAMES_AT_ONCE, self._frames_left + (now - self._counted_at) * FRAMES_PER_SECOND)
        self._frames_left, self._counted_at = left - frames, now
        return self._frames_left >= 0

    def _take(self, frame: Frame) -> str | bytes | None:
        """The message that ends with this frame. The parser has checked the order of fragments and their size."""
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                self._kind = frame.opcode
                self._partial = bytearray(frame.data)
            case Opcode.CONT:
                self._partial += frame.data
            case Opcode.PONG:
                self.ponged = True
                return None
            case _:
                return None
        if not frame.fin or self._parser.state is not State.OPEN:
            return None
        data, self._partial = bytes(self._partial), bytearray()
        if self._kind is Opcode.BINARY:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            self._parser.fail(StandardCode.INVALID_DATA, "not UTF-8")
            return None
