"""Frames of `ems.v1` from text and to text. Lenient where the service may be newer, strict where it matters. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import batched

import msgspec
from ems_contract import frames
from ems_contract.frames import MergedBatch, Subscribe, Unsubscribe
from ems_contract.telemetry import Batch

NAMES_AT_ONCE = 100
"""Sites in one frame; the service reads more."""


class SnapshotFrame(msgspec.Struct, frozen=True, tag_field="type", tag="snapshot"):
    site: str
    batches: list[msgspec.Raw]


class TelemetryFrame(msgspec.Struct, frozen=True, tag_field="type", tag="telemetry"):
    site: str
    batches: list[msgspec.Raw]


class MergedFrame(msgspec.Struct, frozen=True, tag_field="type", tag="merged"):
    site: str
    interval: int
    batches: list[msgspec.Raw]


class RefusalFrame(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    """As the contract's, but a code that is newer than this client is a code too."""

    code: int
    message: str
    site: str | None = None


TelemetryFrames = SnapshotFrame | TelemetryFrame | MergedFrame

SiteEvents = frames.Alert | frames.CommandChanged | frames.ControlChanged

Frame = (
    frames.Welcome
    | frames.GrantChanged
    | TelemetryFrames
    | frames.GapNotice
    | SiteEvents
    | RefusalFrame
    | frames.Pong
    | frames.Heartbeat
)

_frame = msgspec.json.Decoder(Frame)
_batch = msgspec.json.Decoder(Batch)
_merged = msgspec.json.Decoder(MergedBatch)
_encoder = msgspec.json.Encoder()


def parse(text: str) -> Frame | None:
    """None for what this version does not understand, which a client ignores."""
    try:
        frame: Frame = _frame.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return frame


def batches(found: Sequence[msgspec.Raw]) -> list[Batch]:
    """A batch that is none is left out: one bad edge must not silence the others of its site."""
    return _readable(found, _batch)


def merged_batches(found: Sequence[msgspec.Raw]) -> list[MergedBatch]:
    return _readable(found, _merged)


def _readable[B: (Batch, MergedBatch)](found: Sequence[msgspec.Raw], decoder: msgspec.json.Decoder[B]) -> list[B]:
    readable = []
    for raw in found:
        try:
            readable.append(decoder.decode(raw))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            continue
    return readable


def auth(token: str) -> str:
    return _encoder.encode(frames.Auth(token)).decode()


def subscriptions(intervals: Mapping[str, int]) -> list[str]:
    """`subscribe` frames for these sites: site -> interval, ms."""
    by_interval: dict[int, list[str]] = {}
    for site, interval in intervals.items():
        by_interval.setdefault(interval, []).append(site)
    return [
        _encoder.encode(Subscribe(list(names), interval)).decode()
        for interval, sites in by_interval.items()
        for names in batched(sites, NAMES_AT_ONCE)
    ]


def unsubscriptions(sites: Sequence[str]) -> list[str]:
    return [_encoder.encode(Unsubscribe(list(names))).decode() for names in batched(sites, NAMES_AT_ONCE)]
