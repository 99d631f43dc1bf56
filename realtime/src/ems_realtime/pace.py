"""The clients of one site that asked for fewer frames: a group for each interval, with one merge for all of it. Pure.

A group's next frame is due an interval after its last one. It also waits COMPANY after its first batch: edges that are
read in step publish within some milliseconds of one another, and the second would be late by a whole interval.
"""

from __future__ import annotations

import asyncio
import math

from ems_contract.frames import INTERVALS, MergedBatch
from ems_contract.telemetry import Batch

from ems_realtime.merge import Merger
from ems_realtime.session import Session

COMPANY = 0.05
"""Seconds."""


def rounded_up(interval: int) -> int:
    """To the next of INTERVALS, ms; 0 stays 0, every batch. Raises ValueError for what cannot be had."""
    if interval == 0:
        return 0
    if not 0 < interval <= INTERVALS[-1]:
        raise ValueError(f"interval is in ms: 0 for every batch, or 1 to {INTERVALS[-1]}")
    return next(offered for offered in INTERVALS if offered >= interval)


class Group:
    """Who gets the same merged frames. It exists while it has members."""

    __slots__ = ("_last", "_merger", "_timer", "due", "interval", "members", "since")

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self.members: set[Session] = set()
        self.since: int | None = None
        """When the first batch of the next frame was heard, ms since the epoch; None while there is none."""
        self.due = math.inf
        """When the next frame is to be sent; the loop's clock, s."""
        self._last = -math.inf
        self._merger = Merger()
        self._timer: asyncio.TimerHandle | None = None

    def hear(self, batch: Batch, size: int, now: float, now_ms: int) -> bool:
        """Whether `due` has changed."""
        self._merger.hear(batch, size)
        if self.since is None:
            self.since = now_ms
            self.due = max(self._last + self.interval / 1000, now + COMPANY)
            return True
        if self.due > now and self._merger.crowded():  # in this order: to weigh takes long, and it may go on being so
            self.due = now  # sooner than was asked for, because memory is bounded and nothing is left out
            return True
        return False

    def take(self, now: float) -> list[MergedBatch]:
        """The next frame's content. Nothing is due after this until something is heard."""
        self._last = now
        self.since = None
        self.due = math.inf
        self.plan(None)
        return self._merger.take()

    def plan(self, timer: asyncio.TimerHandle | None) -> None:
        """What will send the next frame; it takes the place of what would have."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = timer


class Pace:
    """Which of a site's clients asked for an interval, and those of them that have their snapshot, in groups."""

    __slots__ = ("_asked", "groups")

    def __init__(self) -> None:
        self._asked: dict[Session, int] = {}
        self.groups: dict[int, Group] = {}

    def ask(self, session: Session, interval: int) -> None:
        """One of INTERVALS, or 0. Takes effect when the session enters, so not before its snapshot."""
        if interval:
            self._asked[session] = interval
        else:
            self._asked.pop(session, None)

    def asked(self, session: Session) -> int:
        return self._asked.get(session, 0)

    def enter(self, session: Session) -> bool:
        """Into the group of its interval; False if it asked for every batch."""
        interval = self._asked.get(session)
        if interval is None:
            return False
        if interval not in self.groups:
            self.groups[interval] = Group(interval)
        self.groups[interval].members.add(session)
        return True

    def group_of(self, session: Session) -> Group | None:
        return next((group for group in self.groups.values() if session in group.members), None)

    def leave(self, session: Session) -> None:
        """Out of its group, as when it is set aside. What it asked for is remembered."""
        group = self.group_of(session)
        if group is None:
            return
        group.members.discard(session)
        if not group.members:
            group.plan(None)
            del self.groups[group.interval]

    def forget(self, session: Session) -> None:
        self.leave(session)
        self._asked.pop(session, None)

    def empty(self) -> None:
        """Everyone leaves, also those groups whose frame is to be sent at once."""
        for group in self.groups.values():
            group.plan(None)
            group.members.clear()
        self.groups.clear()

    def hear(self, batch: Batch, size: int, now: float, now_ms: int) -> list[Group]:
        """A batch of `size` bytes, for every group. Those whose `due` has changed."""
        return [group for group in self.groups.values() if group.hear(batch, size, now, now_ms)]
