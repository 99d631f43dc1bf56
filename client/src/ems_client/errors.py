"""What ends a client, and what a program's token source may raise."""

from __future__ import annotations

from enum import StrEnum


class EndReason(StrEnum):
    """Why the link has ended for good: trying again by itself would not help."""

    UNAUTHENTICATED = "unauthenticated"
    """The token is not accepted, and a fresh one was not either; a fixed token has expired or was revoked."""
    FORBIDDEN = "forbidden"
    """No site may be viewed with this token."""
    REVOKED = "revoked"
    """Access was taken away while the link was open."""
    BAD_MESSAGE = "bad_message"
    """The service and this client do not understand each other: one of them is too old."""
    HANDSHAKE_REFUSED = "handshake_refused"
    """The service did not let the connection begin; mostly the origin."""
    SLOW_CONSUMER = "slow_consumer"
    """The program took no event for so long that alerts and commands had no room any more."""


class LiveEndedError(Exception):
    """Raised by the iteration. `reason` says why, `code` is the WebSocket's close code or the HTTP status, if any."""

    def __init__(self, reason: EndReason, problem: str, code: int | None = None) -> None:
        super().__init__(problem)
        self.reason = reason
        self.code = code


class TokenUnavailableError(Exception):
    """For a token source: there is no token right now, try again later. (An OSError is understood the same way.)

    Anything else that a token source raises ends the client, and the iteration raises it.
    """
