"""One site while someone watches it: who gets its frames, and what is on its way to them. Pure bookkeeping.

A subscriber is in one of these places:
- `watchers`: has a snapshot and gets every flush, or is in a group of `pace` and gets what is merged for that;
- `joining`: waits for a snapshot, with the gap to announce before it, if there is one;
- in none: set aside, because its outbox is full or its access is in doubt. It still gets alerts and commands.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ems_contract import keys
from ems_contract.frames import GapNotice
from ems_contract.telemetry import decode_batch

from ems_realtime import protocol
from ems_realtime.budget import Budget
from ems_realtime.merge import Merger
from ems_realtime.metrics import Stamps
from ems_realtime.pace import Group, Pace
from ems_realtime.session import Session
from ems_realtime.turns import Turn

MARGIN_MS = 10_000
"""A batch is younger than its samples: a gap is announced this much further back than what was missed."""


@dataclass(frozen=True)
class Gap:
    """Live samples since `since` (ms since the epoch) may be missing."""

    since: int
    reason: str


class Feed:
    __slots__ = (
        "budget",
        "generation",
        "heard",
        "joining",
        "name",
        "pace",
        "pending",
        "quiet",
        "reading",
        "site",
        "stamps",
        "subscribers",
        "turn",
        "watchers",
    )

    turn: Turn
    """Its place in the line of those who write; set by who flushes it."""

    def __init__(self, site: int, budget: Budget) -> None:
        self.site = site
        self.budget = budget
        self.quiet = False
        """It was beyond its budget and is not listened to for a while; whoever joins waits."""
        self.name = keys.site_name(site)
        self.subscribers: set[Session] = set()
        self.watchers: set[Session] = set()
        self.pace = Pace()
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
        self.set_aside(session)
        self.subscribers.add(session)
        self.joining[session] = gap

    def change(self, session: Session, interval: int) -> None:
        """Another interval. The session goes on as before until its fresh snapshot is there, whatever happens then."""
        self.pace.ask(session, interval)
        if session in self.watchers or self.pace.group_of(session) is not None:
            self.joining.setdefault(session, None)

    def enter(self, session: Session) -> None:
        """It has its snapshot: from now on it gets what it asked for."""
        self.set_aside(session)
        if not self.pace.enter(session):
            self.watchers.add(session)

    def set_aside(self, session: Session) -> None:
        self.watchers.discard(session)
        self.pace.leave(session)
        self.joining.pop(session, None)

    def leave(self, session: Session) -> None:
        self.set_aside(session)
        self.pace.forget(session)
        self.subscribers.discard(session)

    def unsent_since(self, session: Session) -> int | None:
        """Since when there is something that a session does not get if it is set aside now, ms; None for nothing that
        MARGIN_MS would not cover."""
        gap, group = self.joining.get(session), self.pace.group_of(session)
        known = (gap.since if gap is not None else None, group.since if group is not None else None)
        return min((since for since in known if since is not None), default=None)

    def hear(self, batch: bytes, sent: int) -> None:
        """`sent`: when its edge says to have made it, ms since the epoch."""
        if self.watchers:
            self.pending.append(batch)
            self.stamps.add(sent)
        if self.heard is not None:
            self.heard.append(batch)

    def interrupted(self, gap: Gap) -> None:
        """Nobody may go on as if nothing had happened: every watcher joins again, behind the gap. Where another gap is
        still to be announced, it begins no later than this one."""
        self.generation += 1
        self.heard = None
        for session, known in self.joining.items():
            if known is not None and known.since > gap.since:
                self.joining[session] = gap
        for session in self.watchers:
            self.joining[session] = gap
        self.watchers.clear()
        for group in self.pace.groups.values():
            since = gap.since if group.since is None else min(gap.since, group.since)
            self.joining.update(dict.fromkeys(group.members, Gap(since, gap.reason)))
        self.pace.empty()
        for session in self.subscribers - self.joining.keys():
            missed = session.outbox.missed
            missed[self.site] = min(gap.since, missed.get(self.site, gap.since))

    def take_pending(self) -> tuple[bytes, Stamps]:
        """The next telemetry frame and the stamps of its batches; empty when there is none."""
        batches, self.pending = self.pending, []
        stamps, self.stamps = self.stamps, Stamps()
        return (protocol.telemetry(self.name, batches) if batches else b""), stamps

    def take_merged(self, group: Group, now: float) -> bytes:
        """The group's next frame; empty when there is none. `now`: the loop's clock."""
        batches = group.take(now)
        return protocol.merged(self.name, group.interval, batches) if batches else b""

    def openings(self, images: list[bytes]) -> tuple[dict[int, bytes], int]:
        """What joiners get first, by the interval that they asked for: the snapshot, then what was heard while it was
        read; and of how many batches that is."""
        heard, self.heard = self.heard or [], None
        snapshot = protocol.snapshot(self.name, images)
        intervals = {self.pace.asked(session) for session in self.joining}
        if not heard:
            return dict.fromkeys(intervals, snapshot), 0
        return {interval: snapshot + self._opening_telemetry(heard, interval) for interval in intervals}, len(heard)

    def _opening_telemetry(self, heard: list[bytes], interval: int) -> bytes:
        if not interval:
            return protocol.telemetry(self.name, heard)
        merger = Merger()
        for batch in heard:
            merger.hear(decode_batch(batch), len(batch))
        return protocol.merged(self.name, interval, merger.take())

    def gap_frame(self, gap: Gap) -> bytes:
        return protocol.encode(GapNotice(self.name, gap.since - MARGIN_MS, gap.reason))
