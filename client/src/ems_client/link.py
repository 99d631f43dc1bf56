"""The whole protocol of one client, without I/O, clock or dice of its own. `live.py` is the shell around it.

    WAITING -> CONNECTING -> AUTHENTICATING -> OPEN
       ^______________|_____________|___________|
        each of them -> ENDED

Tell it what happened, then take what is to be sent (`to_send`) and what the program should know (`events`). `now` is
any steady clock, in seconds; the service's clock is learned from its frames, the machine's own is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from ems_contract import frames, limits
from ems_contract.frames import CLOSE_CODES, CloseCode, Heartbeat, Pong, Welcome

from ems_client import wire
from ems_client.errors import EndReason, LiveEndedError
from ems_client.events import Event, Grant, LinkState, StateChange
from ems_client.following import Following
from ems_client.policy import Retry, after_close, after_refusal, retry_delay

AUTH_TIMEOUT = float(limits.WELCOME_SECONDS)
REAUTH_MARGIN = 120.0
REAUTH_RETRY = 10.0
SHORTEST_REAUTH = 1.0
MAX_REFUSALS = 2
SILENCE_GRACE = 5.0
"""Two heartbeats and this long (s) without a word: the link is dead."""
HELD = 10.0
"""A link that held for less than this (s) does not count as recovered: its next attempt waits longer."""
REJOIN_PAUSE = 1.0


class Phase(Enum):
    WAITING = "waiting"
    CONNECTING = "connecting"
    AUTHENTICATING = "authenticating"
    OPEN = "open"
    ENDED = "ended"


class Due(Enum):
    DEAD = "dead"
    """Nothing was heard for too long: drop the socket, whatever it says of itself."""
    RENEW = "renew"
    """Fetch a fresh token and tell it by `renewed`."""


class Link:
    """`fixed_token`: there is only the one token, so there is no use in asking for a fresh one."""

    def __init__(self, *, fixed_token: bool, random: Callable[[], float], now: float, now_ms: int) -> None:
        self._fixed_token = fixed_token
        self._random = random
        self._following = Following()
        self._events: list[Event] = []
        self._to_send: list[str] = []
        self._offset = now_ms / 1000 - now
        """The service's clock minus `now`, s."""
        self._attempt = 0
        self._refusals = 0
        self._since = now
        self._last_heard = now
        self._heartbeat = 5.0
        self._reauth_at = float("inf")
        self._rejoin_at = 0.0
        self._state: LinkState | None = None
        self.phase = Phase.WAITING
        self.retry_at = now
        self.end: LiveEndedError | None = None

    @property
    def state(self) -> LinkState:
        return self._state or LinkState.CONNECTING

    def events(self) -> list[Event]:
        """What the program should know; each once."""
        events, self._events = self._events, []
        return events

    def to_send(self) -> list[str]:
        """What the service must be told, in this order; each once."""
        if self.phase is Phase.OPEN:
            self._to_send += self._following.to_send()
        frames, self._to_send = self._to_send, []
        return frames

    # What the program wants -----------------------------------------------------------------------------------

    def subscribe(self, sites: Iterable[str], interval: int, now: float) -> None:
        """`interval` in ms. Raises ValueError."""
        self._following.want(sites, interval, self._now_ms(now))

    def unsubscribe(self, sites: Iterable[str]) -> None:
        self._following.forget(sites)

    # An attempt -----------------------------------------------------------------------------------------------

    def connecting(self, now: float) -> None:
        self._move(Phase.CONNECTING, now)
        self._tell(LinkState.CONNECTING, "the connection is being opened")

    def opened(self, token: str, now: float) -> None:
        self._move(Phase.AUTHENTICATING, now)
        self._last_heard = now
        self._to_send = [wire.auth(token)]

    def failed(self, problem: str, now: float) -> None:
        """The network, the service or the token source: there is no connection, and it may be had later."""
        self._wait(Retry.QUICK, problem, now)

    def refused(self, status: int, problem: str, now: float) -> None:
        """The handshake was answered with this HTTP status."""
        policy = after_refusal(status)
        if isinstance(policy, EndReason):
            self._finish(policy, problem, status)
        else:
            self._wait(policy, problem, now)

    def closed(self, code: int, reason: str, now: float) -> None:
        held = self.phase is Phase.OPEN and now - self._since > HELD
        if held:
            self._attempt = 0
        self._reauth_at = float("inf")
        self._events += self._following.link_lost()
        problem = _closed_sentence(code, reason)
        policy = after_close(code)
        if policy is Retry.FRESH_TOKEN:
            self._refusals += 1
            if self._fixed_token or self._refusals > MAX_REFUSALS:
                policy = EndReason.UNAUTHENTICATED
        if isinstance(policy, EndReason):
            self._finish(policy, problem, code)
        else:
            self._wait(policy, problem, now)

    def give_up(self, reason: EndReason, problem: str) -> LiveEndedError:
        """It is over for a reason that is not the service's."""
        return self._finish(reason, problem, None)

    # Time -----------------------------------------------------------------------------------------------------

    @property
    def due_at(self) -> float:
        """When to call `due`, if nothing happens before."""
        return min(self._dead_at, self._reauth_at) if self.phase is Phase.OPEN else self._dead_at

    def due(self, now: float) -> Due | None:
        if now >= self._dead_at:
            return Due.DEAD
        if now < self._reauth_at:
            return None
        self._reauth_at = now + REAUTH_RETRY
        return Due.RENEW

    def renewed(self, token: str) -> None:
        if self.phase is Phase.OPEN:
            self._to_send.append(wire.auth(token))

    @property
    def _dead_at(self) -> float:
        if self.phase is not Phase.OPEN:
            return self._since + AUTH_TIMEOUT
        return self._last_heard + 2 * self._heartbeat + SILENCE_GRACE

    # Frames ---------------------------------------------------------------------------------------------------

    def received(self, text: str, now: float, *, room: bool = True) -> None:
        """`room`: the program's queue takes this frame's telemetry."""
        self._last_heard = now
        frame = wire.parse(text)
        if frame is None:
            return
        if self.phase is Phase.AUTHENTICATING:
            if isinstance(frame, Welcome):
                self._welcome(frame, now)
        elif self.phase is Phase.OPEN:
            self._hear(frame, now, room=room)

    def caught_up(self, now: float) -> bool:
        """The program has worked off what it had. True if sites are asked for anew: there is something to send."""
        if self.phase is not Phase.OPEN or now < self._rejoin_at or not self._following.has_aside:
            return False
        self._rejoin_at = now + REJOIN_PAUSE
        self._following.rejoin()
        return True

    def _welcome(self, frame: Welcome, now: float) -> None:
        self._move(Phase.OPEN, now)
        self._refusals = 0
        self._heartbeat = frame.heartbeat / 1000
        self._offset = frame.server_time / 1000 - now
        self._tell(LinkState.LIVE, "values arrive as they are measured")
        self._events.append(Grant(frame.sites, frame.expires, stale=False))
        self._plan_reauth(frame.expires, now)
        self._following.link_opened(frame.sites)

    def _hear(self, frame: wire.Frame, now: float, *, room: bool) -> None:
        match frame:
            case wire.SnapshotFrame() | wire.TelemetryFrame() | wire.MergedFrame():
                self._events += self._following.telemetry(frame, room=room)
            case frames.GapNotice():
                self._events += self._following.gap(frame)
            case frames.Alert() | frames.CommandChanged() | frames.ControlChanged():
                self._events += self._following.site_event(frame)
            case frames.GrantChanged():
                self._events.append(Grant(frame.sites, frame.expires, frame.stale))
                self._events += self._following.granted(frame.sites)
                self._plan_reauth(frame.expires, now)
            case wire.RefusalFrame():
                self._events += self._following.refusal(frame)
            case Heartbeat():
                self._offset = frame.server_time / 1000 - now
                if frame.live:
                    self._tell(LinkState.LIVE, "the service hears the sites again")
                else:
                    self._tell(LinkState.STALE, "the service does not hear the sites at the moment")
            case Pong() | Welcome():
                self._offset = frame.server_time / 1000 - now

    def _plan_reauth(self, expires: int, now: float) -> None:
        """Two minutes before the token ends, or after two thirds of a shorter life."""
        if self._fixed_token:
            return
        left = (expires - self._now_ms(now)) / 1000
        self._reauth_at = now + max(SHORTEST_REAUTH, left - min(REAUTH_MARGIN, left / 3))

    # Moves ----------------------------------------------------------------------------------------------------

    def _wait(self, retry: Retry, problem: str, now: float) -> None:
        delay = retry_delay(retry, self._attempt, self._random())
        self._attempt += 1
        self._move(Phase.WAITING, now)
        self.retry_at = now + delay
        self._tell(LinkState.WAITING, problem, delay)

    def _finish(self, reason: EndReason, problem: str, code: int | None) -> LiveEndedError:
        self.phase = Phase.ENDED
        self.end = LiveEndedError(reason, problem, code)
        self._tell(LinkState.ENDED, problem)
        return self.end

    def _move(self, phase: Phase, now: float) -> None:
        self.phase = phase
        self._since = now

    def _tell(self, state: LinkState, reason: str, retry_in: float | None = None) -> None:
        if state is not self._state:
            self._state = state
            self._events.append(StateChange(state, reason, retry_in))

    def _now_ms(self, now: float) -> int:
        return int((now + self._offset) * 1000)


def _closed_sentence(code: int, reason: str) -> str:
    try:
        known = CloseCode(code)
    except ValueError:
        return f"the connection was lost ({code}{': ' if reason else ''}{reason})"
    return f"the service closed the connection with {known.name}: {reason or CLOSE_CODES[known][0]}"
