"""API keys of edges: `ems_<prefix>_<secret>`. The prefix finds the row, the secret is compared in constant time."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field

from config.secret_hash import NOBODYS, hash_secret
from sites.models import EdgeKey

_KEY = re.compile(r"ems_([0-9a-f]{12})_([A-Za-z0-9_-]{43})\Z")


@dataclass(frozen=True)
class NewKey:
    """`text` is the whole key; it is shown once and kept nowhere."""

    prefix: str
    secret_hash: str
    text: str = field(repr=False)


def generate() -> NewKey:
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return NewKey(prefix, hash_secret(secret), f"ems_{prefix}_{secret}")


def find(text: str) -> EdgeKey | None:
    """The valid key of this text. None for malformed, unknown, wrong and revoked ones alike."""
    parts = _KEY.match(text)
    if parts is None:
        return None
    keys = EdgeKey.objects.opened("the presented key").select_related("edge", "site", "organization")
    key = keys.filter(prefix=parts[1]).first()
    expected = key.secret_hash if key is not None else NOBODYS
    same = hmac.compare_digest(expected, hash_secret(parts[2]))
    return key if key is not None and same and key.revoked is None else None
