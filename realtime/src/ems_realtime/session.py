"""The state of one connection. Pure: it knows no network and no clock; `connection.py` moves it, the hub reads it.

    CONNECTED -> AUTHENTICATING -> OPEN <-> SUSPENDED
        each of them -> CLOSED

SUSPENDED: the user's access has just changed and the new grant is not known yet. Nothing of any site is sent:
telemetry becomes a gap, alerts and commands are withheld until the new grant says that they may go.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from enum import Enum
from functools import lru_cache

from ems_contract.access import Action, Grant, SiteGrant

from ems_realtime import protocol
from ems_realtime.outbox import Outbox


class State(Enum):
    CONNECTED = "connected"
    AUTHENTICATING = "authenticating"
    OPEN = "open"
    SUSPENDED = "suspended"
    CLOSED = "closed"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.CONNECTED: frozenset({State.AUTHENTICATING, State.CLOSED}),
    State.AUTHENTICATING: frozenset({State.OPEN, State.CLOSED}),
    State.OPEN: frozenset({State.SUSPENDED, State.CLOSED}),
    State.SUSPENDED: frozenset({State.OPEN, State.CLOSED}),
    State.CLOSED: frozenset(),
}


class IllegalTransitionError(RuntimeError):
    """A fault of this service: a session was moved where it may not go."""


@lru_cache(maxsize=16_384)
def _shared(site: str, name: str, organization: int, role: str, actions: tuple[str, ...]) -> SiteGrant:
    """Whoever has the same role on the same site has the same object: a user of fifty sites costs no 25 KB."""
    return SiteGrant(site, name, organization, role, actions)


def viewable(grant: Grant) -> dict[int, SiteGrant]:
    """Site id -> what is granted there, for every site that may be viewed. Raises ValueError for a malformed name."""
    found = {}
    for site in grant.sites:
        number = protocol.site_id(site.site)
        if number is None:
            raise ValueError(f"the grant names a site {site.site!r}; expected site_<id>")
        if Action.VIEW in site.actions:
            found[number] = _shared(site.site, site.name, site.organization, site.role, tuple(site.actions))
    return found


def _ignore(changed: bool) -> None:
    """The default of `recheck`: nobody listens yet."""


class Session:
    """One connection. `user` is only a claim until the state is OPEN; `sites` are those it watches."""

    __slots__ = (
        "address",
        "epoch",
        "granted",
        "id",
        "outbox",
        "recheck",
        "sites",
        "state",
        "suspended_at",
        "user",
        "withheld",
        "withheld_bytes",
    )

    def __init__(self, address: str, outbox: Outbox) -> None:
        self.id = secrets.token_hex(8)
        self.address = address
        self.outbox = outbox
        self.state = State.CONNECTED
        self.user: int | None = None
        self.granted: dict[int, SiteGrant] = {}
        self.epoch: int | None = None
        """The user's epoch when the grant was validated; None if it could not be read."""
        self.sites: set[int] = set()
        self.suspended_at = 0
        self.withheld: list[tuple[int, bytes]] = []
        self.withheld_bytes = 0
        self.recheck: Callable[[bool], None] = _ignore
        """Called with True when the user's access has changed, so the grant in hand proves nothing any more; with
        False when a change may have been missed."""

    def __repr__(self) -> str:
        return f"Session({self.id}, {self.state.value}, user={self.user}, sites={sorted(self.sites)})"

    def move(self, to: State) -> None:
        """Raises IllegalTransitionError."""
        if to not in TRANSITIONS[self.state]:
            raise IllegalTransitionError(f"session {self.id} cannot go from {self.state.value} to {to.value}")
        self.state = to

    def withhold(self, site: int, frame: bytes, limit: int) -> bool:
        """Keep an alert or a command until the new grant is known. False beyond `limit` bytes of them."""
        if self.withheld_bytes + len(frame) > limit:
            return False
        self.withheld.append((site, frame))
        self.withheld_bytes += len(frame)
        return True

    def take_withheld(self) -> list[tuple[int, bytes]]:
        """(site, frame), in the order they came."""
        withheld, self.withheld, self.withheld_bytes = self.withheld, [], 0
        return withheld

    @property
    def closed(self) -> bool:
        return self.state is State.CLOSED

    def claim(self, user: int) -> None:
        """A token was presented that says to be this user's."""
        self.move(State.AUTHENTICATING)
        self.user = user

    def admit(self, granted: dict[int, SiteGrant], epoch: int | None) -> None:
        """The claim is proven."""
        self.move(State.OPEN)
        self.take(granted, epoch)

    def take(self, granted: dict[int, SiteGrant], epoch: int | None) -> set[int]:
        """Take a new grant; returns the sites that are watched and no longer granted."""
        self.granted = granted
        self.epoch = epoch
        return self.sites - granted.keys()
