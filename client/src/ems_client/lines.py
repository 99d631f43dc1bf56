"""Events as lines: for people, or JSON for programs. Pure but for the two streams it writes to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TextIO

import msgspec

from ems_client.events import (
    Alert,
    Command,
    Control,
    Event,
    Gap,
    Grant,
    Hole,
    Merged,
    Refused,
    Sample,
    Snapshot,
    StateChange,
    Telemetry,
)

NAMES: dict[type[Event], str] = {
    Snapshot: "snapshot",
    Telemetry: "telemetry",
    Merged: "merged",
    Gap: "gap",
    Hole: "hole",
    Alert: "alert",
    Command: "command",
    Control: "control",
    Grant: "grant",
    Refused: "refused",
    StateChange: "state",
}

_encoder = msgspec.json.Encoder()


def renderer(out: TextIO, err: TextIO, *, points: Collection[str] | None, as_json: bool) -> Callable[[Event], None]:
    """What writes an event. `points`: the only ones to show; None: all."""

    def shown(sample: Sample) -> bool:
        return points is None or sample.point in points

    def write_json(event: Event) -> None:
        out.write(to_json(event, shown) + "\n")
        out.flush()

    def write_words(event: Event) -> None:
        if isinstance(event, Snapshot | Telemetry | Merged):
            out.writelines(f"{_plain(sample_line(sample))}\n" for sample in event.samples() if shown(sample))
            out.flush()
        else:
            err.write(f"-- {_plain(sentence(event))}\n")
            err.flush()

    return write_json if as_json else write_words


def to_json(event: Event, shown: Callable[[Sample], bool]) -> str:
    """{"event": ..., its fields}; of telemetry the samples, flat, as {point, ts, value, quality?}."""
    line: dict[str, object] = {"event": NAMES[type(event)]}
    if isinstance(event, Snapshot | Telemetry | Merged):
        line |= {"site": event.site, "samples": [_flat(sample) for sample in event.samples() if shown(sample)]}
    else:
        line |= msgspec.to_builtins(event)
    return _encoder.encode(line).decode()


def _flat(sample: Sample) -> dict[str, object]:
    flat: dict[str, object] = {
        "edge": sample.edge,
        "point": sample.point,
        "ts": sample.ts,
        "value": sample.value,
    }
    return flat if sample.quality is None else {**flat, "quality": sample.quality}


def sample_line(sample: Sample) -> str:
    value = "-" if sample.value is None else f"{sample.value:.10g}"
    reason = f"  ({sample.quality})" if sample.quality else ""
    return f"{_time(sample.ts)}  {sample.site}  {sample.point:<40} {value:>16}{reason}"


def sentence(event: Event) -> str:
    """What is told about the link or a site, for people."""
    match event:
        case StateChange(state, reason, retry_in):
            again = f"; next attempt in {retry_in:.1f} s" if retry_in is not None else ""
            return f"{state.value}: {reason}{again}"
        case Grant(sites, _, stale):
            names = ", ".join(f"{site.site} ({site.name})" for site in sites)
            return f"may be seen: {names}{' (could not be checked lately)' if stale else ''}"
        case Gap(site, since, reason):
            return f"{site}: samples since {_time(since)} may be missing ({reason})"
        case Hole(site, edge, start, end):
            return f"{site}: {_time(start)} to {_time(end)} of {edge} was not seen live; history has it"
        case Refused(site, code, message):
            return f"{site or 'subscribe'}: refused ({code}): {message}"
        case Alert(site, alert):
            return f"{site}: alert {alert.state.value}, {alert.severity.value}: {alert.message}"
        case Command(site, command):
            return f"{site}: command {command.id} for {command.point}: {command.state.value}"
        case Control(site, control):
            return f"{site}: rule {control.rule} {control.action.value} for {control.point}"
        case Snapshot() | Telemetry() | Merged():
            return f"{event.site}: {sum(1 for _ in event.samples())} samples"


def _plain(text: str) -> str:
    """What others wrote (names, messages, keys) must not move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _time(ms: int) -> str:
    """Of a clock in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3] + "Z"
