"""One site while someone watches it: who gets its frames, and what is on its way to them. Pure bookkeeping.

A subscriber is in one of these places:
- `watchers`: has a snapshot and gets every flush;
- `joining`: waits for a snapshot, with the gap to announce before it, if there is one;
- neither: set aside, because its outbox is full or its access is in doubt. It still gets alerts and commands.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ems_contract import keys
from ems_contract.frames import GapNotice

from ems_realtime import protocol
from ems_realtime.metrics import Stamps
from ems_realtime.session import Session

MARGIN_MS = 10_000
"""A batch is younger than its samples: a gap is announced this much further back than what was missed."""


@dataclass(frozen=True)
class Gap:
    """Live samples since `since` (ms since the epoch) may be missing."""

    since: int
    reason: str


class Feed:
    __slots__ = (
        "generation",
        "heard",
        "joining",
        "name",
        "pending",
        "reading",
        "site",
        "stamps",
        "subscribers",
        "watchers",
    )

    def __init__(self, site: int) -> None:
        self.site = site
        self.name = keys.site_name(site)
        self.subscribers: set[Session] = set()
        self.watchers: set[Session] = set()
        self.joining: dict[Session, Gap | None] = {}
        self.pending: list[bytes] = []
        """Batches for the watchers, until the next flush."""
        self.stamps = Stamps()
        """When each of `pending` was heard and sent."""
        self.heard: list[bytes] | None = None
        """Batches since a reading of the latest images began; None while none is under way."""
        self.generation = 0
        """Raised when the subscription was interrupted: a reading that began before proves nothing."""
        self.reading: asyncio.Task[None] | None = None

    def join(self, session: Session, gap: Gap | None = None) -> None:
        self.subscribers.add(session)
        self.watchers.discard(session)
        self.joining[session] = gap

    def set_aside(self, session: Session) -> None:
        self.watchers.discard(session)
        self.joining.pop(session, None)

    def leave(self, session: Session) -> None:
        self.set_aside(session)
        self.subscribers.discard(session)

    def hear(self, batch: bytes, sent: int) -> None:
        """`sent`: when its edge says to have made it, ms since the epoch."""
        if self.watchers:
            self.pending.append(batch)
            self.stamps.add(sent)
        if self.heard is not None:
            self.heard.append(batch)

    def interrupted(self, gap: Gap) -> None:
        """Nobody may go on as if nothing had happened: every watcher joins again, behind the gap."""
        self.generation += 1
        self.heard = None
        for session in self.watchers:
            self.joining[session] = gap
        self.watchers.clear()

    def take_pending(self) -> tuple[bytes, Stamps]:
        """The next telemetry frame and the stamps of its batches; empty when there is none."""
        batches, self.pending = self.pending, []
        stamps, self.stamps = self.stamps, Stamps()
        return (protocol.telemetry(self.name, batches) if batches else b""), stamps

    def opening(self, images: list[bytes]) -> tuple[bytes, int]:
        """What a joiner gets first: the snapshot, then what was heard while it was read."""
        heard, self.heard = self.heard or [], None
        frames = protocol.snapshot(self.name, images)
        return (frames + protocol.telemetry(self.name, heard) if heard else frames), len(heard)

    def gap_frame(self, gap: Gap) -> bytes:
        return protocol.encode(GapNotice(self.name, gap.since - MARGIN_MS, gap.reason))
