"""What the endpoints have in common that trade a credential for a session."""

from __future__ import annotations

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.serializers import SessionSerializer
from accounts.tokens import Tokens
from config.permissions import Public


class CookieView(APIView):
    """Public because it is where credentials are traded for a token; the cookie or the body is the proof."""

    authentication_classes = ()
    permission_classes = (Public,)

    def get_authenticate_header(self, request: Request) -> str:
        """Wrong credentials are a 401 here too, though no authenticator runs."""
        return 'Bearer realm="api"'


def session_answer(issued: Tokens, status: int = 200) -> Response:
    """The access token in the body, the refresh token in a cookie that no script can read."""
    body = {"access": issued.access, "expires": issued.access_expires, "user": issued.user}
    response = Response(SessionSerializer(body).data, status=status)
    response["Cache-Control"] = "no-store"
    if issued.refresh is not None:
        response.set_cookie(
            settings.REFRESH_COOKIE,
            issued.refresh,
            max_age=settings.REFRESH_LIFETIME,
            path=settings.REFRESH_COOKIE_PATH,
            secure=settings.REFRESH_COOKIE_SECURE,
            httponly=True,
            samesite="Strict",
        )
    return response


def forget_cookie(response: Response) -> Response:
    response.delete_cookie(settings.REFRESH_COOKIE, path=settings.REFRESH_COOKIE_PATH, samesite="Strict")
    return response
