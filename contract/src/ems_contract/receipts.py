"""The receipt: which batches of an edge are committed, as the historian tells the edge.

One line for each boot, `<boot>: 1-900,905-1000`: closed ranges of seq, ascending, not touching.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

Ranges = list[tuple[int, int]]
"""Closed ranges (first, last), ascending and separated by at least one missing seq."""

_LINE = re.compile(r"([0-9a-f-]{36}): ([0-9]+-[0-9]+(?:,[0-9]+-[0-9]+)*)\Z")


def format_receipts(receipts: Mapping[str, Ranges]) -> str:
    return "\n".join(
        f"{boot}: {','.join(f'{first}-{last}' for first, last in ranges)}"
        for boot, ranges in receipts.items()
        if ranges
    )


def parse_receipts(text: str) -> dict[str, Ranges]:
    """Raises ValueError naming the line that cannot be read; an empty text is no receipt at all."""
    receipts: dict[str, Ranges] = {}
    for number, line in enumerate(text.splitlines(), 1):
        found = _LINE.match(line)
        if found is None:
            raise ValueError(f"line {number} of the receipt is not '<boot>: 1-900,905-1000': {line[:80]!r}")
        pairs = [pair.split("-") for pair in found[2].split(",")]
        receipts[found[1]] = normalise((int(first), int(last)) for first, last in pairs)
    return receipts


def normalise(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Sort and merge closed ranges; an empty range (last < first) is dropped."""
    merged: Ranges = []
    for first, last in sorted(ranges):
        if last < first:
            continue
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def covers(ranges: Ranges, seq: int) -> bool:
    return any(first <= seq <= last for first, last in ranges)
