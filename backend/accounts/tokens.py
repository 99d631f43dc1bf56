"""Access and refresh tokens. Both carry `sid`, the login session they belong to; neither is stored.

Rotation: a refresh token may be used once; using it makes the next one. The one before it still answers for
`GRACE`, because two tabs share the cookie and may ask at the same moment; that answer carries no new refresh
token. Any other token of the chain is a replay and ends the whole session.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

import audit
from accounts.models import LoginSession, User
from config.addresses import Origin

NOWHERE = Origin()
GRACE = timedelta(seconds=10)
SESSION_CLAIM = "sid"


class SessionEnded(AuthenticationFailed):
    """Log in again; retrying does not help."""

    default_code = "session_ended"
    default_detail = "This session has ended. Log in again."


@dataclass(frozen=True)
class Tokens:
    """`access_expires` in ms since the epoch. `refresh` is None where the cookie stays as it is."""

    user: User
    access: str = field(repr=False)
    access_expires: int
    refresh: str | None = field(repr=False)


def _access(session: LoginSession) -> tuple[str, int]:
    token = AccessToken.for_user(session.user)
    token[SESSION_CLAIM] = str(session.pk)
    return str(token), int(token["exp"]) * 1000


def _refresh(session: LoginSession) -> str:
    token = RefreshToken()
    token["user_id"] = str(session.user_id)
    token[SESSION_CLAIM] = str(session.pk)
    token["jti"] = str(session.current)
    token.payload["exp"] = int(session.expires.timestamp())
    return str(token)


def session_claim(token: Token) -> uuid.UUID:
    """Raises SessionEnded for a token without a session."""
    try:
        return uuid.UUID(str(token.payload.get(SESSION_CLAIM)))
    except ValueError as error:
        raise SessionEnded from error


def start(user: User, origin: Origin = NOWHERE) -> Tokens:
    """A login from `origin`."""
    now = timezone.now()
    LoginSession.objects.filter(user=user, expires__lt=now).delete()
    session = LoginSession.objects.create(
        user=user, expires=now + settings.REFRESH_LIFETIME, address=origin.address, user_agent=origin.user_agent
    )
    access, expires = _access(session)
    return Tokens(user, access, expires, _refresh(session))


def _read_refresh(raw: str) -> tuple[uuid.UUID, uuid.UUID]:
    """A refresh token's (session, jti). Raises SessionEnded."""
    try:
        token = RefreshToken(raw)  # type: ignore[arg-type]
        return session_claim(token), uuid.UUID(str(token.payload.get("jti")))
    except (TokenError, ValueError) as error:
        raise SessionEnded from error


def rotate(raw: str, origin: Origin = NOWHERE) -> Tokens:
    """Trade a refresh token for new tokens. Raises SessionEnded; a replay also revokes the session."""
    sid, jti = _read_refresh(raw)
    with transaction.atomic():
        session = _locked(sid)
        if session is None or session.revoked or session.expires <= timezone.now() or not session.user.is_active:
            raise SessionEnded
        if jti == session.current:
            session.previous, session.current, session.rotated = jti, uuid.uuid4(), timezone.now()
            session.address, session.user_agent = origin.address, origin.user_agent
            session.save(update_fields=["previous", "current", "rotated", "address", "user_agent"])
            return Tokens(session.user, *_access(session), _refresh(session))
        if jti == session.previous and timezone.now() - session.rotated <= GRACE:
            return Tokens(session.user, *_access(session), None)
        revoke(session)
        audit.record(
            "session.refresh_reused",
            actor_id=session.user_id,
            actor=session.user.email,
            target=str(session.pk),
            address=origin.address,
        )
    raise SessionEnded


def _locked(sid: uuid.UUID) -> LoginSession | None:
    return LoginSession.objects.select_for_update(of=("self",)).select_related("user").filter(pk=sid).first()


def end(raw: str) -> LoginSession | None:
    """Log out: revoke the session of a refresh token. Returns it, or None if the token was none of ours."""
    try:
        sid, _ = _read_refresh(raw)
    except SessionEnded:
        return None
    with transaction.atomic():
        session = _locked(sid)
        if session is not None:
            revoke(session)
    return session


def revoke(session: LoginSession) -> None:
    """Its refresh tokens are dead at once, and so are its access tokens: each request asks for the session."""
    if session.revoked is None:
        session.revoked = timezone.now()
        session.save(update_fields=["revoked"])


def revoke_all(user: User) -> None:
    """After a change of password or the end of an account."""
    for session in LoginSession.objects.filter(user=user, revoked=None):
        revoke(session)


def sweep() -> None:
    """The worker's job: forget sessions that ended by themselves a day ago."""
    LoginSession.objects.filter(expires__lt=timezone.now() - timedelta(days=1)).delete()
