"""The sites that a program follows: what to ask the service for, and what each frame means to the program. Pure.

A site is in one of these places:
- asked: subscribed (or to be, once the link is open), no snapshot yet;
- following: has its snapshot; telemetry is handed on;
- refused: not for this token. Asked for again when a grant names it.
And it may be set aside: the program takes its events too slowly, and the site's frames are thrown away until `rejoin`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ems_contract import keys
from ems_contract.access import SiteGrant
from ems_contract.frames import INTERVALS, Alert, CommandChanged, ControlChanged, ErrorCode, GapNotice

from ems_client import events, wire
from ems_client.events import Event
from ems_client.tracking import Tracker

ACCESS_ENDED = "access to this site has ended"


class Status(Enum):
    ASKED = "asked"
    FOLLOWING = "following"
    REFUSED = "refused"


@dataclass(slots=True)
class _Site:
    """`doubt`: samples after it (ms) may have been missed; None while none were. `opened`: when it was first asked."""

    name: str
    interval: int
    opened: int
    tracker: Tracker
    status: Status = Status.ASKED
    doubt: int | None = None


def check_site(name: str) -> None:
    """Raises ValueError."""
    try:
        keys.site_id(name)
    except ValueError:
        raise ValueError(f"site: {name!r:.80} is not a site's name; write site_<id>, such as site_7") from None


def check_interval(interval: int) -> int:
    """The service's next longer interval, ms. Raises ValueError."""
    if interval == 0:
        return 0
    for offered in INTERVALS:
        if 0 < interval <= offered:
            return offered
    raise ValueError(f"interval: {interval} ms; 0 is every batch, else 1 to {INTERVALS[-1]} ms")


