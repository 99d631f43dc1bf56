"""Log in, stay logged in, log out. The access token is in the body, the refresh token only in a cookie."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

import audit
from accounts import tokens
from accounts.actions import setup
from accounts.models import User
from accounts.permissions import SignedIn
from accounts.serializers import LoginSerializer, SessionSerializer, SetupSerializer, UserSerializer
from accounts.throttles import FailureThrottle, LoginByAccount, LoginByAddress
from config.addresses import client_address
from config.permissions import Public

WRONG_LOGIN = "E-mail or password is wrong."


def _answer(issued: tokens.Tokens, status: int = 200) -> Response:
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


class CookieView(APIView):
    """Public because it is where credentials are traded for a token; the cookie or the body is the proof."""

    authentication_classes = ()
    permission_classes = (Public,)

    def get_authenticate_header(self, request: Request) -> str:
        """Wrong credentials are a 401 here too, though no authenticator runs."""
        return 'Bearer realm="api"'


class Login(CookieView):
    """E-mail and password -> access token, and the refresh cookie."""

    throttle_classes = (LoginByAddress, LoginByAccount)

    def get_throttles(self) -> list[BaseThrottle]:
        self.limits = [throttle() for throttle in self.throttle_classes]
        return list(self.limits)

    limits: list[FailureThrottle]

    @extend_schema(operation_id="login", request=LoginSerializer, responses=SessionSerializer)
    def post(self, request: Request) -> Response:
        form = LoginSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        email = form.validated_data["email"].strip().lower()
        # Django hashes a password for an unknown address too, so the time says nothing either.
        user = authenticate(request._request, username=email, password=form.validated_data["password"])
        if not isinstance(user, User):
            for limit in self.limits:
                limit.failed()
            audit.record("login.failed", actor=email, address=client_address(request))
            raise AuthenticationFailed(WRONG_LOGIN, code="wrong_login")
        issued = tokens.start(user)
        audit.record("login.succeeded", actor_id=user.pk, actor=user.email, address=client_address(request))
        return _answer(issued)


class Refresh(CookieView):
    """The refresh cookie -> a new access token, and the next refresh cookie."""

    @extend_schema(operation_id="refresh", request=None, responses=SessionSerializer)
    def post(self, request: Request) -> Response:
        return _answer(tokens.rotate(request.COOKIES.get(settings.REFRESH_COOKIE, ""), client_address(request)))


class Logout(CookieView):
    """End this login: its refresh and access tokens are refused from now on."""

    @extend_schema(operation_id="logout", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        session = tokens.end(request.COOKIES.get(settings.REFRESH_COOKIE, ""))
        if session is not None:
            audit.record("logout", actor_id=session.user_id, actor=session.user.email, address=client_address(request))
        response = Response(status=204)
        response.delete_cookie(settings.REFRESH_COOKIE, path=settings.REFRESH_COOKIE_PATH, samesite="Strict")
        return response


class Me(APIView):
    """Who I am, and the organizations I belong to."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="me", responses=UserSerializer)
    def get(self, request: Request) -> Response:
        return Response(UserSerializer(cast("User", request.user)).data)


class Setup(CookieView):
    """The first platform admin and organization, with the one-time link of `manage.py first_admin`."""

    throttle_classes = (LoginByAddress,)

    @extend_schema(operation_id="setup", request=SetupSerializer, responses={201: SessionSerializer})
    def post(self, request: Request) -> Response:
        form = SetupSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values: dict[str, Any] = form.validated_data
        setup.check_setup(values["token"], values["email"], values["name"], values["password"])
        user = setup.do_setup(address=client_address(request), **values)
        return _answer(tokens.start(user), status=201)
