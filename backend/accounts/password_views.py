"""Change the password, or set a new one with a link by e-mail."""

from __future__ import annotations

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actions import password
from accounts.entry import CookieView, session_answer
from accounts.models import User
from accounts.permissions import LoggedIn
from accounts.serializers import (
    PasswordChangeSerializer,
    PasswordForgotSerializer,
    PasswordResetSerializer,
    SessionSerializer,
)
from accounts.throttles import check_mails, link_guesses
from config.addresses import origin_of


class ChangePassword(APIView):
    """A new password ends every session and socket; the answer is a new session for the one who asked.

    After too many wrong guesses at the present password: 429.
    """

    permission_classes = (LoggedIn,)

    @extend_schema(
        operation_id="change_password", tags=["me"], request=PasswordChangeSerializer, responses=SessionSerializer
    )
    def post(self, request: Request) -> Response:
        form = PasswordChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        password.check_change(request, user, **form.validated_data)
        return session_answer(password.do_change(user, form.validated_data["new"], origin_of(request)))


class ForgotPassword(CookieView):
    """Sends a link, good once and for an hour, if the address has an account. The answer does not say whether.

    Too many such requests: 429.
    """

    @extend_schema(
        operation_id="forgot_password", tags=["sign in"], request=PasswordForgotSerializer, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        form = PasswordForgotSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        check_mails(request)
        password.do_forget(form.validated_data["email"].lower())
        return Response(status=204)


class ResetPassword(CookieView):
    """The link's token and a new password. Every session ends; log in with the new password, and the code if asked.

    A link that is void: 403 bad_reset_link; after too many of those, 429.
    """

    @extend_schema(
        operation_id="reset_password", tags=["sign in"], request=PasswordResetSerializer, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        form = PasswordResetSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with link_guesses(request):
            password.check_reset(**form.validated_data)
            password.do_reset(**form.validated_data, origin=origin_of(request))
        return Response(status=204)
