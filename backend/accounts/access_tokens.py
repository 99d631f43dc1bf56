"""Integrators' access tokens: made, and found again by their prefix. The secret is compared in constant time."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import AccessToken
from config.secret_hash import NOBODYS, hash_secret
from ems_contract.tokens import AccessTokenParts, parse_access_token

NOTED_EVERY = timedelta(minutes=1)


def new_prefix() -> str:
    return secrets.token_hex(6)


def generate(user_id: int, prefix: str | None = None) -> AccessTokenParts:
    """Of a new token. Its text is shown once and kept nowhere."""
    return AccessTokenParts(user_id, prefix or new_prefix(), secrets.token_urlsafe(32))


def find(text: str) -> AccessToken | None:
    """The valid token of this text, noted as used; None for malformed, unknown, wrong, expired and revoked alike."""
    parts = parse_access_token(text)
    if parts is None:
        return None
    tokens = AccessToken.objects.opened("the presented token").select_related("user")
    token = tokens.filter(prefix=parts.prefix, user=parts.user).first()
    same = hmac.compare_digest(token.secret_hash if token else NOBODYS, hash_secret(parts.secret))
    now = timezone.now()
    if token is None or not same or token.revoked is not None or token.expires <= now:
        return None
    _note_use(token, now)
    return token


def _note_use(token: AccessToken, now: datetime) -> None:
    """Once a minute at most: reading must not become writing."""
    if token.last_used is not None and now - token.last_used < NOTED_EVERY:
        return
    unnoted = Q(last_used=None) | Q(last_used__lte=now - NOTED_EVERY)  # of several at once only one writes
    AccessToken.objects.opened("the presented token").filter(unnoted, pk=token.pk).update(last_used=now)
