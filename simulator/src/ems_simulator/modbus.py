"""Modbus TCP on a real socket: pymodbus' framer and messages, our own connection.

pymodbus' server keeps one pending request for each connection and gives no moment at which an answer leaves, so
the connection is written here: requests may be pipelined, a slow unit does not hold up the others, and each answer
is timed where it is written.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from typing import Protocol, cast

import structlog
from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
    WriteSingleRegisterResponse,
)

from ems_simulator.clock import wall_ms
from ems_simulator.devices import Answer, DeviceImage
from ems_simulator.faults import FaultKind, Faults

_log = structlog.get_logger()
_DECODER = DecodePDU(True)
_BACKLOG = 100
_HEADER = 6
_LONGEST = 254
"""Of what follows the header: unit, function and data."""
_TURN = 32
"""Requests of one client that are answered before the others are heard."""
_FUNCTIONS = frozenset({3, 4, 6, 16})


class Units(Protocol):
    """What a connection needs of its site."""

    faults: Faults

    def unit(self, unit: int) -> DeviceImage | None:
        """The device of this unit id, brought up to now."""

    def answered(self, device: DeviceImage, request: ModbusPDU, answer: Answer, at_ms: float) -> None:
        """A read was answered at this time."""


class Connection(asyncio.Protocol):
    """One client. Anything that is not Modbus TCP ends the connection."""

    def __init__(self, units: Units, connections: set[Connection], garbler: random.Random) -> None:
        self._units = units
        self._connections = connections
        self._garbler = garbler
        self._framer = FramerSocket(_DECODER)
        self._buffer = bytearray()
        self._crowded = False
        """The client does not read its answers."""
        self._turn: asyncio.Handle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # a TCP server gives nothing else
        self._connections.add(self)
        if self._units.faults.link_is_cut():  # accepted just before the cut
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._connections.discard(self)
        if self._turn is not None:
            self._turn.cancel()

    def pause_writing(self) -> None:
        """A client that does not read its answers is not heard either."""
        self._crowded = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._crowded = False
        self._serve()

    def abort(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._turn is None:
            self._serve()

    def _serve(self) -> None:
        """Answer some of what was asked; a client that asks much at once must not keep the others waiting."""
        self._turn = None
        for _ in range(_TURN):
            if self._crowded:
                return
            frame = self._next_frame()
            if frame is None:
                self._transport.resume_reading()
                return
            _, unit, transaction, pdu = self._framer.decode(frame)
            self._request(unit, transaction, pdu)
        self._transport.pause_reading()
        self._turn = asyncio.get_running_loop().call_soon(self._serve)

    def _next_frame(self) -> bytes | None:
        """None where it is not whole yet, or is none: that ends the connection."""
        if len(self._buffer) < _HEADER + 2:
            return None
        length = int.from_bytes(self._buffer[4:6], "big")
        if self._buffer[2:4] != b"\0\0" or not 2 <= length <= _LONGEST:
            self._buffer.clear()
            self.abort()
            return None
        if len(self._buffer) < _HEADER + length:
            return None
        frame = bytes(self._buffer[: _HEADER + length])
        del self._buffer[: _HEADER + length]
        return frame

    def _request(self, unit: int, transaction: int, pdu: bytes) -> None:
        request = _DECODER.decode(pdu) if pdu[0] in _FUNCTIONS else None
        if request is None:
            code = ExcCodes.ILLEGAL_VALUE if pdu[0] in _FUNCTIONS else ExcCodes.ILLEGAL_FUNCTION
            request = ModbusPDU()
            request.function_code = pdu[0]
        else:
            code = None
        request.dev_id, request.transaction_id = unit, transaction
        device = self._units.unit(unit)
        if device is None:
            self._refuse(request, ExcCodes.GATEWAY_NO_RESPONSE)
            return
        slow = self._units.faults.on(FaultKind.SLOW_ANSWER, device.device.key)
        if slow is None:
            self._answer(request, code)
        else:
            asyncio.get_running_loop().call_later(slow.delay, self._answer, request, code)

    def _answer(self, request: ModbusPDU, code: ExcCodes | None) -> None:
        """Answer now, unless a fault says otherwise. Values are read here: a late answer is a fresh one."""
        device = self._units.unit(request.dev_id)
        if device is None or self._transport.is_closing():
            return
        key, faults = device.device.key, self._units.faults
        if faults.link_is_cut() or faults.on(FaultKind.LINK_CUT, key):
            return
        if (garbage := faults.on(FaultKind.GARBAGE, key)) is not None:
            self._garble(request, garbage.style, device)
        elif (failing := faults.on(FaultKind.EXCEPTION, key)) is not None:
            self._refuse(request, failing.code)
        elif code is not None:
            self._refuse(request, code)
        elif isinstance(request, ReadHoldingRegistersRequest):
            answer = device.read(request.function_code, request.address, request.count)
            if isinstance(answer, ExcCodes):
                self._refuse(request, answer)
            else:
                self._send_read(request, answer, device)
        else:
            self._write(request, device)

    def _send_read(self, request: ModbusPDU, answer: Answer, device: DeviceImage) -> None:
        response = ReadHoldingRegistersResponse if request.function_code == 3 else ReadInputRegistersResponse
        frame = self._frame(request, response(registers=answer.words))
        at = wall_ms()
        self._transport.write(frame)
        self._units.answered(device, request, answer, at)

    def _write(self, request: ModbusPDU, device: DeviceImage) -> None:
        words = list(request.registers)
        several = isinstance(request, WriteMultipleRegistersRequest)
        if several and not 1 <= request.count == len(words) <= 123:
            self._refuse(request, ExcCodes.ILLEGAL_VALUE)
        elif (refused := device.write(request.address, words)) is not None:
            self._refuse(request, refused)
        elif several:
            done = WriteMultipleRegistersResponse(address=request.address, count=request.count)
            self._transport.write(self._frame(request, done))
        elif isinstance(request, WriteSingleRegisterRequest):
            done_one = WriteSingleRegisterResponse(address=request.address, registers=words)
            self._transport.write(self._frame(request, done_one))

    def _refuse(self, request: ModbusPDU, code: int) -> None:
        self._transport.write(self._frame(request, ExceptionResponse(request.function_code, code)))

    def _frame(self, request: ModbusPDU, response: ModbusPDU) -> bytes:
        response.dev_id, response.transaction_id = request.dev_id, request.transaction_id
        return self._framer.buildFrame(response)

    def _garble(self, request: ModbusPDU, style: str, device: DeviceImage) -> None:
        """Random words in a valid frame, or a frame that is broken in one of the ways seen behind gateways."""
        count = request.count or 1
        words = [self._garbler.randrange(1 << 16) for _ in range(count)]
        if style == "words" and isinstance(request, ReadHoldingRegistersRequest):
            self._send_read(request, Answer(words, None, ()), device)
            return
        frame = bytearray(self._frame(request, ReadHoldingRegistersResponse(registers=words)))
        match self._garbler.randrange(5):
            case 0:  # another protocol
                frame[2:4] = b"\xde\xad"
            case 1:  # a byte count that contradicts the length
                frame[8] = (frame[8] + 7) % 256
            case 2:  # the answer to another function
                frame[7] = 0x2B
            case 3:  # cut off in the middle
                del frame[9:]
            case _:
                frame = bytearray(self._garbler.randbytes(len(frame)))
        self._transport.write(bytes(frame))


class ModbusServer:
    """The TCP server of one site. `open` and `cut` may be called in any order, as often as wanted."""

    def __init__(self, host: str, bound: socket.socket, seed: int) -> None:
        """`bound` is a listening socket; its clients are heard from the first `open` on."""
        self.port: int = bound.getsockname()[1]
        self._host = host
        self._bound: socket.socket | None = bound
        self._garbler = random.Random(seed)  # noqa: S311 (noise, not a secret)
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._opening = asyncio.Lock()

    @property
    def listening(self) -> bool:
        return self._server is not None

    async def open(self, units: Units, wanted: Callable[[], bool] = lambda: True) -> None:
        """Answer for `units`. While another process holds the port, try again, as long as it is `wanted`."""
        async with self._opening:
            while self._server is None and wanted():
                try:
                    bound = self._bound or listen(self._host, self.port)
                except OSError as error:
                    _log.warning("modbus_port_taken", port=self.port, error=str(error), remedy="free the port")
                    await asyncio.sleep(0.2)
                    continue
                self._bound = None
                self._server = await asyncio.get_running_loop().create_server(
                    lambda: Connection(units, self._connections, self._garbler), sock=bound, backlog=_BACKLOG
                )
                if not wanted():  # cut again while it opened
                    self.cut()

    def cut(self) -> None:
        """Drop every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.abort()

    def close(self) -> None:
        self.cut()
        if self._bound is not None:
            self._bound.close()


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises OSError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound
