"""The credentials of integrators: `emt_<user>_<prefix>_<secret>`.

The user's id is in the token so that a service may know whose changes of access to listen for before it has asked
the backend; it is only a claim until the backend has said yes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(r"emt_([1-9][0-9]{0,17})_([0-9a-f]{12})_([A-Za-z0-9_-]{43})\Z")


@dataclass(frozen=True)
class AccessTokenParts:
    """`user` is the claimed user's id, `prefix` finds the token's row, `secret` proves it."""

    user: int
    prefix: str
    secret: str = field(repr=False)


def parse_access_token(text: str) -> AccessTokenParts | None:
    """None if this is not written like an access token."""
    found = _TOKEN.match(text)
    return AccessTokenParts(int(found[1]), found[2], found[3]) if found else None


def format_access_token(parts: AccessTokenParts) -> str:
    return f"emt_{parts.user}_{parts.prefix}_{parts.secret}"
