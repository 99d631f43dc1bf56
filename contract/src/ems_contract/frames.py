"""WebSocket frames of subprotocol `ems.v1`, both directions, and the close codes. Times in ms.

A client authenticates with its first message, then subscribes to sites. It ignores telemetry whose seq is at or below
that of the snapshot for the same (edge, boot). After a `gap` it treats what it missed as pending and fetches it from
history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final

import msgspec

from ems_contract.access import SiteGrant
from ems_contract.alerts import AlertEvent
from ems_contract.commands import CommandEvent
from ems_contract.control import ControlEvent
from ems_contract.telemetry import Batch, Gap, Reading

SUBPROTOCOL: Final = "ems.v1"

INTERVALS: Final = (1_000, 2_000, 5_000, 10_000, 30_000, 60_000)
"""Between two telemetry frames of a site, ms, for clients that ask for fewer: few, so that many share each frame."""


class CloseCode(IntEnum):
    """Why the service closes."""

    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_MESSAGE = 4400
    UNAUTHENTICATED = 4401
    FORBIDDEN = 4403
    AUTH_TIMEOUT = 4408
    GRANT_REVOKED = 4410
    TOO_SLOW = 4413
    TOO_MANY = 4429


CLOSE_CODES: Final[Mapping[CloseCode, tuple[str, str]]] = {
    CloseCode.SERVICE_RESTART: ("the service restarts", "reconnect within 10 s, at a random moment"),
    CloseCode.TRY_AGAIN_LATER: ("access cannot be confirmed right now", "reconnect with backoff"),
    CloseCode.BAD_MESSAGE: ("a message that is no frame, or too long", "mend the client; do not reconnect"),
    CloseCode.UNAUTHENTICATED: ("the token is not accepted", "fetch a fresh token, then reconnect"),
    CloseCode.FORBIDDEN: ("no site may be viewed with this token", "do not reconnect"),
    CloseCode.AUTH_TIMEOUT: ("no token came in time", "reconnect"),
    CloseCode.GRANT_REVOKED: ("access has ended", "log in again"),
    CloseCode.TOO_SLOW: ("the client did not read", "reconnect"),
    CloseCode.TOO_MANY: ("too many sockets, or too many messages", "reconnect with backoff"),
}
"""Code -> what has happened, what a client does. Any other code is a lost connection: reconnect."""


class ErrorCode(IntEnum):
    """Codes of an `error` frame; the session goes on."""

    BAD_MESSAGE = 400
    SITE_NOT_FOUND = 404
    TOO_MANY_SITES = 429


ERROR_CODES: Final[Mapping[ErrorCode, str]] = {
    ErrorCode.BAD_MESSAGE: "no site is named, too many are, or the interval is not offered; none was subscribed",
    ErrorCode.SITE_NOT_FOUND: "there is no such site, or this user may not view it; the same answer for both",
    ErrorCode.TOO_MANY_SITES: "the session watches as many sites as it may; this and the following were left out",
}


# Client to server --------------------------------------------------------------------------


class Auth(msgspec.Struct, frozen=True, tag_field="type", tag="auth"):
    """First message, and again before the token expires."""

    token: str

    def __repr__(self) -> str:
        return "Auth(token='[redacted]')"


class Subscribe(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="subscribe"):
    """`interval`, ms: at most one telemetry frame of each site in this time, as `merged`; it is rounded up to the next
    of INTERVALS. 0: every batch as it comes. Again for the same site with another interval: a fresh snapshot, then so.
    """

    sites: list[str]
    interval: int = 0


class Unsubscribe(msgspec.Struct, frozen=True, tag_field="type", tag="unsubscribe"):
    """Nothing of these sites comes any more. A site that is not subscribed is ignored."""

    sites: list[str]


class Ping(msgspec.Struct, frozen=True, tag_field="type", tag="ping"):
    """Answered by `pong` with the same `id`."""

    id: int = 0


ClientFrame = Auth | Subscribe | Unsubscribe | Ping


# Server to client --------------------------------------------------------------------------


class Welcome(msgspec.Struct, frozen=True, tag_field="type", tag="welcome"):
    """Authenticated. `expires` is when the session needs a fresh `auth`; `heartbeat` the longest silence, ms."""

    session: str
    server_time: int
    expires: int
    heartbeat: int
    sites: list[SiteGrant]


class GrantChanged(msgspec.Struct, frozen=True, tag_field="type", tag="grant"):
    """The grant was renewed or narrowed. `stale`: the backend cannot be reached and the last grant is kept."""

    expires: int
    stale: bool
    sites: list[SiteGrant]


class Snapshot(msgspec.Struct, frozen=True, tag_field="type", tag="snapshot"):
    """The current image of a site, one batch for each edge. First frame after a subscribe and after a gap."""

    site: str
    batches: list[Batch]


class Telemetry(msgspec.Struct, frozen=True, tag_field="type", tag="telemetry"):
    """Batches of a site as they were published, each whole and once, of one edge and boot in the order of seq."""

    site: str
    batches: list[Batch]


class MergedBatch(msgspec.Struct, frozen=True, omit_defaults=True):
    """The batches `seq_from`..`seq_to` of one boot of an edge, every one of them heard, as one: of each point its last
    sample only, and all their `gaps`. `sent` is that of the last. What lies between two of these without being named
    is missing."""

    edge: str
    boot: str
    seq_from: int
    seq_to: int
    sent: int
    readings: list[Reading]
    gaps: list[Gap] | None = None


class Merged(msgspec.Struct, frozen=True, tag_field="type", tag="merged"):
    """Telemetry for a client that asked for an interval: what came since the frame before, merged."""

    site: str
    interval: int
    batches: list[MergedBatch]


class GapNotice(msgspec.Struct, frozen=True, tag_field="type", tag="gap"):
    """Live samples of the site since `since` may be missing; a snapshot follows. `reason`: `interrupted` (the service
    did not hear Redis), `slow_reader` (the client did not read), `access_checked` (the user's access has changed)."""

    site: str
    since: int
    reason: str


class Alert(msgspec.Struct, frozen=True, tag_field="type", tag="alert"):
    """An alert of the site was raised, acknowledged or cleared. Never left out, never delayed."""

    site: str
    alert: AlertEvent


class CommandChanged(msgspec.Struct, frozen=True, tag_field="type", tag="command"):
    """A step of a command to a device of the site. Never left out, never delayed."""

    site: str
    command: CommandEvent


class ControlChanged(msgspec.Struct, frozen=True, tag_field="type", tag="control"):
    """What a rule at an edge of the site did. Never left out, never delayed."""

    site: str
    control: ControlEvent


class ErrorFrame(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="error"):
    """Something that was asked for is refused, and the session goes on. `message` is for people."""

    code: ErrorCode
    message: str
    site: str | None = None


class Pong(msgspec.Struct, frozen=True, tag_field="type", tag="pong"):
    """The answer to a `ping`."""

    id: int
    server_time: int


class Heartbeat(msgspec.Struct, frozen=True, tag_field="type", tag="heartbeat"):
    """Sent when nothing else was for a while, and at once when `live` changes: the service itself hears Redis."""

    server_time: int
    live: bool


ServerFrame = (
    Welcome
    | GrantChanged
    | Snapshot
    | Telemetry
    | Merged
    | GapNotice
    | Alert
    | CommandChanged
    | ControlChanged
    | ErrorFrame
    | Pong
    | Heartbeat
)


def join_batches(kind: str, site: str, batches: Sequence[bytes]) -> bytes:
    """A `telemetry` or `snapshot` frame around batches that were checked already: their original bytes, joined."""
    return b'{"type":"%b","site":"%b","batches":[%b]}' % (kind.encode(), site.encode(), b",".join(batches))
