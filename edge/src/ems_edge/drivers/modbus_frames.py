"""Modbus messages and how they are framed: what is asked, and what is a proper answer to it. No I/O.

Modbus TCP numbers its frames, so several answers may be due at once, and a late one to a request that was given up is
known and skipped. RTU (on a serial line, or as it is over TCP) has no numbers: one answer is due at a time, known by
unit, function and length only, and by its CRC.

pymodbus (CRC, serial lines) is imported where the first RTU line is met: it weighs 10 MB, and Modbus TCP does not need
it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

_HEADER = 7
_LONGEST = 254
"""Of what a TCP header counts: unit, function and data."""
_MOST_NOISE = 1024
"""Bytes that may come in for one RTU request, of which the longest answer takes 256."""
_EXCEPTION = 0x80
_READS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
_ON, _OFF = 0xFF00, 0
_MASK_WRITE = 22
_IDENTIFY = 43


class FrameError(Exception):
    """What came in is no answer to what was asked; `number` is whose it wanted to be, 0 where that is not known."""

    def __init__(self, detail: str, number: int = 0) -> None:
        super().__init__(detail)
        self.number = number


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


def differing(request: Request) -> Request | None:
    """A read of the same place whose answer has another length; None for what is no read."""
    table = next((table for table, code in _READS.items() if code == request.pdu[0]), None)
    if table is None:
        return None
    address, count = struct.unpack(">HH", request.pdu[1:])
    least = 1 if request.pdu[0] > 2 else 8
    return read(table, address, 1 if count > least else least + 1)


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
    """Several answers may be due at once, and a late one is not taken for another."""

    def request(self, unit: int, request: Request) -> tuple[int, bytes]:
        """The request's number, and its frame."""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """(number, PDU) of the answers that are complete. Raises FrameError."""

    def forget(self, number: int) -> bool:
        """The request is given up; whether anything of an answer had come in."""


class TcpFraming:
    numbered = True

    def __init__(self) -> None:
        self._count = 0
        self._due: dict[int, tuple[int, Request]] = {}
        self._buffer = b""

    def request(self, unit: int, request: Request) -> tuple[int, bytes]:
        self._count = self._count % 0xFFFF + 1
        self._due[self._count] = (unit, request)
        return self._count, struct.pack(">HHHB", self._count, 0, len(request.pdu) + 1, unit) + request.pdu

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        data, at = self._buffer + data, 0
        found: list[tuple[int, bytes]] = []
        while len(data) - at > _HEADER:
            number, protocol, length = struct.unpack_from(">HHH", data, at)
            if protocol != 0 or not 3 <= length <= _LONGEST:
                raise FrameError("not a Modbus TCP frame")
            frame = data[at : at + 6 + length]
            due = self._due.get(number)
            if due is not None and (problem := _problem(frame, length, *due)):
                raise FrameError(problem, number)
            if len(frame) < 6 + length:
                break
            at += len(frame)
            if due is not None:
                del self._due[number]
                found.append((number, frame[_HEADER:]))
        self._buffer = data[at:]
        return found

    def forget(self, number: int) -> bool:
        self._due.pop(number, None)
        return False  # a frame of which only a part came in is skipped later


def _problem(frame: bytes, length: int, unit: int, request: Request) -> str:
    """By its first bytes, so that nobody waits for the rest of what is no answer; empty while it may be one."""
    if frame[6] != unit:
        return f"unit {frame[6]} answered for unit {unit}"
    head = request.head
    if frame[_HEADER] == head[0] | _EXCEPTION:
        wanted = 3
    else:
        begins = frame[_HEADER : _HEADER + len(head)]
        if begins != head[: len(begins)]:
            return f"{begins.hex()} answers {request.pdu[:5].hex()}"
        wanted = 1 + request.size if request.size else length
    return f"{length} bytes where {wanted} were due" if length != wanted else ""


class RtuFraming:
    numbered = False

    def __init__(self) -> None:
        from pymodbus.framer import FramerRTU

        self._crc = FramerRTU.compute_CRC
        self._due: tuple[int, Request] | None = None
        self._buffer = b""

    def request(self, unit: int, request: Request) -> tuple[int, bytes]:
        self._due, self._buffer = (unit, request), b""
        frame = bytes((unit,)) + request.pdu
        return 0, frame + self._crc(frame).to_bytes(2)

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Noise before the answer, and late answers that differ from what is due, are skipped."""
        if self._due is None:
            return []
        unit, request = self._due
        self._buffer += data[: _MOST_NOISE + 1]
        if len(self._buffer) > _MOST_NOISE:
            raise FrameError("noise without end")
        starts = (bytes((unit, request.head[0] | _EXCEPTION)), bytes((unit,)) + request.head)
        for at in range(len(self._buffer) - 1):
            if not self._buffer.startswith(starts, at):
                continue
            rest = self._buffer[at:]
            size = 3 if rest[1] & _EXCEPTION else 1 + request.size if request.size else len(rest) - 2
            if len(rest) < size + 2:
                break
            if self._crc(rest[:size]) == int.from_bytes(rest[size : size + 2]):
                self._due = None
                return [(0, rest[1:size])]
            if at == 0 and request.size:
                raise FrameError("the CRC is wrong")
        return []

    def forget(self, number: int) -> bool:  # noqa: ARG002 -- there is only one
        self._due = None
        return bool(self._buffer)
