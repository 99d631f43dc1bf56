"""After a close: whether to come back, and when. The same rules as the browser's (`web/src/domain/link`)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from ems_contract.frames import CloseCode

from ems_client.errors import EndReason

QUICK = 0.5
JITTER = 10.0
LONGEST = 120.0


class Retry(Enum):
    QUICK = "quick"
    """At once, then with jitter."""
    JITTER = "jitter"
    """After 0 to 10 s."""
    BACKOFF = "backoff"
    """After 0 to 10 s, then longer."""
    FRESH_TOKEN = "fresh_token"  # noqa: S105 -- a word, not a secret
    """Quickly, with a fresh token."""


POLICY: Mapping[int, Retry | EndReason] = MappingProxyType(
    {
        CloseCode.SERVICE_RESTART: Retry.JITTER,
        CloseCode.TRY_AGAIN_LATER: Retry.BACKOFF,
        CloseCode.BAD_MESSAGE: EndReason.BAD_MESSAGE,
        CloseCode.UNAUTHENTICATED: Retry.FRESH_TOKEN,
        CloseCode.FORBIDDEN: EndReason.FORBIDDEN,
        CloseCode.AUTH_TIMEOUT: Retry.QUICK,
        CloseCode.GRANT_REVOKED: EndReason.REVOKED,
        CloseCode.TOO_SLOW: Retry.QUICK,
        CloseCode.TOO_MANY: Retry.BACKOFF,
    }
)

_RETRIED_STATUSES = frozenset({408, 425, 429})


def after_close(code: int) -> Retry | EndReason:
    """Any other code is a lost connection (1001, 1006, 1011): the network's fault or the service's, so try again."""
    return POLICY.get(code, Retry.QUICK)


def after_refusal(status: int) -> Retry | EndReason:
    """`status` is what the handshake was answered with, in place of 101. 3xx and 4xx are ours to mend, 5xx theirs."""
    if 300 <= status < 500 and status not in _RETRIED_STATUSES:
        return EndReason.HANDSHAKE_REFUSED
    return Retry.BACKOFF


def retry_delay(retry: Retry, attempt: int, random: float) -> float:
    """Seconds until the next attempt. Full jitter: a thousand programs must not return in the same second.

    `attempt` counts from 0 since the link last held, `random` is in [0, 1).
    """
    if retry is Retry.BACKOFF:
        return random * min(LONGEST, JITTER * 2.0 ** min(attempt, 16))
    if retry is Retry.JITTER or attempt > 0:
        return random * JITTER
    return random * QUICK
