"""Modbus messages and how they are framed: what is asked, and what is a proper answer to it. No I/O.

A framing knows one outstanding request. Modbus TCP numbers its frames, so a late answer to a request that was given up
is known and skipped. RTU (on a serial line, or as it is over TCP) has no numbers: an answer is known by unit, function
and length only, and by its CRC.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

_HEADER = 7
_LONGEST = 254
"""Of what a TCP header counts: unit, function and data."""
_EXCEPTION = 0x80
_READS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
_ON, _OFF = 0xFF00, 0
_MASK_WRITE = 22
_IDENTIFY = 43


class FrameError(Exception):
    """What came in is no answer to what was asked."""


@dataclass(frozen=True, slots=True)
class Request:
    """A proper answer begins with `head` and is `size` bytes long, where that can be known (0: it cannot).

    The device echoes what it was told to write, so the head of a write is all that it was told.
    """

    pdu: bytes
    head: bytes
    size: int


def read(function: str, address: int, count: int) -> Request:
    """The data of the answer begin at byte 2."""
    code = _READS[function]
    length = 2 * count if code > 2 else (count + 7) // 8
    return Request(struct.pack(">BHH", code, address, count), bytes((code, length)), 2 + length)


def write_single(function: str, address: int, value: int) -> Request:
    """FC5 (`value` is 0 or 1) or FC6."""
    coil = function == "coil"
    return _echoed(struct.pack(">BHH", 5 if coil else 6, address, (_ON if value else _OFF) if coil else value))


def write_multiple(function: str, address: int, values: Sequence[int]) -> Request:
    """FC15 (`values` are 0 or 1, eight at most) or FC16; the answer repeats address and count."""
    if function == "coil":
        bits = sum(bool(value) << number for number, value in enumerate(values))
        data = bits.to_bytes((len(values) + 7) // 8, "little")
    else:
        data = struct.pack(f">{len(values)}H", *values)
    head = struct.pack(">BHH", 15 if function == "coil" else 16, address, len(values))
    return Request(head + bytes((len(data),)) + data, head, len(head))


def write_bit(address: int, bit: int, value: int) -> Request:
    """FC22: the device sets or clears one bit of a holding register and keeps the others."""
    return _echoed(struct.pack(">BHHH", _MASK_WRITE, address, 0xFFFF ^ 1 << bit, value << bit))


def identify() -> Request:
    """FC43/14: the basic names that a device gives itself."""
    pdu = bytes((_IDENTIFY, 14, 1, 0))
    return Request(pdu, pdu[:2], 0)


def _echoed(pdu: bytes) -> Request:
    return Request(pdu, pdu, len(pdu))


def exception_code(pdu: bytes) -> int | None:
    """The code of an answer that is an exception."""
    return pdu[1] if pdu[0] & _EXCEPTION else None


class Framing(Protocol):
    """`request` frames what is asked next; `feed` takes what came in, in pieces of any size."""

    numbered: bool
    """A late answer cannot be taken for another one."""

    def request(self, unit: int, request: Request) -> bytes: ...

    def feed(self, data: bytes) -> bytes | None:
        """The PDU of the answer, once it is complete. Raises FrameError."""

    def forget(self) -> bool:
        """The request is given up; whether anything of an answer had come in."""


class TcpFraming:
    numbered = True

    def __init__(self) -> None:
        self._count = 0
        self._asked: tuple[bytes, int, Request] | None = None
        self._buffer = b""

    def request(self, unit: int, request: Request) -> bytes:
        self._count = self._count % 0xFFFF + 1
        self._asked = (self._count.to_bytes(2), unit, request)
        return struct.pack(">HHHB", self._count, 0, len(request.pdu) + 1, unit) + request.pdu

    def feed(self, data: bytes) -> bytes | None:
        self._buffer += data
        while len(self._buffer) > _HEADER:
            length = int.from_bytes(self._buffer[4:6])
            if self._buffer[2:4] != b"\0\0" or not 3 <= length <= _LONGEST:
                raise FrameError("not a Modbus TCP frame")
            frame = self._buffer[: 6 + length]
            mine = self._asked is not None and frame[:2] == self._asked[0]
            if mine:
                self._check(frame, length)
            if len(frame) < 6 + length:
                return None
            self._buffer = self._buffer[6 + length :]
            if mine:
                self._asked = None
                return frame[_HEADER:]
        return None

    def _check(self, frame: bytes, length: int) -> None:
        """By its first bytes, so that nobody waits for the rest of what is no answer."""
        assert self._asked is not None  # noqa: S101 -- for the type checker
        _, unit, request = self._asked
        if frame[6] != unit:
            raise FrameError(f"unit {frame[6]} answered for unit {unit}")
        head = request.head
        wanted = 3 if frame[7] == head[0] | _EXCEPTION else 1 + request.size
        if wanted != 3 and not _begins(frame[_HEADER : _HEADER + len(head)], head):
            raise FrameError(f"{frame[_HEADER : _HEADER + len(head)].hex()} answers {request.pdu[:5].hex()}")
        if length != wanted and (request.size or wanted == 3):
            raise FrameError(f"{length} bytes where {wanted} were due")

    def forget(self) -> bool:
        self._asked = None
        return False  # a frame of which only a part came in is skipped later


class RtuFraming:
    numbered = False

    def __init__(self) -> None:
        from pymodbus.framer import FramerRTU

        self._crc = FramerRTU.compute_CRC
        self._asked: tuple[int, Request] | None = None
        self._buffer = b""

    def request(self, unit: int, request: Request) -> bytes:
        self._asked, self._buffer = (unit, request), b""
        frame = bytes((unit,)) + request.pdu
        return frame + self._crc(frame).to_bytes(2)

    def feed(self, data: bytes) -> bytes | None:
        """Noise before the answer, and late answers that differ from what is due, are skipped."""
        if self._asked is None:
            return None
        unit, request = self._asked
        self._buffer += data
        starts = (bytes((unit, request.head[0] | _EXCEPTION)), bytes((unit,)) + request.head)
        for at in range(len(self._buffer) - 1):
            if not self._buffer.startswith(starts, at):
                continue
            rest = self._buffer[at:]
            size = 3 if rest[1] & _EXCEPTION else 1 + request.size if request.size else len(rest) - 2
            if len(rest) < size + 2:
                break
            if self._crc(rest[:size]) == int.from_bytes(rest[size : size + 2]):
                self._asked = None
                return rest[1:size]
            if at == 0 and request.size:
                raise FrameError("the CRC is wrong")
        return None

    def forget(self) -> bool:
        self._asked = None
        return bool(self._buffer)


def _begins(data: bytes, head: bytes) -> bool:
    return data == head[: len(data)]
