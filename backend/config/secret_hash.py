"""How secrets of ours are stored: keys, tokens and links are looked up or compared by their hash, never kept.

Each has 256 random bits, so a plain SHA-256 of it cannot be searched. People's passwords are not such secrets.
"""

from __future__ import annotations

import hashlib
import secrets


def hash_secret(secret: str) -> str:
    """64 hex characters."""
    return hashlib.sha256(secret.encode()).hexdigest()


NOBODYS = hash_secret(secrets.token_urlsafe(32))
"""What is compared where there is no row, so that the time says nothing."""
