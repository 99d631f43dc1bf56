"""Modbus RTU on a real pseudo-terminal, or over TCP: what `devices.Endpoint` serves, in other frames."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import tty
from collections.abc import AsyncIterator, Callable, Iterator

from edge_support.devices import Endpoint, Unit


def crc(data: bytes) -> bytes:
    """Bit by bit, as the specification describes it."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def framed(unit: int, pdu: bytes) -> bytes:
    return (frame := bytes([unit]) + pdu) + crc(frame)


class SerialLine:
    """`path` is for the edge. `noise` comes before each answer; `requests` are (time, frame) as they came in."""

    def __init__(self, units: dict[int, Unit]) -> None:
        self.units = units
        self.noise = b""
        self.spoil: Callable[[bytes], bytes] = lambda frame: frame
        self.requests: list[tuple[float, bytes]] = []
        self.answered: list[float] = []
        self._served = Endpoint(units)
        self._buffer = b""
        self._busy_until = 0.0
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._slave)
        os.close(self._master)

    def _read(self) -> None:
        self._buffer += os.read(self._master, 512)
        while size := _size(self._buffer):
            if len(self._buffer) < size:
                return
            frame, self._buffer = self._buffer[:size], self._buffer[size:]
            assert crc(frame[:-2]) == frame[-2:]
            self.requests.append((time.monotonic(), frame))
            self._answer(frame)

    def _answer(self, frame: bytes) -> None:
        unit = self.units.get(frame[0])
        if unit is None:
            return
        unit.asked += 1
        if unit.silent:
            return
        answer = unit.garbage or self.spoil(framed(frame[0], self._served.pdu(frame[0], unit, frame[1:-2])))
        loop = asyncio.get_running_loop()
        self._busy_until = max(self._busy_until, loop.time()) + unit.delay  # one after the other
        loop.call_at(self._busy_until, self._send, self.noise + answer)

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # closed meanwhile
            os.write(self._master, data)
            self.answered.append(time.monotonic())


def _size(frame: bytes) -> int:
    """Of a request; 0 while it cannot be known."""
    if len(frame) > 1 and frame[1] == 43:
        return 7
    if len(frame) < 8:
        return 0
    return {15: 9 + frame[6], 16: 9 + frame[6], 22: 10}.get(frame[1], 8)


@contextlib.asynccontextmanager
async def serial_line(units: dict[int, Unit]) -> AsyncIterator[SerialLine]:
    line = SerialLine(units)
    try:
        yield line
    finally:
        line.close()


@contextlib.contextmanager
def crossed_terminals() -> Iterator[tuple[str, str]]:
    """Two terminals; what goes into one comes out of the other."""
    ends = [os.openpty(), os.openpty()]
    loop = asyncio.get_running_loop()
    for (master, slave), (other, _) in zip(ends, reversed(ends), strict=True):
        tty.setraw(slave)
        loop.add_reader(master, lambda here=master, there=other: os.write(there, os.read(here, 512)))
    try:
        yield os.ttyname(ends[0][1]), os.ttyname(ends[1][1])
    finally:
        for master, slave in ends:
            loop.remove_reader(master)
            os.close(master)
            os.close(slave)


@contextlib.asynccontextmanager
async def rtu_over_tcp(units: dict[int, Unit]) -> AsyncIterator[int]:
    """A plain serial server; its port."""
    served = Endpoint(units)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                frame = await reader.readexactly(8)
                frame += await reader.readexactly((_size(frame) or 8) - 8)
                writer.write(framed(frame[0], served.pdu(frame[0], units[frame[0]], frame[1:-2])))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
