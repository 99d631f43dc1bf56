"""A Modbus TCP endpoint with several units, written against the specification and not against a library.

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


class Endpoint:
    """Serves while its context is open; `close_all` cuts the connections, `stop` and `start` the server."""

    def __init__(self, units: dict[int, Unit]) -> None:
        self.units = units
        self.answered: list[Answered] = []
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
        unit_id, function = header[6], body[0]
        address, count = struct.unpack(">HH", body[1:5])  # of a single write the second is the value
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
        pdu = self._written(unit, body) if function in (6, 16) else self._pdu(unit_id, unit, function, address, count)
        writer.write(header[:4] + struct.pack(">HB", len(pdu) + 1, unit_id) + pdu)

    def _written(self, unit: Unit, body: bytes) -> bytes:
        """Write single register and write multiple registers, into holding registers that are there."""
        address = int.from_bytes(body[1:3])
        data = body[3:5] if body[0] == 6 else body[6:]
        words = struct.unpack(f">{len(data) // 2}H", data)
        if unit.exception or any(address + offset not in unit.holding for offset in range(len(words))):
            return bytes([body[0] | 0x80, unit.exception or 2])
        if not unit.deaf:
            unit.holding.update(zip(range(address, address + len(words)), words, strict=True))
        return body[:5]

    def _pdu(self, unit_id: int, unit: Unit, function: int, address: int, count: int) -> bytes:
        if unit.exception:
            return bytes([function | 0x80, unit.exception])
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


@contextlib.asynccontextmanager
async def endpoint(units: dict[int, Unit]) -> AsyncIterator[Endpoint]:
    served = Endpoint(units)
    await served.start()
    try:
        yield served
    finally:
        await served.stop()


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
