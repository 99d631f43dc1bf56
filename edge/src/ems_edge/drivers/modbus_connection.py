"""How a Modbus device is reached: the shape of its `connection`, and the line behind it.

{host: 10.0.0.7, port: 502, unit: 1}                   Modbus TCP
{host: 10.0.0.8, port: 4001, framer: rtu, unit: 17}    a plain serial server: RTU frames over TCP
{serial: /dev/ttyUSB0, baudrate: 9600, parity: none, unit: 17}
"""

from __future__ import annotations

import asyncio
import termios
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ems_edge.drivers.modbus_frames import Framing, RtuFraming, TcpFraming
from ems_edge.drivers.modbus_plan import MAX_WORDS

Parity = Literal["none", "even", "odd"]
_LEAST_SILENCE = 0.00175
_SILENT_CHARACTERS = 3.5
"""Between two RTU frames, and at least 1.75 ms (Modbus over serial line 1.02, 2.5.1.1)."""
_SERIAL_UNITS = range(1, 248)


@dataclass(frozen=True, slots=True)
class TcpLine:
    host: str
    port: int
    framer: Literal["tcp", "rtu"]

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def silence(self) -> float:
        """Seconds that must lie between an answer and the next request."""
        return 0.0

    def framing(self) -> Framing:
        return TcpFraming() if self.framer == "tcp" else RtuFraming()

    async def open(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Raises OSError."""
        await asyncio.get_running_loop().create_connection(protocol, self.host, self.port)


@dataclass(frozen=True, slots=True)
class SerialLine:
    """`framer` is always rtu; Modbus ASCII is not spoken."""

    path: str
    baudrate: int
    parity: Parity
    stop_bits: int
    bytesize: int

    @property
    def place(self) -> str:
        return self.path

    @property
    def silence(self) -> float:
        bits = 1 + self.bytesize + (self.parity != "none") + self.stop_bits
        return max(_SILENT_CHARACTERS * bits / self.baudrate, _LEAST_SILENCE)

    def framing(self) -> Framing:
        return RtuFraming()

    async def open(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Raises OSError (pyserial's own is one), also where another program has the line."""
        from pymodbus.transport.serialtransport import create_serial_connection

        try:
            await create_serial_connection(
                asyncio.get_running_loop(),
                protocol,
                self.path,
                baudrate=self.baudrate,
                bytesize=self.bytesize,
                parity=self.parity[0].upper(),
                stopbits=self.stop_bits,
                timeout=0,
            )
        except termios.error as error:  # which pyserial lets through
            raise OSError(f"the line does not take these settings ({error.args[-1]})") from None


type Line = TcpLine | SerialLine


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """Either `host` or `serial`; the words of the other one are not looked at.

    `timeout`, in s, is for one read. `delay`, in s, is a pause before each request on the line, for devices that need
    one: the longest that any unit of it asks for. `max_gap` is how many unused registers a request may read across,
    `max_words` how many it may read (the longest number has 4).

    `write`: FC5/6 (single) or FC15/16 (multiple); auto writes one register as single until the device does not know
    it. `mask_write`: bits of a register are written by FC22 until the device does not know it; otherwise the register
    is read and written back.
    """

    host: str = ""
    port: Annotated[int, Meta(ge=1, le=65535)] = 502
    framer: Literal["tcp", "rtu"] = "tcp"
    serial: Annotated[str, Meta(pattern=r"^$|^/|^COM\d+$")] = ""
    baudrate: Annotated[int, Meta(ge=300, le=4_000_000)] = 19200
    parity: Parity = "even"
    stop_bits: Annotated[int, Meta(ge=1, le=2)] = 1
    bytesize: Annotated[int, Meta(ge=7, le=8)] = 8
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    timeout: Annotated[float, Meta(gt=0, le=60)] = 1.0
    delay: Annotated[float, Meta(ge=0, le=5)] = 0.0
    max_gap: Annotated[int, Meta(ge=0, le=MAX_WORDS)] = 8
    max_words: Annotated[int, Meta(ge=4, le=MAX_WORDS)] = MAX_WORDS
    write: Literal["auto", "single", "multiple"] = "auto"
    mask_write: bool = True

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if not self.host and not self.serial:
            raise ValueError("host: is missing; add it, or serial for a serial line")
        if self.host and self.serial:
            raise ValueError("serial: cannot be there besides host; leave out one of the two")
        if not self.numbered and self.unit not in _SERIAL_UNITS:
            raise ValueError(f"unit: {self.unit} answers nothing in RTU frames; use 1 to 247")

    @property
    def numbered(self) -> bool:
        """The frames are Modbus TCP's, with numbers."""
        return not self.serial and self.framer == "tcp"

    @property
    def line(self) -> Line:
        if self.serial:
            return SerialLine(self.serial, self.baudrate, self.parity, self.stop_bits, self.bytesize)
        return TcpLine(self.host, self.port, self.framer)


def contradiction(connections: Mapping[str, Connection]) -> tuple[str, str] | None:
    """(device, problem) of the first one that has other settings than another on the same line."""
    lines: dict[str, tuple[str, Line]] = {}
    for device, connection in connections.items():
        line = connection.line
        other, known = lines.setdefault(line.place, (device, line))
        mine, theirs = asdict(line), asdict(known)
        for setting, value in mine.items():
            if value != theirs.get(setting):
                return device, f"{line.place}: {setting} is {value} here and {theirs.get(setting)} in {other}"
    return None
