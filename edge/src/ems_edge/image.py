"""The edge's whole current image: what a new viewer sees before the next batch."""

from __future__ import annotations

from collections.abc import Iterable

from ems_contract.points import Reason
from ems_contract.telemetry import Batch, Reading, encode_batch

from ems_edge.clock import wall_ms


class Image:
    """The newest committed sample of every point."""

    def __init__(self, edge: str, boot: str) -> None:
        self._edge = edge
        self._boot = boot
        self._seq = 0
        self._newest: dict[str, Reading] = {}

    def update(self, seq: int, readings: Iterable[tuple[str, Reading]]) -> None:
        """The readings of batch `seq`, by device. What is ahead of its time never becomes the latest."""
        self._seq = seq
        for device, reading in readings:
            if Reason.FUTURE in (reading.quality or {}).values():
                continue
            old = self._newest.get(device)
            # A device with more points than fit in a batch comes in pieces of the same ts.
            self._newest[device] = merge([old, reading])[0] if old and old.ts == reading.ts else reading

    def keep_only(self, devices: Iterable[str]) -> None:
        """The configuration changed: forget the points of devices that are no more."""
        kept = set(devices)
        self._newest = {device: reading for device, reading in self._newest.items() if device in kept}

    def encode(self) -> bytes | None:
        """As a batch, with the seq of the newest batch in it; None before there is one."""
        readings = merge(self._newest.values())
        return encode_batch(Batch(1, self._edge, self._boot, self._seq, wall_ms(), readings)) if readings else None


def merge(readings: Iterable[Reading]) -> list[Reading]:
    """One reading for each ts, ascending; the points of different readings are different."""
    by_ts: dict[int, tuple[dict[str, float | None], dict[str, str]]] = {}
    for reading in readings:
        values, quality = by_ts.setdefault(reading.ts, ({}, {}))
        values |= reading.values
        quality |= reading.quality or {}
    return [Reading(ts, values, quality or None) for ts, (values, quality) in sorted(by_ts.items())]
