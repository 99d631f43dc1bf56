"""What an edge tells the backend besides samples, on its events stream (at least once), and how it is doing."""

from __future__ import annotations

import msgspec

from ems_contract.commands import CommandEvent
from ems_contract.control import ControlEvent


class ConfigEvent(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="config"):
    """The edge took configuration `revision`, or refused it: then `problem` says why, and the old one stays."""

    v: int
    revision: str
    ts: int
    problem: str = ""


EdgeEvent = CommandEvent | ControlEvent | ConfigEvent
"""One entry of `keys.edge_events_stream`."""


class DeviceHealth(msgspec.Struct, frozen=True, omit_defaults=True):
    """`good` of `points` have a good value now; `answered` is the time (ms) of the last read with any.

    `reason` is the most frequent one of the others, `since` when the first of them began, ms.
    """

    key: str
    points: int
    good: int
    answered: int | None = None
    reason: str | None = None
    since: int | None = None


class EdgeStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an edge is doing, written to `keys.edge_status` every 10 s. Times in ms, sizes in bytes.

    `backlog` batches wait for their receipt, the oldest from `oldest`; `dropped` batches were lost to a full buffer in
    this boot. `offset` is how far the edge's clock is ahead of Redis'. `problems`: what keeps it from being ready.
    """

    v: int
    boot: str
    software: str
    ts: int
    revision: str
    backlog: int
    backlog_size: int
    devices: list[DeviceHealth]
    oldest: int | None = None
    dropped: int = 0
    offset: int | None = None
    config_problem: str = ""
    problems: dict[str, str] = {}
