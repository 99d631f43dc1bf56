"""A Modbus endpoint with several units, written against the specification and not against a library.

Faults are set on a unit and last until they are taken away. Every answered request is kept, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Unit:
    """`words` and `bits` by table and address; a register that is not there is exception 2."""

    holding: dict[int, int] = field(default_factory=dict)
    input: dict[int, int] = field(default_factory=dict)
    coil: dict[int, int] = field(default_factory=dict)
    discrete: dict[int, int] = field(default_factory=dict)
    counter: int | None = None
    """Address of a uint32 that steps with each answered read covering it, in both register tables."""
    delay: float = 0.0
    silent: bool = False
    exception: int = 0
    garbage: bytes | None = None
    """Sent instead of an answer; `%` stands for the transaction id."""
    knows: frozenset[int] = frozenset({1, 2, 3, 4, 5, 6, 15, 16, 22})
    """Functions; any other is exception 1."""
    most: int = 125
    """Registers in one request; more are exception 3."""
    identity: bytes | None = None
    """What it answers to FC43."""
    asked: int = 0
    deaf: bool = False
    """Acknowledges what is written, and does not do it."""

    def table(self, function: int) -> dict[int, int]:
        return {1: self.coil, 2: self.discrete, 3: self.holding, 4: self.input}[function]

    def put(self, address: int, layout: str, value: float, *, little: bool = False, table: str = "holding") -> None:
        data = struct.pack(">" + layout, value)
        words = list(struct.unpack(f">{len(data) // 2}H", data))
        for offset, word in enumerate(reversed(words) if little else words):
            getattr(self, table)[address + offset] = word


@dataclass(frozen=True, slots=True)
class Answered:
    unit: int
    function: int
    address: int
    count: int
    counter: int | None


@dataclass(frozen=True, slots=True)
class Written:
    """One write that was acknowledged, as it was asked for: what follows the function's byte."""

    unit: int
    function: int
    body: bytes

    @property
    def address(self) -> int:
        return int.from_bytes(self.body[:2])

    @property
    def words(self) -> list[int]:
        """Of FC6 and FC16."""
        data = self.body[2:] if self.function == 6 else self.body[5:]
        return [int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)]


class Endpoint:
    """Serves while its context is open; `close_all` cuts the connections, `stop` and `start` the server."""

    def __init__(self, units: dict[int, Unit]) -> None:
        self.units = units
        self.answered: list[Answered] = []
        self.written: list[Written] = []
        self.connections = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self.close_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def close_all(self) -> None:
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while True:
                header = await reader.readexactly(7)
                body = await reader.readexactly(int.from_bytes(header[4:6]) - 1)
                task = asyncio.create_task(self._answer(writer, header, body))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, header: bytes, body: bytes) -> None:
        """Each request in its own task: a slow unit holds up nobody else."""
        unit_id = header[6]
        unit = self.units.get(unit_id)
        if unit is None:
            return
        unit.asked += 1
        if unit.silent:
            return
        if unit.delay:
            await asyncio.sleep(unit.delay)
        if unit.garbage is not None:
            writer.write(unit.garbage.replace(b"%%", header[:2]))
            return
        pdu = self.pdu(unit_id, unit, body)
        writer.write(header[:4] + struct.pack(">HB", len(pdu) + 1, unit_id) + pdu)

    def pdu(self, unit_id: int, unit: Unit, body: bytes) -> bytes:
        """The answer to what was asked."""
        if body[0] == 43 and unit.identity is not None:
            return unit.identity
        if unit.exception or body[0] not in unit.knows:
            return bytes([body[0] | 0x80, unit.exception or 1])
        function, address, count = struct.unpack(">BHH", body[:5])
        if function > 4:
            if not (refused := _write(unit, function, address, body)):
                self.written.append(Written(unit_id, function, body[1:]))
            return bytes([function | 0x80, refused]) if refused else body[: 7 if function == 22 else 5]
        if function > 2 and count > unit.most:
            return bytes([function | 0x80, 3])
        return self._pdu(unit_id, unit, function, address, count)

    def _pdu(self, unit_id: int, unit: Unit, function: int, address: int, count: int) -> bytes:
        table = unit.table(function)
        if any(number not in table for number in range(address, address + count)):
            return bytes([function | 0x80, 2])
        counted: int | None = None
        if unit.counter is not None and function in (3, 4) and address <= unit.counter < address + count - 1:
            counted = ((table[unit.counter] << 16) + table[unit.counter + 1] + 1) & 0xFFFFFFFF
            table[unit.counter], table[unit.counter + 1] = counted >> 16, counted & 0xFFFF
        self.answered.append(Answered(unit_id, function, address, count, counted))
        values = [table[number] for number in range(address, address + count)]
        if function in (3, 4):
            return bytes([function, 2 * count]) + struct.pack(f">{count}H", *values)
        data = bytearray((count + 7) // 8)
        for number, bit in enumerate(values):
            data[number // 8] |= bit << number % 8
        return bytes([function, len(data)]) + bytes(data)


def _write(unit: Unit, function: int, address: int, body: bytes) -> int:
    """FC5, 6, 15, 16, 22; the exception code, or 0."""
    table = unit.coil if function in (5, 15) else unit.holding
    (first,) = struct.unpack(">H", body[3:5])
    match function:
        case 5:
            values = [1 if first == 0xFF00 else 0]
        case 6:
            values = [first]
        case 15:
            values = [body[6 + number // 8] >> number % 8 & 1 for number in range(first)]
        case 16:
            values = list(struct.unpack(f">{first}H", body[6:]))
        case _:
            keep, put = struct.unpack(">HH", body[3:7])
            values = [unit.holding.get(address, 0) & keep | put & ~keep & 0xFFFF]
    if any(address + number not in table for number in range(len(values))):
        return 2
    if not unit.deaf:
        table |= {address + number: value for number, value in enumerate(values)}
    return 0


@contextlib.asynccontextmanager
async def endpoint(units: dict[int, Unit]) -> AsyncIterator[Endpoint]:
    served = Endpoint(units)
    await served.start()
    try:
        yield served
    finally:
        await served.stop()


def battery(setpoint: int = 0) -> Unit:
    """A unit with the registers of profile stl_battery."""
    unit = Unit(holding=dict.fromkeys(range(20), 0), counter=None)
    unit.put(18, "i", setpoint, little=True)
    return unit


def meter(power: float = 1500.0) -> Unit:
    """A unit with the registers of profile stl_meter."""
    unit = Unit(counter=28)
    for address in range(0, 20, 2):
        unit.put(address, "f", 230.0 + address)
    unit.put(12, "f", power)
    unit.put(20, "Q", 1_000_000)
    unit.put(24, "Q", 2_000)
    unit.put(28, "I", 0)
    return unit