class Following:
    """Methods return what the program should know; `to_send` says what the service must be told."""

    def __init__(self) -> None:
        self._sites: dict[str, _Site] = {}
        self._aside: set[str] = set()
        self._to_leave: set[str] = set()
        self._to_ask: set[str] = set()

    def to_send(self) -> list[str]:
        """Frames, in this order; each once. What was wanted one by one is asked for together."""
        leave, ask = sorted(self._to_leave), {name: self._sites[name].interval for name in sorted(self._to_ask)}
        self._to_leave.clear()
        self._to_ask.clear()
        return wire.unsubscriptions(leave) + wire.subscriptions(ask)

    # What the program wants -----------------------------------------------------------------------------------

    def want(self, names: Iterable[str], interval: int, now_ms: int) -> None:
        """Raises ValueError, and then nothing has changed."""
        wanted = list(dict.fromkeys(names))
        for name in wanted:
            check_site(name)
        interval = check_interval(interval)
        for name in wanted:
            site = self._sites.get(name)
            if site is None:
                site = self._sites[name] = _Site(name, interval, now_ms, Tracker(name))
            elif site.status is Status.REFUSED:
                site.status = Status.ASKED
            elif site.interval == interval:
                continue
            site.interval = interval
            self._to_ask.add(name)

    def forget(self, names: Iterable[str]) -> None:
        gone = {name for name in names if self._sites.pop(name, None) is not None}
        self._to_ask -= gone
        self._aside -= gone
        self._to_leave |= gone
        if gone:  # where some are let go there is room for what was too much; else asking again changes nothing
            self._ask(Status.ASKED)

    # The link -------------------------------------------------------------------------------------------------

    def link_opened(self, grants: Iterable[SiteGrant]) -> None:
        allowed = {grant.site for grant in grants}
        for site in self._sites.values():
            if site.status is not Status.REFUSED or site.name in allowed:
                site.status = Status.ASKED
        self._to_leave.clear()
        self._ask(Status.ASKED)

    def link_lost(self) -> list[Event]:
        gaps: list[Event] = []
        for site in self._sites.values():
            if site.status is Status.FOLLOWING and site.name not in self._aside:
                gaps.append(self._doubt(site, site.tracker.newest or site.opened, "disconnected"))
            if site.status is not Status.REFUSED:
                site.status = Status.ASKED
        self._aside.clear()
        return gaps

    def granted(self, grants: Iterable[SiteGrant]) -> list[Event]:
        """A grant comes at every renewal too. Sites that left it are refused, sites that returned are asked for.

        A site that left while its snapshot was awaited is let go by the service without another word."""
        allowed = {grant.site for grant in grants}
        told: list[Event] = []
        for site in self._sites.values():
            if site.status is Status.REFUSED and site.name in allowed:
                site.status = Status.ASKED
                self._to_ask.add(site.name)
            elif site.status is not Status.REFUSED and site.name not in allowed:
                self._refuse(site)
                told.append(events.Refused(site.name, ErrorCode.SITE_NOT_FOUND, ACCESS_ENDED))
        return told

    # A program that takes its events too slowly ---------------------------------------------------------------

    @property
    def has_aside(self) -> bool:
        return bool(self._aside)

    def rejoin(self) -> None:
        """The program has caught up: whatever was set aside begins anew, with a snapshot."""
        self._to_leave |= self._aside  # a second subscribe alone would change nothing
        self._to_ask |= self._aside
        self._aside.clear()

    # Frames ---------------------------------------------------------------------------------------------------

    def telemetry(self, frame: wire.TelemetryFrames, *, room: bool) -> list[Event]:
        """`room`: the program's queue has room for it; without, the site is set aside."""
        site = self._sites.get(frame.site)
        if site is None or site.status is Status.REFUSED or site.name in self._aside:
            return []
        if site.status is Status.ASKED and not isinstance(frame, wire.SnapshotFrame):
            return []  # on its way since before the site was let go and wanted again; the snapshot has it
        if not room:
            self._aside.add(site.name)
            return [self._doubt(site, site.tracker.newest or site.opened, "slow_consumer")]
        match frame:
            case wire.SnapshotFrame():
                return self._snapshot(site, frame)
            case wire.TelemetryFrame():
                fresh, holes = site.tracker.fresh(wire.batches(frame.batches))
                return [*holes, events.Telemetry(site.name, fresh)] if fresh else [*holes]
            case wire.MergedFrame():
                merged, holes = site.tracker.fresh(wire.merged_batches(frame.batches))
                return [*holes, events.Merged(site.name, frame.interval, merged)] if merged else [*holes]

    def gap(self, frame: GapNotice) -> list[Event]:
        site = self._sites.get(frame.site)
        if site is None or site.status is Status.REFUSED or site.name in self._aside:
            return []
        return [self._doubt(site, frame.since, frame.reason)]

    def site_event(self, frame: wire.SiteEvents) -> list[Event]:
        if frame.site not in self._sites:
            return []
        match frame:
            case Alert():
                return [events.Alert(frame.site, frame.alert)]
            case CommandChanged():
                return [events.Command(frame.site, frame.command)]
            case ControlChanged():
                return [events.Control(frame.site, frame.control)]

    def refusal(self, frame: wire.RefusalFrame) -> list[Event]:
        if frame.site is None:
            return [events.Refused(None, frame.code, frame.message)]
        site = self._sites.get(frame.site)
        if site is None or site.status is Status.REFUSED:  # a grant may have said it before
            return []
        if frame.code == ErrorCode.SITE_NOT_FOUND:
            self._refuse(site)
        return [events.Refused(frame.site, frame.code, frame.message)]

    def _snapshot(self, site: _Site, frame: wire.SnapshotFrame) -> list[Event]:
        images = wire.batches(frame.batches)
        since, site.doubt = site.doubt, None
        site.status = Status.FOLLOWING
        holes = site.tracker.snapshot(images, since, whole=since is not None or site.interval == 0)
        return [events.Snapshot(site.name, images), *holes]

    def _doubt(self, site: _Site, since: int, reason: str) -> Event:
        site.doubt = self._earliest(site, since)
        return events.Gap(site.name, since, reason)

    def _refuse(self, site: _Site) -> None:
        """It may come back one day, and then it is known from when on samples were missed."""
        site.doubt = self._earliest(site, site.tracker.newest or site.opened)
        site.status = Status.REFUSED
        self._aside.discard(site.name)

    def _earliest(self, site: _Site, since: int) -> int:
        return since if site.doubt is None else min(site.doubt, since)

    def _ask(self, status: Status) -> None:
        self._to_ask.update(site.name for site in self._sites.values() if site.status is status)
