"""Who is calling: `Authorization: Bearer <access JWT or access token>` -> Access.

The middleware resolves it once per request, when somebody first asks; DRF's authenticator hands on the answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

import structlog
from django.http import HttpRequest, HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken as AccessJwt

from accounts import access_tokens, two_factor
from accounts.access import Access
from accounts.models import LoginSession, User
from accounts.tokens import SessionEnded, session_claim
from config.guard import guarding

API = "/api/"


class InvalidToken(AuthenticationFailed):
    """Refresh the access token and ask again."""

    default_code = "invalid_token"
    default_detail = "The access token is missing, expired or not ours."


class Caller:
    """Whoever sent this request. `access` is resolved when first asked for, and once."""

    def __init__(self, header: bytes) -> None:
        self._header = header
        self.session: uuid.UUID | None = None

    @cached_property
    def access(self) -> tuple[Access, int] | None:
        """(what they may do, when the credential ends in ms since the epoch); None without a Bearer credential.

        Raises InvalidToken or SessionEnded.
        """
        parts = self._header.split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise InvalidToken
        return _of_access_token(parts[1]) if parts[1].startswith(b"emt_") else self._of_login(parts[1])

    def _of_login(self, raw: bytes) -> tuple[Access, int]:
        try:
            jwt = AccessJwt(raw)  # type: ignore[arg-type]
        except TokenError as error:
            raise InvalidToken from error
        session = LoginSession.objects.select_related("user").filter(pk=session_claim(jwt), revoked=None).first()
        if session is None or not session.user.is_active or str(session.user_id) != jwt.payload.get("user_id"):
            raise SessionEnded
        self.session = session.pk
        return Access.of(session.user), int(jwt["exp"]) * 1000


def _of_access_token(raw: bytes) -> tuple[Access, int]:
    token = access_tokens.find(raw.decode(errors="replace"))
    if token is None or not token.user.is_active:
        raise InvalidToken
    return Access.of(token.user, token), int(token.expires.timestamp() * 1000)


class CallerMiddleware:
    """Puts the caller on the request, and refuses queries without a door while an API request is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(API):
            return self.get_response(request)
        cast("Any", request).caller = Caller(get_authorization_header(request))  # type: ignore[arg-type]
        with guarding():
            return self.get_response(request)


def _caller(request: Request) -> Caller:
    """Put there by the middleware."""
    caller: Caller = request._request.caller  # type: ignore[attr-defined]
    return caller


class BearerAuthentication(BaseAuthentication):
    """Checks signature, issuer, audience, type, expiry and the session; or the access token's row."""

    def authenticate(self, request: Request) -> tuple[User, Access] | None:
        caller = _caller(request)
        if caller.access is None:
            return None
        access, _ = caller.access
        structlog.contextvars.bind_contextvars(user=access.user.pk)
        if access.token is None and not self._before_two_factor(request) and two_factor.missing(access.user):
            raise two_factor.TwoFactorNeeded
        return access.user, access

    def _before_two_factor(self, request: Request) -> bool:
        """Views say so that a platform admin needs in order to set the second factor up."""
        return bool(getattr(request.parser_context.get("view"), "before_two_factor", False))

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def access_in(request: Request) -> Access:
    """The signed-in caller's. Only for views that refuse anonymous callers."""
    if not isinstance(request.auth, Access):
        raise TypeError("this view lets someone in who is not signed in")
    return request.auth


def credential_expires(request: Request) -> int:
    """When the presented credential ends, ms since the epoch."""
    caller = _caller(request)
    if caller.access is None:
        raise TypeError("this view lets someone in who is not signed in")
    return caller.access[1]


def session_in(request: Request) -> uuid.UUID:
    """The id of the login session that the caller's access JWT belongs to. Only behind `LoggedIn`."""
    caller = _caller(request)
    if caller.session is None:
        raise TypeError("this view lets someone in who has not logged in")
    return caller.session


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's description names it."""

    target_class = "accounts.authentication.BearerAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT, or emt_<user>_<prefix>_<secret>"}
