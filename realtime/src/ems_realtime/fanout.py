"""From one published batch to every viewer of its site. A part of the hub; pure but for the broker it asks.

- A batch is checked once, joined with its neighbours of the same tick and framed once for each site. Handing the frame
  to a session is one call that never waits; no client can hold up another.
- A flush is at once when the service is idle; when flushing costs time, batches wait for company (`turns.py`).
- A new viewer: watch, read the latest images, send them as a snapshot, then what was heard meanwhile.
- Who asked for fewer frames is in a group of the feed's `pace`, and gets what was merged once for that group.
- Whoever missed something is set aside, then gets a gap and a fresh snapshot.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog
from ems_contract import keys

from ems_realtime import budget, protocol
from ems_realtime.broker import Broker, BrokerUnavailableError, ImagesRefusedError
from ems_realtime.budget import Budget
from ems_realtime.clock import now_ms
from ems_realtime.feed import Feed, Gap
from ems_realtime.metrics import Metrics
from ems_realtime.pace import Group
from ems_realtime.session import Session, State
from ems_realtime.turns import Turn, Turns

log = structlog.get_logger()

RETRY_SECONDS = 0.25
CATCH_UP_SECONDS = 0.1
POISON_LOG_SECONDS = 60.0


class Fanout:
    def __init__(self, broker: Broker, tick: float, metrics: Metrics) -> None:
        self._broker = broker
        self._turns = Turns(tick)
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._feeds: dict[int, Feed] = {}
        self._behind: set[Session] = set()
        self._catch_up_at: asyncio.Handle | None = None
        self._poison_logged: dict[int, float] = {}
        metrics.gauge("sites", "Sites watched by this process.", lambda: len(self._feeds))
        metrics.gauge("sessions_behind", "Sessions whose outbox is full.", lambda: len(self._behind))

    def stop(self) -> None:
        self._turns.stop()
        if self._catch_up_at is not None:
            self._catch_up_at.cancel()
        for feed in list(self._feeds.values()):
            self._end(feed)

    # Who watches what -----------------------------------------------------------------------------------------

    def subscribe(self, session: Session, site: int, interval: int = 0) -> None:
        """The caller has checked the grant. `interval` is one of INTERVALS, or 0. A site that is subscribed already
        goes on as it is, or, with another interval, so after a fresh snapshot."""
        feed = self._feeds.get(site)
        if feed is None:
            feed = self._feeds[site] = Feed(site, Budget(self._loop.time))
            feed.turn = Turn(partial(self._flush_feed, feed))
        if site not in session.sites:
            session.sites.add(site)
            feed.pace.ask(session, interval)
            feed.join(session)
        elif feed.pace.asked(session) != interval:
            feed.change(session, interval)
        self._read_latest(feed)

    def unsubscribe(self, session: Session, site: int) -> None:
        """Nothing of the site is handed over after this."""
        session.sites.discard(site)
        session.outbox.missed.pop(site, None)
        feed = self._feeds.get(site)
        if feed is None:
            return
        feed.leave(session)
        if not feed.subscribers:
            self._end(feed)

    def forget(self, session: Session) -> None:
        for site in list(session.sites):
            self.unsubscribe(session, site)
        self._behind.discard(session)

    def subscribers(self, site: int) -> list[Session]:
        feed = self._feeds.get(site)
        return list(feed.subscribers) if feed is not None else []

    def set_aside(self, session: Session) -> None:
        """No telemetry until `rejoin`; the subscriptions stay."""
        for site in session.sites:
            feed = self._feeds[site]
            if (since := feed.unsent_since(session)) is not None:
                session.outbox.missed.setdefault(site, since)
            feed.set_aside(session)

    def rejoin(self, session: Session, since: int, reason: str) -> None:
        """The end of `set_aside`: a gap and a fresh snapshot for each site. `since` in ms since the epoch."""
        for site in session.sites:
            self._rejoin(session, site, Gap(min(since, session.outbox.missed.pop(site, since)), reason))

    def _rejoin(self, session: Session, site: int, gap: Gap) -> None:
        feed = self._feeds[site]
        feed.join(session, gap)
        self._read_latest(feed)

    def _end(self, feed: Feed) -> None:
        del self._feeds[feed.site]
        feed.pace.empty()
        if feed.reading is not None:
            feed.reading.cancel()
        self._broker.unwatch(feed.site)

    # Batches --------------------------------------------------------------------------------------------------

    def hear(self, site: int, payload: bytes) -> None:
        feed = self._feeds.get(site)
        if feed is None or feed.quiet:
            return
        if not feed.budget.spend(len(payload) + budget.EACH):
            self._quieten(feed)
            return
        try:
            batch = protocol.check_batch(payload)
        except protocol.PayloadRefusedError as error:
            feed.budget.spend(budget.REFUSED)
            self.poison(site, error)
            return
        self._metrics.count("batches")
        feed.hear(payload, batch.sent)
        if feed.pending:
            self._turns.ask(feed.turn)
        if feed.pace.groups:
            for group in feed.pace.hear(batch, len(payload), self._loop.time(), now_ms()):
                turn = Turn(partial(self._flush_merged, feed, group))
                group.plan(self._loop.call_at(group.due, self._turns.ask, turn))

    def interrupted(self, since: int) -> None:
        """What was published after `since` may be missing: everyone gets a gap and a fresh snapshot."""
        for feed in self._feeds.values():
            self._interrupt(feed, since)

    def _interrupt(self, feed: Feed, since: int) -> None:
        self._flush_feed(feed)
        feed.interrupted(Gap(since, "interrupted"))
        self._read_latest(feed)

    def _quieten(self, feed: Feed) -> None:
        """More is published for this site than for a thousand others: it must not cost those their live values."""
        self.poison(feed.site, protocol.PayloadRefusedError("flood", "too much for one site; not heard for a while"))
        feed.quiet = True
        if feed.reading is not None:
            feed.reading.cancel()  # it relies on being subscribed
        self._broker.unwatch(feed.site)
        self._interrupt(feed, now_ms())
        self._loop.call_later(budget.QUIET_SECONDS, self._listen_again, feed)

    def _listen_again(self, feed: Feed) -> None:
        feed.quiet = False
        self._read_latest(feed)

    def poison(self, site: int, error: protocol.PayloadRefusedError) -> None:
        self._metrics.count("dropped", reason=error.reason)
        now = self._loop.time()
        if now - self._poison_logged.get(site, -POISON_LOG_SECONDS) >= POISON_LOG_SECONDS:
            self._poison_logged[site] = now  # a hostile edge must not fill the log
            log.warning("payload_dropped", site=keys.site_name(site), reason=error.reason, problem=str(error)[:200])

    def _flush_feed(self, feed: Feed) -> int:
        """To how many the frame was handed."""
        frame, stamps = feed.take_pending()
        if not frame or not feed.watchers:
            return 0
        handed = self._hand_out(feed, feed.watchers, frame, now_ms())
        self._metrics.flushed(handed, len(frame), stamps)
        return handed

    def _flush_merged(self, feed: Feed, group: Group) -> int:
        """To how many the group's frame was handed."""
        since = group.since
        if since is None or not group.members:
            return 0
        frame = feed.take_merged(group, self._loop.time())
        handed = self._hand_out(feed, group.members, frame, since)
        self._metrics.count("merged", handed)
        self._metrics.count("bytes", handed * len(frame))
        return handed

    def _hand_out(self, feed: Feed, sessions: set[Session], frame: bytes, since: int) -> int:
        """To how many it was handed. Who has no room for it misses what was heard from `since` on, in ms."""
        now = self._loop.time()
        try:
            missed = [session for session in sessions if not session.outbox.telemetry(frame, now)]
        except Exception:  # a fault of ours: whoever comes after it would otherwise lose a frame in silence
            self._metrics.count("errors")
            log.exception("flush_failed", site=feed.name)
            feed.interrupted(Gap(since, "interrupted"))
            self._read_latest(feed)
            return 0
        handed = len(sessions) - len(missed)
        for session in missed:
            self._fell_behind(feed, session, since)
        return handed

    # Slow readers ---------------------------------------------------------------------------------------------

    def _fell_behind(self, feed: Feed, session: Session, since: int) -> None:
        unsent = feed.unsent_since(session)
        feed.set_aside(session)
        self._metrics.count("fell_behind")
        session.outbox.missed.setdefault(feed.site, since if unsent is None else min(since, unsent))
        self._behind.add(session)
        if self._catch_up_at is None:
            self._catch_up_at = self._loop.call_later(CATCH_UP_SECONDS, self._catch_up)

    def _catch_up(self) -> None:
        """Whoever has read its outbox down gets a gap and a fresh snapshot of every site it missed."""
        self._catch_up_at = None
        for session in list(self._behind):
            if session.state is State.OPEN and session.outbox.caught_up():
                self._behind.discard(session)
                missed, session.outbox.missed = session.outbox.missed, {}
                for site, since in missed.items():
                    self._rejoin(session, site, Gap(since, "slow_reader"))
        if self._behind and self._catch_up_at is None:
            self._catch_up_at = self._loop.call_later(CATCH_UP_SECONDS, self._catch_up)

    # Snapshots ------------------------------------------------------------------------------------------------

    def _read_latest(self, feed: Feed) -> None:
        if feed.reading is None and feed.joining and not feed.quiet and self._feeds.get(feed.site) is feed:
            feed.reading = self._loop.create_task(self._serve_joiners(feed), name=f"snapshot-{feed.name}")
            feed.reading.add_done_callback(partial(self._reading_ended, feed))

    def _reading_ended(self, feed: Feed, task: asyncio.Task[None]) -> None:
        feed.reading = feed.heard = None
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            self._metrics.count("errors")
            log.error("snapshot_failed", site=feed.name, exc_info=fault)
        if feed.joining:
            self._loop.call_later(RETRY_SECONDS if fault else 0, self._read_latest, feed)

    async def _serve_joiners(self, feed: Feed) -> None:
        """One reading serves everyone who waits when it ends: all that was heard since it began goes with it."""
        while feed.joining:
            await self._broker.watch(feed.site)
            generation, feed.heard = feed.generation, []
            try:
                images = await self._broker.latest(feed.site)
            except BrokerUnavailableError:
                feed.heard = None
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except ImagesRefusedError as error:
                self.poison(feed.site, protocol.PayloadRefusedError("images", str(error)))
                images = {}  # live values still come
            accepted = await self._checked(feed, images)
            if feed.generation == generation:
                self._open(feed, accepted)

    async def _checked(self, feed: Feed, images: dict[str, bytes]) -> list[bytes]:
        accepted = []
        for edge, image in sorted(images.items()):
            await asyncio.sleep(0)  # they may be large, and others are waiting
            try:
                protocol.check_batch(image, edge=edge)
            except protocol.PayloadRefusedError as error:
                self.poison(feed.site, error)
            else:
                accepted.append(image)
        return accepted

    def _open(self, feed: Feed, images: list[bytes]) -> None:
        self._flush_feed(feed)  # first, or a joiner would get what is pending twice
        frames, batches = feed.openings(images)
        gaps = {gap: feed.gap_frame(gap) for gap in set(feed.joining.values()) if gap is not None}
        now = self._loop.time()
        while feed.joining:  # one after the other: who is left after a fault of ours is served by the next reading
            session, gap = feed.joining.popitem()
            interval = feed.pace.asked(session)
            opening = frames[interval]
            if gap:
                opening = gaps[gap] + opening
            if session.outbox.telemetry(opening, now):
                feed.enter(session)
                self._metrics.count("snapshots")
                if interval:
                    self._metrics.count("merged", min(batches, 1))
                else:
                    self._metrics.count("deliveries", batches)
                self._metrics.count("bytes", len(opening))
                if gap:
                    self._metrics.count("gaps", reason=gap.reason)
            else:
                self._fell_behind(feed, session, gap.since if gap else now_ms())
