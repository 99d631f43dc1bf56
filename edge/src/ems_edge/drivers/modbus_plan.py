"""Which requests read a device's points: as few as possible, planned once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

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
        """The same points around the widest gap, for a device that refuses what it does not have; empty without one."""
        edges = [(point.address, point.address + point.codec.words) for point in self.points]
        ends = list(accumulate((end for _, end in edges), max))
        width, at = max(((edges[at][0] - ends[at - 1], at) for at in range(1, len(edges))), default=(0, 0))
        return [_span(self.points[:at]), _span(self.points[at:])] if width > 0 else []


def _spread(data: bytes, count: int) -> bytes:
    """Eight bits of each byte, the lowest first, as a register for each bit."""
    bits = int.from_bytes(data, "little")
    return b"".join(b"\0\1" if bits >> number & 1 else b"\0\0" for number in range(count))


def plan(points: Iterable[RegisterSource], max_gap: int, max_words: int = MAX_WORDS) -> list[Span]:
    """Merge neighbours into one request where at most `max_gap` unused registers lie between them.

    No request asks for more than `max_words` registers, unless one point alone has more.
    """
    runs: list[list[RegisterSource]] = []
    end = 0
    for point in sorted(points, key=lambda point: (point.function, point.address, point.codec.words)):
        its_end = point.address + point.codec.words
        limit = MAX_BITS if point.function in BIT_FUNCTIONS else max_words
        first = runs[-1][0] if runs else point
        near = first.function == point.function and point.address - end <= max_gap
        if runs and near and its_end - first.address <= limit:
            runs[-1].append(point)
            end = max(end, its_end)
        else:
            runs.append([point])
            end = its_end
    return [_span(run) for run in runs]


def _span(points: Sequence[RegisterSource]) -> Span:
    """`points` in the order of their addresses."""
    start = points[0].address
    end = max(point.address + point.codec.words for point in points)
    return Span(points[0].function, start, end - start, tuple(points))
