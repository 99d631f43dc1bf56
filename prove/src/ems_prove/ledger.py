"""The oracle: what the simulator answered, against what history holds.

The simulator writes one line for each answered read, before anyone else has seen it. Each device counts its answered
reads in a register of its own (`reads`), so every answer has a number that must appear in history exactly once, with
the values that those very words decode to.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

from ems_simulator.codec import decode
from ems_simulator.registers import register_map

TOLD, TOLD_MS = 1, 1_000
"""BACnet's service of a line that nobody asked for; how near to an answer it may have crossed it, ms."""


@dataclass(frozen=True)
class Answer:
    """One answered read that carried the device's `reads` counter. `at` in ms."""

    at: float
    device: str
    reads: int
    values: Mapping[str, float | None]
    """Point key -> what the words decode to; None where the device said that it has no value."""
    told: Mapping[str, frozenset[float | None]] = field(default_factory=dict)
    """What the device said by itself within a second of it: newer, where it came while the answer was under way."""


@dataclass(frozen=True)
class Span:
    """A gap that history knows of, in ms."""

    start: float
    end: float
    reason: str


History = Mapping[str, Sequence[tuple[int, float | None]]]
"""Point key -> (ts, value), in the order of time, as the public API answers."""


@dataclass
class Verdict:
    """`answered` reads in the ledger; of those `found` once in history, or inside a recorded gap, or lost."""

    answered: int = 0
    found: int = 0
    in_gaps: int = 0
    lost: list[Answer] = field(default_factory=list)
    duplicated: list[tuple[str, int]] = field(default_factory=list)
    """(device, reads) that history holds more than once."""
    invented: list[tuple[str, int]] = field(default_factory=list)
    """(device, reads) that history holds and the device never answered."""
    wrong: list[tuple[str, int, float | None, float | None]] = field(default_factory=list)
    """(point key, reads, answered, in history)."""

    @property
    def clean(self) -> bool:
        return self.answered > 0 and not (self.lost or self.duplicated or self.invented or self.wrong)

    def __str__(self) -> str:
        return (
            f"{self.answered} answered, {self.found} in history, {self.in_gaps} in recorded gaps, "
            f"{len(self.lost)} lost, {len(self.duplicated)} duplicated, {len(self.invented)} invented, "
            f"{len(self.wrong)} wrong"
        )


def read_ledger(file: Path, profiles: Mapping[str, str], since: float = 0, until: float = float("inf")) -> list[Answer]:
    """The site's answers with `since <= at < until` that carry a `reads` counter. `profiles`: device -> profile."""
    answers = []
    told: list[tuple[float, str, float | None]] = []
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith("\n"):
                break  # still being written
            entry = json.loads(line)
            if entry["function"] == TOLD and "values" in entry:
                told += [(entry["t"], f"{entry['device']}.{name}", value) for name, value in entry["values"].items()]
            if entry["reads"] is None or not since <= entry["t"] < until:
                continue
            values = _decode(profiles[entry["device"]], entry)
            answers.append(Answer(entry["t"], entry["device"], entry["reads"], values))
    return [replace(answer, told=_around(answer, told)) for answer in answers] if told else answers


def _around(answer: Answer, told: Sequence[tuple[float, str, float | None]]) -> dict[str, frozenset[float | None]]:
    first = bisect_left(told, answer.at - TOLD_MS, key=itemgetter(0))
    last = bisect_right(told, answer.at + TOLD_MS, key=itemgetter(0))
    keys = {key for _, key, _ in told[first:last]} & answer.values.keys()
    return {key: frozenset(value for _, about, value in told[first:last] if about == key) for key in keys}


def _decode(profile: str, entry: Any) -> dict[str, float | None]:
    """What the device's own register map says about the words of one answer; BACnet's are values already."""
    if "values" in entry:
        return {f"{entry['device']}.{name}": value for name, value in entry["values"].items()}
    found = register_map(profile)
    start, end = entry["address"], entry["address"] + entry["count"]
    return {
        f"{entry['device']}.{point.name}": decode(
            point, entry["words"][point.address - start : point.end - start], found.word_order
        )
        for bank in found.banks
        if entry["function"] in bank.functions
        for point in bank.points
        if start <= point.address and point.end <= end
    }


def compare(answers: Iterable[Answer], history: History, gaps: Iterable[Span], slack_ms: float = 0) -> Verdict:
    """Hold the ledger against history.

    An answer that is missing counts as `in_gaps` only if a recorded gap covers its time (`slack_ms` allows for the
    milliseconds between the simulator's clock reading and the edge's); otherwise it is lost.
    """
    spans = list(gaps)
    verdict = Verdict()
    stored: dict[str, dict[int, int]] = {}
    by_ts: dict[str, dict[int, float | None]] = {key: dict(samples) for key, samples in history.items()}
    seen: dict[str, set[int]] = {}
    for key, samples in history.items():
        device, _, name = key.partition(".")
        if name != "reads":
            continue
        counts = Counter(int(value) for _, value in samples if value is not None)
        verdict.duplicated += [(device, number) for number, times in counts.items() if times > 1]
        stored[device] = {int(value): ts for ts, value in samples if value is not None}
        seen[device] = set(counts)
    for answer in answers:
        verdict.answered += 1
        ts = stored.get(answer.device, {}).get(answer.reads)
        if ts is None:
            if any(span.start - slack_ms <= answer.at <= span.end + slack_ms for span in spans):
                verdict.in_gaps += 1
            else:
                verdict.lost.append(answer)
            continue
        verdict.found += 1
        seen[answer.device].discard(answer.reads)
        for key, expected in answer.values.items():
            actual = by_ts.get(key, {}).get(ts)
            if key in by_ts and actual != expected and actual not in answer.told.get(key, ()):
                verdict.wrong.append((key, answer.reads, expected, actual))
    verdict.invented = [(device, number) for device, left in seen.items() for number in sorted(left)]
    return verdict
