"""The edge's whole current image: what a new viewer sees before the next batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ems_contract.points import Reason
from ems_contract.telemetry import Batch, Reading, encode_batch

from ems_edge.clock import wall_ms


class Image:
    """The newest committed sample of every point: what was last sent of it, where it is reported by exception."""

    def __init__(self, edge: str, boot: str) -> None:
        self._edge = edge
        self._boot = boot
        self._seq = 0
        self._newest: dict[str, dict[str, _Newest]] = {}
        """By device and point."""

    def update(self, seq: int, readings: Iterable[tuple[str, Reading]]) -> None:
        """The readings of batch `seq`, by device. What is ahead of its time never becomes the latest."""
        self._seq = seq
        for device, reading in readings:
            quality = reading.quality or {}
            if Reason.FUTURE in quality.values():
                continue
            newest = self._newest.setdefault(device, {})
            for key, value in reading.values.items():
                newest[key] = _Newest(reading.ts, value, quality.get(key))

    def keep_only(self, devices: Iterable[str]) -> None:
        """The configuration changed: forget the points of devices that are no more."""
        kept = set(devices)
        self._newest = {device: newest for device, newest in self._newest.items() if device in kept}

    def encode(self) -> bytes | None:
        """As a batch, with the seq of the newest batch in it; None before there is one."""
        by_ts: dict[int, tuple[dict[str, float | None], dict[str, str]]] = {}
        for newest in self._newest.values():
            for key, (ts, value, reason) in newest.items():
                values, quality = by_ts.setdefault(ts, ({}, {}))
                values[key] = value
                if reason is not None:
                    quality[key] = reason
        readings = _readings(by_ts)
        return encode_batch(Batch(1, self._edge, self._boot, self._seq, wall_ms(), readings)) if readings else None


class _Newest(NamedTuple):
    ts: int
    value: float | None
    reason: str | None


def merge(readings: Iterable[Reading]) -> list[Reading]:
    """One reading for each ts, ascending; the points of different readings are different."""
    by_ts: dict[int, tuple[dict[str, float | None], dict[str, str]]] = {}
    for reading in readings:
        values, quality = by_ts.setdefault(reading.ts, ({}, {}))
        values |= reading.values
        quality |= reading.quality or {}
    return _readings(by_ts)


def _readings(by_ts: dict[int, tuple[dict[str, float | None], dict[str, str]]]) -> list[Reading]:
    return [Reading(ts, values, quality or None) for ts, (values, quality) in sorted(by_ts.items())]
