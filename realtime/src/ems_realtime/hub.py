"""This process's sessions. It knows no Redis, no HTTP and no framework; the broker calls it, connections call it.

A session leaves every index here before its close is sent, so nothing can follow the close.
Telemetry is `fanout.py`'s; here are the sessions themselves and their control frames, which are never left out.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import structlog
from ems_contract import keys
from ems_contract.frames import CloseCode, Heartbeat

from ems_realtime import protocol
from ems_realtime.broker import Broker, UserEvent
from ems_realtime.clock import now_ms
from ems_realtime.fanout import Fanout
from ems_realtime.metrics import Metrics
from ems_realtime.session import Session, State
from ems_realtime.settings import Settings

log = structlog.get_logger()

ADMITTED = (State.OPEN, State.SUSPENDED)
SWEEP_SECONDS = 1.0


def _nothing() -> None:
    """The default of `after_interruption`."""


def _nothing_changed(user: int | None) -> None:
    """The default of `before_recheck`."""


class Hub:
    """A `Listener` of its broker. Call everything from the event loop's thread."""

    def __init__(self, broker: Broker, settings: Settings, metrics: Metrics) -> None:
        self._broker = broker
        self._settings = settings
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._fanout = Fanout(broker, settings.tick, metrics)
        self._sessions: set[Session] = set()
        self._by_user: dict[int, set[Session]] = {}
        self._by_address: Counter[str] = Counter()
        self._sweep_at: asyncio.Handle | None = None
        self.draining = False
        self.after_interruption: Callable[[], None] = _nothing
        """Called when changes of access may have been missed."""
        self.before_recheck: Callable[[int | None], None] = _nothing_changed
        """Called with a user whose access has changed, before their sessions hear of it; with None when anybody's may
        have."""
        self._sweep_due = 0.0
        metrics.gauge("sessions", "Connected sessions.", lambda: len(self._sessions))
        metrics.gauge("outbox_bytes", "Bytes that wait for clients to read.", lambda: sum(self._waiting()))
        metrics.gauge(
            "outbox_largest_bytes", "Bytes that wait for the slowest client.", lambda: max(self._waiting(), default=0)
        )

    def start(self) -> None:
        self._plan_sweep(self._loop.time())

    def stop(self) -> None:
        if self._sweep_at is not None:
            self._sweep_at.cancel()
        self._fanout.stop()

    async def drain(self, seconds: float) -> None:
        """Close every session, spread over `seconds`, so that their clients do not all come back at once."""
        self.draining = True
        sessions = list(self._sessions)
        random.shuffle(sessions)
        started = self._loop.time()
        for number, session in enumerate(sessions):
            pause = started + seconds * number / len(sessions) - self._loop.time()
            if pause > 0:
                await asyncio.sleep(pause)
            self.close(session, CloseCode.SERVICE_RESTART, "the service restarts; reconnect")

    # Sessions -------------------------------------------------------------------------------------------------

    def add(self, session: Session) -> None:
        """May close it again at once: too many from its address, or the service is leaving."""
        self._sessions.add(session)
        self._metrics.count("opened")
        self._by_address[session.address] += 1
        if self.draining:
            self.close(session, CloseCode.SERVICE_RESTART, "the service restarts; reconnect")
        elif self._by_address[session.address] > self._settings.max_sockets_per_address:
            self.close(session, CloseCode.TOO_MANY, "too many connections from this address")

    def claim(self, session: Session, user: int) -> None:
        """From here on the session hears of changes of this user's access, before its token is even validated."""
        session.claim(user)
        self._by_user.setdefault(user, set()).add(session)

    def admitted(self, user: int) -> int:
        """Sessions of this user that are proven; mere claims do not count, or a forger could use up the limit."""
        return sum(session.state in ADMITTED for session in self._by_user.get(user, ()))

    @property
    def users(self) -> list[int]:
        return list(self._by_user)

    def sessions_of(self, user: int) -> list[Session]:
        return list(self._by_user.get(user, ()))

    def remove(self, session: Session) -> None:
        """The connection is over. Harmless when the session was closed here already."""
        if session.closed:
            return
        fault = session.outbox.fault()
        if fault is None:
            self._metrics.count("left")
        else:
            self._metrics.count("closes", code=str(fault))
        self._forget(session)

    def _forget(self, session: Session) -> None:
        session.move(State.CLOSED)
        self._fanout.forget(session)
        self._sessions.discard(session)
        self._by_address[session.address] -= 1
        if not self._by_address[session.address]:
            del self._by_address[session.address]
        if session.user is not None and (others := self._by_user.get(session.user)) is not None:
            others.discard(session)
            if not others:
                del self._by_user[session.user]

    def close(self, session: Session, code: CloseCode, reason: str) -> None:
        """`reason` is a few words for the client; at most 123 bytes."""
        if session.closed:
            return
        self._forget(session)
        session.outbox.close(code, reason)
        self._metrics.count("closes", code=str(int(code)))
        log.info("session_closed", session=session.id, user=session.user, code=code.name, reason=reason)

    def fault(self, session: Session, fault: BaseException) -> None:
        """Something of ours has failed while it worked for this session. In doubt, nothing more is sent to it."""
        self._metrics.count("errors")
        log.error("session_failed", session=session.id, exc_info=fault)
        self.close(session, CloseCode.TRY_AGAIN_LATER, "a fault of the service; try again later")

    def send(self, session: Session, frames: bytes) -> None:
        """Control frames for one session: never left out, or the session ends."""
        if session.closed:
            return
        session.outbox.control(frames, self._loop.time())
        self._metrics.count("bytes", len(frames))
        if session.outbox.overflowed:
            self.close(session, CloseCode.TOO_SLOW, "the client does not read")

    # Subscriptions --------------------------------------------------------------------------------------------

    def subscribe(self, session: Session, site: int, interval: int = 0) -> None:
        """The caller has checked the grant. A snapshot comes, then telemetry: every batch, or merged frames at this
        interval, ms, one of INTERVALS. Again for the same site: nothing, or the same with the new interval."""
        self._fanout.subscribe(session, site, interval)

    def unsubscribe(self, session: Session, site: int) -> None:
        self._fanout.unsubscribe(session, site)

    def suspend(self, session: Session) -> None:
        """From now on nothing of any site leaves, until `resume`."""
        session.move(State.SUSPENDED)
        session.suspended_at = now_ms()
        self._fanout.set_aside(session)

    def resume(self, session: Session) -> None:
        """The sites that are left may be sent again; what was missed is announced, what was withheld is sent."""
        session.move(State.OPEN)
        self._fanout.rejoin(session, session.suspended_at, "access_checked")
        for site, frame in session.take_withheld():
            if site in session.sites:
                self.send(session, frame)

    # What the broker hears ------------------------------------------------------------------------------------

    def on_telemetry(self, site: int, payload: bytes) -> None:
        self._fanout.hear(site, payload)

    def on_alert(self, site: int, payload: bytes) -> None:
        self._tell(site, payload, protocol.alert, "alerts")

    def on_command(self, site: int, payload: bytes) -> None:
        self._tell(site, payload, protocol.command, "commands")

    def _tell(self, site: int, payload: bytes, frame_of: Callable[[str, bytes], bytes], counted: str) -> None:
        """Checked once, for everyone who watches the site; never left out."""
        subscribers = self._fanout.subscribers(site)
        if not subscribers:
            return
        try:
            frame = frame_of(keys.site_name(site), payload)
        except protocol.PayloadRefusedError as error:
            self._fanout.poison(site, error)
            return
        for session in subscribers:
            if session.state is State.SUSPENDED:
                if not session.withhold(site, frame, self._settings.outbox_bytes):
                    self.close(session, CloseCode.TRY_AGAIN_LATER, "too much came while your access was looked up")
            else:
                self._metrics.count(counted)
                self.send(session, frame)

    def on_user_event(self, user: int, kind: UserEvent, payload: bytes) -> None:  # noqa: ARG002 -- see below
        """A change of access. What the event says does not matter: the backend is asked what is true now."""
        if kind != "permission_changed":
            return
        self.before_recheck(user)
        for session in self.sessions_of(user):
            session.recheck(True)

    def on_live_changed(self, live: bool) -> None:
        if not live:
            self._metrics.count("interruptions")
        self._heartbeat([session for session in self._sessions if session.state in ADMITTED], live)

    def on_resubscribed(self, since: int) -> None:
        self._fanout.interrupted(since)
        self.before_recheck(None)
        self.after_interruption()

    # Once a second --------------------------------------------------------------------------------------------

    def _sweep(self) -> None:
        """Heartbeats for the silent, an end for whoever reads nothing."""
        now, due = self._loop.time(), self._sweep_due
        self._plan_sweep(now)  # first, whatever happens below
        self._metrics.observe("loop_delay", max(0.0, now - due))
        if self._broker.live:
            self._metrics.observe("redis_lag", self._broker.lag)
        quiet, frozen = [], []
        for session in self._sessions:
            if session.outbox.stalled(now, self._settings.stall_timeout):
                frozen.append(session)
            elif session.state in ADMITTED and now - session.outbox.last_write >= self._settings.heartbeat - 1:
                quiet.append(session)
        for session in frozen:
            self.close(session, CloseCode.TOO_SLOW, "the client does not read")
        self._heartbeat(quiet, self._broker.live)

    def _plan_sweep(self, now: float) -> None:
        self._sweep_due = now + SWEEP_SECONDS
        self._sweep_at = self._loop.call_at(self._sweep_due, self._sweep)

    def _waiting(self) -> Iterator[int]:
        return (session.outbox.waiting for session in self._sessions)

    def _heartbeat(self, sessions: Iterable[Session], live: bool) -> None:
        frame = protocol.encode(Heartbeat(now_ms(), live))
        for session in sessions:
            self.send(session, frame)
