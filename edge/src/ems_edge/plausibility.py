"""Does a number look like what it should be, and if not, which other reading of the same registers would? Pure.

Voltages and frequencies give a register map away: little else is near 230 or 50, and a float whose words are in the
wrong order is 1e-38 or 1e30. Everything here is a suggestion to a person who stands in front of the device.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ems_contract.points import Reason

from ems_edge.decode import Codec, Order, Type, decode

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
_FINER = (0.1, 0.01, 0.001)
_SCALES = (1.0, *_FINER, 10.0, 100.0, 1000.0)
_USUAL = {"V": (0.1,), "Hz": _FINER}
"""Finer scales in which makers keep this unit in 16 bits."""
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
    """As it is; and a whole number besides in each scale that makes something typical of it."""
    value = decode(words, codec)
    if isinstance(value, Reason):
        return
    if codec.type in _FLOATS:
        if value == 0 or _SMALLEST <= abs(value) <= _LARGEST:
            yield View(codec, value, looks_like(value))
        return
    guess = looks_like(value)
    if codec.words == 1 or abs(value) <= _LARGEST:
        yield View(codec, float(value), guess if guess and guess.unit != "Hz" else None)  # 50 is many things
    for scale in _FINER:
        told = decode(words, scaled := replace(codec, scale=scale))
        if isinstance(told, float) and (guess := looks_like(told)) and (codec.words > 1 or scale in _USUAL[guess.unit]):
            yield View(scaled, told, guess)


def _orders(codec: Codec, size: int) -> Iterator[Codec]:
    for byte_order in Order:
        for word_order in Order if size > 1 else (Order.BIG,):
            yield replace(codec, word_order=word_order, byte_order=byte_order)


@dataclass(frozen=True, slots=True)
class Style:
    """How registers keep their numbers: a codec without scale, at addresses that leave `phase` divided by its size.

    `count` is how many typical values show it.
    """

    codec: Codec
    phase: int
    count: int


def style(runs: Mapping[int, Sequence[int]]) -> Style | None:
    """What most of the typical values agree on; `runs`: address -> words from there on. None where there are none."""
    counts: dict[tuple[Codec, int], int] = {}
    for first, words in runs.items():
        for offset in range(len(words)):
            for view in views(words[offset : offset + 4]):
                if view.guess is not None:
                    key = (replace(view.codec, scale=1.0), (first + offset) % view.codec.words)
                    counts[key] = counts.get(key, 0) + 1
    if not counts:
        return None
    codec, phase = min(counts, key=lambda key: (-counts[key], _oddness(key[0])))
    return Style(codec, phase, counts[codec, phase])


def _oddness(codec: Codec) -> tuple[bool, bool, int]:
    """How unusual it is that a maker keeps a number like this."""
    return codec.byte_order is Order.LITTLE, codec.word_order is Order.LITTLE, codec.words


def survey(first: int, words: Sequence[int], found: Style | None) -> dict[int, str]:
    """What seems to start at which address: texts, and numbers kept in the style that was found."""
    told: dict[int, str] = {}
    offset = 0
    while offset < len(words):
        rest = words[offset:]
        if text := text_at(rest):
            told[first + offset] = f"text {text!r}"
            offset += (len(text) + 1) // 2
        elif found is not None and (view := _in_style(first + offset, rest, found)) is not None:
            told[first + offset] = str(view)
            offset += view.codec.words
        else:
            offset += 1
    return told


def _in_style(address: int, words: Sequence[int], found: Style) -> View | None:
    """A typical number, or any that somebody may have measured where it is kept as most are."""
    ways = [view for view in views(words) if view.codec.byte_order is found.codec.byte_order]
    alike = [view for view in ways if replace(view.codec, scale=1.0) == found.codec]
    if alike and address % found.codec.words == found.phase:
        return max(alike, key=lambda view: view.guess is not None) if found.codec.words > 1 else _typical(alike)
    return _typical([view for view in ways if view.codec.words == 1])


def _typical(ways: Sequence[View]) -> View | None:
    return next((view for view in ways if view.guess is not None), None)


_TEXT = re.compile(rb"(?=[ -~]*[A-Za-z])([\w ./+-]{4,})\0|([\w ./+-]{8,})", re.ASCII)


def text_at(words: Sequence[int]) -> str:
    """The text that starts here: four characters that end with a zero, or eight. Empty where none does."""
    found = _TEXT.match(b"".join(word.to_bytes(2, "big") for word in words))
    return (found[1] or found[2]).decode("ascii").strip() if found else ""


def corrections(words: Sequence[int], codec: Codec, unit: str, most: int = 3) -> list[Correction]:
    """Other readings of a point whose value is not plausible in `unit`; those that change least come first."""
    found: list[tuple[tuple[bool, bool, int, float], Correction]] = []
    for kind in _BY_SIZE.get(codec.words, ()):
        for ordered in _orders(replace(codec, type=kind), codec.words):
            for factor in _SCALES:
                tried = replace(ordered, scale=float(f"{codec.scale * factor:.12g}"))
                value, changes = decode(words, tried), _changes(codec, tried)
                if isinstance(value, float) and changes and _convinces(value, unit, changes, factor):
                    rare, typical = "byte_order" in changes, _is_typical(value, unit)
                    order = (rare, not typical, len(changes), abs(math.log10(factor)))
                    found.append((order, Correction(changes, value)))
    found.sort(key=lambda one: one[0])
    different = {correction.value: correction for _, correction in reversed(found)}
    return [correction for _, correction in found if different[correction.value] is correction][:most]


def _convinces(value: float, unit: str, changes: dict[str, str | float], factor: float) -> bool:
    """Typical values do. Others where nothing rare is assumed: the same scale, or one digit more and nothing else."""
    if value == 0 or abs(value) < _SMALLEST or not is_plausible(value, unit):
        return False
    one_digit = factor == 0.1 and len(changes) == 1
    return _is_typical(value, unit) or ("byte_order" not in changes and (factor == 1 or one_digit))


def _is_typical(value: float, unit: str) -> bool:
    guess = looks_like(value)
    return guess is not None and guess.unit == unit


def _changes(old: Codec, new: Codec) -> dict[str, str | float]:
    pairs: dict[str, tuple[str | float, str | float]] = {
        "type": (old.type.value, new.type.value),
        "word_order": (old.word_order.value, new.word_order.value),
        "byte_order": (old.byte_order.value, new.byte_order.value),
        "scale": (old.scale, new.scale),
    }
    return {name: after for name, (before, after) in pairs.items() if before != after}
