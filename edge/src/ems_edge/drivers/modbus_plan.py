"""Which requests read a device's points: as few as possible, planned once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ems_edge.decode import Codec, Value, decode
from ems_edge.driver import PointSource

MAX_WORDS = 125
MAX_BITS = 2000
BIT_FUNCTIONS = frozenset({"coil", "discrete"})


@dataclass(frozen=True, slots=True)
class RegisterSource(PointSource):
    """`function` is holding, input, coil or discrete; `address` is 0-based."""

    function: str
    address: int
    codec: Codec


@dataclass(frozen=True, slots=True)
class Span:
    """One read request: `count` registers (or bits) of one kind from `address` on, and the points they hold."""

    function: str
    address: int
    count: int
    points: tuple[RegisterSource, ...]

    def decode(self, words: Sequence[int]) -> dict[str, Value]:
        """`words` is the answer, exactly `count` long."""
        values: dict[str, Value] = {}
        for point in self.points:
            start = point.address - self.address
            values[point.name] = decode(words[start : start + point.codec.words], point.codec)
        return values

    def split(self) -> list[Span]:
        """The same points without reading a register that belongs to none, for devices that refuse those."""
        return plan(self.points, max_gap=0)


def plan(points: Iterable[RegisterSource], max_gap: int) -> list[Span]:
    """Merge neighbours into one request where at most `max_gap` unused registers lie between them."""
    spans: list[Span] = []
    for point in sorted(points, key=lambda point: (point.function, point.address, point.codec.words)):
        end = point.address + point.codec.words
        last = spans[-1] if spans else None
        limit = MAX_BITS if point.function in BIT_FUNCTIONS else MAX_WORDS
        if (
            last is not None
            and last.function == point.function
            and point.address - (last.address + last.count) <= max_gap
            and end - last.address <= limit
        ):
            count = max(last.count, end - last.address)
            spans[-1] = Span(last.function, last.address, count, (*last.points, point))
        else:
            spans.append(Span(point.function, point.address, point.codec.words, (point,)))
    return spans
