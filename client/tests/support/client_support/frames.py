"""Frames of the service, as text."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from ems_contract import frames
from ems_contract.access import SiteGrant
from ems_contract.telemetry import Batch, Reading

SERVER_TIME = 1_790_000_000_000
BOOT = "6f1f3f0e-52f5-4d62-9d3c-7a7f1f6f3a10"


def text(frame: object) -> str:
    return msgspec.json.encode(frame).decode()


def batch(seq: int, ts: int | None = None, *, edge: str = "edge_1", boot: str = BOOT) -> Batch:
    ts = SERVER_TIME + seq * 1000 if ts is None else ts
    return Batch(1, edge, boot, seq, ts, [Reading(ts, {"grid_meter.active_power": float(seq)})])


def merged(
    first: int, last: int, ts: int | None = None, *, edge: str = "edge_1", boot: str = BOOT
) -> frames.MergedBatch:
    ts = SERVER_TIME + last * 1000 if ts is None else ts
    return frames.MergedBatch(edge, boot, first, last, ts, [Reading(ts, {"grid_meter.active_power": float(last)})])


def grants(*sites: str) -> list[SiteGrant]:
    return [SiteGrant(site, site.title(), 1, "viewer", ["view"]) for site in sites]


def welcome(*sites: str, expires_in: float = 600.0, server_time: int = SERVER_TIME) -> str:
    expires = server_time + int(expires_in * 1000)
    return text(frames.Welcome("s-1", server_time, expires, 5000, grants(*sites)))


def grant(*sites: str, expires: int = SERVER_TIME + 600_000, stale: bool = False) -> str:
    return text(frames.GrantChanged(expires, stale, grants(*sites)))


def snapshot(site: str, batches: Sequence[Batch]) -> str:
    return text(frames.Snapshot(site, list(batches)))


def telemetry(site: str, *batches: Batch) -> str:
    return text(frames.Telemetry(site, list(batches)))


def merged_frame(site: str, *batches: frames.MergedBatch, interval: int = 1000) -> str:
    return text(frames.Merged(site, interval, list(batches)))


def gap(site: str, since: int, reason: str = "interrupted") -> str:
    return text(frames.GapNotice(site, since, reason))


def heartbeat(*, live: bool = True, server_time: int = SERVER_TIME) -> str:
    return text(frames.Heartbeat(server_time, live))
