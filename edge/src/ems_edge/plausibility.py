"""Does a number look like what it should be, and if not, which other reading of the same registers would? Pure.

Voltages and frequencies give a register map away: little else is near 230 or 50, and a float whose words are in the
wrong order is 1e-38 or 1e30. Everything here is a suggestion to a person who stands in front of the device.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ems_contract.points import Reason

from ems_edge.decode import Codec, Order, Type, Value, decode

_RANGES: dict[str, tuple[float, float]] = {
    "V": (-2_000, 2_000),
    "A": (-10_000, 10_000),
    "Hz": (45, 65),
    "%": (-100, 150),
    "°C": (-60, 250),
    "W": (-1e8, 1e8),
    "VA": (-1e8, 1e8),
    "var": (-1e8, 1e8),
    "Wh": (-1e12, 1e12),
    "VAh": (-1e12, 1e12),
    "varh": (-1e12, 1e12),
    "W/m²": (-20, 2_000),
}
"""Where a value of this unit is on a site; beyond it the map is more likely wrong than the plant remarkable."""
_TYPICAL = (
    ("a grid frequency", "Hz", 49.5, 50.5),
    ("a grid frequency", "Hz", 59.5, 60.5),
    ("a phase voltage", "V", 215.0, 245.0),
    ("a phase voltage", "V", 112.0, 125.0),
    ("a line voltage", "V", 375.0, 425.0),
)
"""Narrow enough that a number in there is hardly chance."""
_SMALLEST, _LARGEST = 1e-4, 1e9
"""Of a float that somebody measured; one in the wrong order is beyond, mostly far."""
_SCALES = (1.0, 0.1, 0.01, 0.001, 10.0, 100.0, 1000.0)
_BY_SIZE = {
    1: (Type.UINT16, Type.INT16),
    2: (Type.FLOAT32, Type.UINT32, Type.INT32),
    4: (Type.FLOAT64, Type.UINT64, Type.INT64),
}
_FLOATS = frozenset({Type.FLOAT32, Type.FLOAT64})


@dataclass(frozen=True, slots=True)
class Guess:
    """What a number looks like: `a phase voltage`, in V."""

    what: str
    unit: str


@dataclass(frozen=True, slots=True)
class View:
    """One way to read some words. `guess` where the value is typical of something."""

    codec: Codec
    value: float
    guess: Guess | None

    def __str__(self) -> str:
        told = f"{describe(self.codec)} {self.value:.7g}"
        return f"{told} looks like {self.guess.what} ({self.guess.unit})" if self.guess else told


@dataclass(frozen=True, slots=True)
class Correction:
    """What to write in a profile instead, and the value that it gives."""

    changes: dict[str, str | float]
    value: float

    def __str__(self) -> str:
        told = [
            f"{name}: {change:g}" if isinstance(change, float) else f"{name}: {change}"
            for name, change in self.changes.items()
        ]
        return f"{', '.join(told)} would give {self.value:.7g}"


def looks_like(value: float) -> Guess | None:
    for what, unit, low, high in _TYPICAL:
        if low <= value <= high:
            return Guess(what, unit)
    return None


def is_plausible(value: float, unit: str) -> bool:
    """Zero always is: many things are off."""
    if value == 0:
        return True
    low, high = _RANGES.get(unit, (-math.inf, math.inf))
    return low <= value <= high and abs(value) > 1e-9


def describe(codec: Codec) -> str:
    """`float32 little-word`, `uint16 x 0.1`."""
    words = [codec.type.value]
    if codec.word_order is Order.LITTLE and codec.words > 1:
        words.append("little-word")
    if codec.byte_order is Order.LITTLE:
        words.append("little-byte")
    if codec.scale != 1:
        words.append(f"x {codec.scale:g}")
    return " ".join(words)


def views(words: Sequence[int]) -> list[View]:
    """Every way to read the first one, two and four of these words that makes a number somebody may have measured."""
    found: list[View] = []
    for size, types in _BY_SIZE.items():
        if len(words) < size:
            break
        for kind in types:
            for codec in _orders(Codec(type=kind), size):
                found += _view(words[:size], codec)
    return found


def _view(words: Sequence[int], codec: Codec) -> Iterator[View]:
    value = decode(words, codec)
    if isinstance(value, Reason):
        return
    if codec.type in _FLOATS:
        if value == 0 or _SMALLEST <= abs(value) <= _LARGEST:
            yield View(codec, value, looks_like(value))
        return
    for scale in _SCALES[:4]:
        scaled = replace(codec, scale=scale)
        told = decode(words, scaled)
        if scale != 1 and isinstance(told, float) and (guess := looks_like(told)):
            yield View(scaled, told, guess)
    if codec.words == 1 or abs(value) <= _LARGEST:
        yield View(codec, float(value), looks_like(float(value)))


def _orders(codec: Codec, size: int) -> Iterator[Codec]:
    for byte_order in Order:
        for word_order in Order if size > 1 else (Order.BIG,):
            yield replace(codec, word_order=word_order, byte_order=byte_order)


def best(words: Sequence[int]) -> View | None:
    """The most telling view that starts here: typical values first, then the usual orders and types."""
    telling = [view for view in views(words) if view.guess is not None]
    return min(telling, key=lambda view: _oddness(view.codec), default=None)


def _oddness(codec: Codec) -> tuple[bool, bool, bool, int, float]:
    """How unusual it is that a maker keeps a number like this."""
    return (
        codec.byte_order is Order.LITTLE,
        codec.type not in _FLOATS and codec.words > 2,
        codec.word_order is Order.LITTLE,
        0 if codec.type in _FLOATS else codec.words,
        abs(math.log10(codec.scale)),
    )


def style(words: Sequence[int]) -> tuple[Codec, int] | None:
    """How these registers keep their numbers, as a whole: the codec, and how many typical values it shows.

    None where nothing typical is there. Scales differ from point to point, so they are not part of it.
    """
    counts: dict[Codec, int] = {}
    for start in range(len(words)):
        for view in views(words[start : start + 4]):
            if view.guess is not None:
                plain = replace(view.codec, scale=1.0)
                counts[plain] = counts.get(plain, 0) + 1
    if not counts:
        return None
    codec = min(counts, key=lambda codec: (-counts[codec], _oddness(codec)))
    return codec, counts[codec]


def text_at(words: Sequence[int]) -> str:
    """The text that starts here, of four characters or more; empty where none does."""
    data = b"".join(word.to_bytes(2, "big") for word in words)
    end = next((at for at, byte in enumerate(data) if not 32 <= byte < 127), len(data))
    text = data[:end].decode("ascii")
    return text.rstrip() if len(text.strip()) >= 4 and any(letter.isalpha() for letter in text) else ""


def corrections(words: Sequence[int], codec: Codec, unit: str, most: int = 3) -> list[Correction]:
    """Other readings of a point whose value is not plausible in `unit`; those that change least come first."""
    found: list[tuple[tuple[bool, int, float], Correction]] = []
    for kind in _BY_SIZE.get(codec.words, ()):
        for ordered in _orders(replace(codec, type=kind), codec.words):
            for factor in _SCALES:
                tried = replace(ordered, scale=float(f"{codec.scale * factor:.12g}"))
                value = decode(words, tried)
                if not _convinces(value, unit, factor):
                    continue
                changes = _changes(codec, tried)
                typical = _is_typical(value, unit)
                if changes and isinstance(value, float) and (typical or "byte_order" not in changes):
                    found.append(((not typical, len(changes), abs(math.log10(factor))), Correction(changes, value)))
    found.sort(key=lambda one: one[0])
    different = {correction.value: correction for _, correction in reversed(found)}
    return [correction for _, correction in found if different[correction.value] is correction][:most]


def _convinces(value: Value, unit: str, factor: float) -> bool:
    """A value that was only scaled into the wide range of its unit convinces nobody: it must be typical of it."""
    if not isinstance(value, float) or value == 0 or abs(value) < _SMALLEST or not is_plausible(value, unit):
        return False
    return factor == 1 or _is_typical(value, unit)


def _is_typical(value: Value, unit: str) -> bool:
    guess = looks_like(value) if isinstance(value, float) else None
    return guess is not None and guess.unit == unit


def _changes(old: Codec, new: Codec) -> dict[str, str | float]:
    pairs: dict[str, tuple[str | float, str | float]] = {
        "type": (old.type.value, new.type.value),
        "word_order": (old.word_order.value, new.word_order.value),
        "byte_order": (old.byte_order.value, new.byte_order.value),
        "scale": (old.scale, new.scale),
    }
    return {name: after for name, (before, after) in pairs.items() if before != after}
