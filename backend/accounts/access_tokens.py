"""Integrators' access tokens: made, and found again by their prefix. The secret is compared in constant time.

The secret has 256 random bits, so a plain SHA-256 of it cannot be searched.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.utils import timezone

from accounts.models import AccessToken
from ems_contract.tokens import AccessTokenParts, parse_access_token

_NOBODY = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def generate(user_id: int) -> AccessTokenParts:
    """Of a new token. Its text is shown once and kept nowhere."""
    return AccessTokenParts(user_id, secrets.token_hex(6), secrets.token_urlsafe(32))


def find(text: str) -> AccessToken | None:
    """The valid token of this text. None for malformed, unknown, wrong, expired and revoked ones alike."""
    parts = parse_access_token(text)
    if parts is None:
        return None
    tokens = AccessToken.objects.opened("the presented token").select_related("user")
    token = tokens.filter(prefix=parts.prefix, user=parts.user).first()
    same = hmac.compare_digest(token.secret_hash if token else _NOBODY, hash_secret(parts.secret))
    if token is None or not same or token.revoked is not None or token.expires <= timezone.now():
        return None
    return token
