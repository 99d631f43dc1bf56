"""One's own logins, wherever they are, and how to end them."""

from __future__ import annotations

import uuid
from typing import cast

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import audit
from accounts import tokens
from accounts.authentication import session_in
from accounts.models import LoginSession, User
from accounts.permissions import LoggedIn
from accounts.serializers import LoginSessionList, LoginSessionSerializer
from config.addresses import client_address
from config.pagination import whole


class LoginSessions(APIView):
    """Where I am logged in."""

    permission_classes = (LoggedIn,)

    @extend_schema(operation_id="login_sessions", tags=["me"], responses=LoginSessionList)
    def get(self, request: Request) -> Response:
        live = LoginSession.objects.filter(user=cast("User", request.user), revoked=None, expires__gt=timezone.now())
        context = {"current": session_in(request)}
        return whole(LoginSessionSerializer(live.order_by("-rotated"), many=True, context=context).data)


class OneLoginSession(APIView):
    """One of my logins."""

    permission_classes = (LoggedIn,)

    @extend_schema(operation_id="end_login_session", tags=["me"], responses={204: None})
    def delete(self, request: Request, session_id: uuid.UUID) -> Response:
        """End it: its tokens are refused from now on, and its sockets close."""
        user = cast("User", request.user)
        session = LoginSession.objects.filter(pk=session_id, user=user, revoked=None).first()
        if session is None:
            raise Http404
        tokens.revoke(session)
        audit.record("session.ended", target=str(session.pk), address=client_address(request))
        return Response(status=204)
