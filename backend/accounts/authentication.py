"""Who is calling: a Bearer access token -> (user, token). One query per request."""

from __future__ import annotations

from typing import Any

import structlog
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import LoginSession, User
from accounts.tokens import SessionEnded, session_claim


class InvalidToken(AuthenticationFailed):
    """Refresh the access token and ask again."""

    default_code = "invalid_token"
    default_detail = "The access token is missing, expired or not ours."


class AccessTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`. Checks signature, issuer, audience, type, expiry and the session."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise InvalidToken
        try:
            token = AccessToken(parts[1])  # type: ignore[arg-type]
        except TokenError as error:
            raise InvalidToken from error
        session = LoginSession.objects.select_related("user").filter(pk=session_claim(token), revoked=None).first()
        if session is None or not session.user.is_active or str(session.user_id) != token.payload.get("user_id"):
            raise SessionEnded
        structlog.contextvars.bind_contextvars(user=session.user_id)
        return session.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class AccessTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's description names it."""

    target_class = "accounts.authentication.AccessTokenAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
