"""Which requests read a device's points: as few as possible, planned once. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ems_edge.decode import Block, Codec, Value
from ems_edge.driver import PointSource
from ems_edge.drivers.modbus_frames import Request, read

MAX_WORDS = 125
MAX_BITS = 2000
BIT_FUNCTIONS = frozenset({"coil", "discrete"})
READ_ONLY_FUNCTIONS = frozenset({"input", "discrete"})


@dataclass(frozen=True, slots=True)
class RegisterSource(PointSource):
    """`function` is holding, input, coil or discrete; `address` is 0-based."""

    function: str
    address: int
    codec: Codec
    writable: bool = False

    @property
    def resolution(self) -> float:
        return self.codec.resolution


@dataclass(frozen=True, slots=True)
class Span:
    """One read request: `count` registers (or bits) of one kind from `address` on, and the points they hold."""

    function: str
    address: int
    count: int
    points: tuple[RegisterSource, ...]
    request: Request = field(init=False, repr=False, compare=False)
    _block: Block = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = [(point.name, point.address - self.address, point.codec) for point in self.points]
        object.__setattr__(self, "request", read(self.function, self.address, self.count))
        object.__setattr__(self, "_block", Block(places, self.count))

    def decode(self, pdu: bytes) -> dict[str, Value]:
        """What the answer to `request` says of each point."""
        data = pdu[2:]
        return self._block.decode(_spread(data, self.count) if self.function in BIT_FUNCTIONS else data)

    def split(self) -> list[Span]:
        """The same points without reading a register that belongs to none, for devices that refuse those."""
        return plan(self.points, max_gap=0, max_words=self.count)


def _spread(data: bytes, count: int) -> bytes:
    """Eight bits of each byte, the lowest first, as a register for each bit."""
    bits = int.from_bytes(data, "little")
    return b"".join(b"\0\1" if bits >> number & 1 else b"\0\0" for number in range(count))


def plan(points: Iterable[RegisterSource], max_gap: int, max_words: int = MAX_WORDS) -> list[Span]:
    """Merge neighbours into one request where at most `max_gap` unused registers lie between them.

    No request asks for more than `max_words` registers, unless one point alone has more.
    """
    runs: list[tuple[int, list[RegisterSource]]] = []
    """(address after the last register, points)"""
    for point in sorted(points, key=lambda point: (point.function, point.address, point.codec.words)):
        end = point.address + point.codec.words
        limit = MAX_BITS if point.function in BIT_FUNCTIONS else max_words
        if runs:
            last_end, run = runs[-1]
            first = run[0]
            near = first.function == point.function and point.address - last_end <= max_gap
            if near and end - first.address <= limit:
                run.append(point)
                runs[-1] = (max(last_end, end), run)
                continue
        runs.append((end, [point]))
    return [Span(run[0].function, run[0].address, end - run[0].address, tuple(run)) for end, run in runs]
