"""Log in, stay logged in, log out. The access token is in the body, the refresh token only in a cookie."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import audit
from accounts import tokens, two_factor
from accounts.actions import setup
from accounts.backends import unproven
from accounts.entry import CookieView, forget_cookie, session_answer
from accounts.models import User
from accounts.permissions import SignedIn
from accounts.serializers import LoginSerializer, MeSerializer, SessionSerializer, SetupSerializer, UserSerializer
from accounts.throttles import link_guesses
from config.addresses import client_address, origin_of

WRONG_LOGIN = "E-mail or password is wrong."


class Login(CookieView):
    """E-mail and password -> access token, and the refresh cookie.

    Where the account has a second factor the answer without a `code` is a 401 `urn:ems:problem:code_needed`.
    After too many wrong attempts: 429.
    """

    @extend_schema(operation_id="login", tags=["sign in"], request=LoginSerializer, responses=SessionSerializer)
    def post(self, request: Request) -> Response:
        form = LoginSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        email = form.validated_data["email"].strip().lower()
        user = authenticate(request._request, username=email, password=form.validated_data["password"])
        if not isinstance(user, User):
            audit.denied("login.failed", actor=unproven(email), address=client_address(request))
            raise AuthenticationFailed(WRONG_LOGIN, code="wrong_login")
        if two_factor.enabled(user):
            if not form.validated_data["code"].strip():
                raise two_factor.CodeNeeded
            two_factor.check_code(request, user, form.validated_data["code"])
        issued = tokens.start(user, origin_of(request))
        audit.record("login.succeeded", actor_id=user.pk, actor=user.email, address=client_address(request))
        return session_answer(issued)


class Refresh(CookieView):
    """The refresh cookie -> a new access token, and the next refresh cookie. Without a good one: 401 session_ended."""

    @extend_schema(operation_id="refresh", tags=["sign in"], request=None, responses=SessionSerializer)
    def post(self, request: Request) -> Response:
        return session_answer(tokens.rotate(request.COOKIES.get(settings.REFRESH_COOKIE, ""), origin_of(request)))


class Logout(CookieView):
    """End this login: its refresh and access tokens are refused from now on."""

    @extend_schema(operation_id="logout", tags=["sign in"], request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        session = tokens.end(request.COOKIES.get(settings.REFRESH_COOKIE, ""))
        if session is not None:
            audit.record("logout", actor_id=session.user_id, actor=session.user.email, address=client_address(request))
        return forget_cookie(Response(status=204))


class Me(APIView):
    """Who I am, and the organizations I belong to."""

    permission_classes = (SignedIn,)
    before_two_factor = True

    @extend_schema(operation_id="me", tags=["me"], responses=UserSerializer)
    def get(self, request: Request) -> Response:
        return Response(UserSerializer(cast("User", request.user)).data)

    @extend_schema(operation_id="change_me", tags=["me"], request=MeSerializer, responses=UserSerializer)
    def patch(self, request: Request) -> Response:
        """Change my name."""
        form = MeSerializer(cast("User", request.user), data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        return Response(UserSerializer(form.save()).data)


class Setup(CookieView):
    """The first platform admin and organization, with the one-time link of `manage.py first_admin`.

    A link that is void: 403 bad_setup_link; after too many of those, 429.
    """

    @extend_schema(operation_id="setup", tags=["sign in"], request=SetupSerializer, responses={201: SessionSerializer})
    def post(self, request: Request) -> Response:
        form = SetupSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values: dict[str, Any] = form.validated_data
        with link_guesses(request):
            setup.check_setup(values["token"], values["email"], values["name"], values["password"])
            user = setup.do_setup(address=client_address(request), **values)
        return session_answer(tokens.start(user, origin_of(request)), status=201)
