"""Invitations, for those who got one. Public: the secret of the link is the proof."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import tokens
from accounts.access import Access
from accounts.entry import session_answer
from accounts.models import User
from accounts.serializers import SessionSerializer, UserSerializer
from accounts.throttles import link_guesses
from config.addresses import origin_of
from config.permissions import Public
from invitations.actions import acceptance
from invitations.serializers import AcceptSerializer, InvitationLookSerializer, TokenSerializer

TAGS = ["invitations"]


class Look(APIView):
    """What an invitation is for."""

    authentication_classes = ()
    permission_classes = (Public,)

    @extend_schema(
        operation_id="invitation_look", tags=TAGS, request=TokenSerializer, responses=InvitationLookSerializer
    )
    def post(self, request: Request) -> Response:
        """What the link of an invitation is for, and whether its address has an account already.

        A link that is void: 403 bad_invitation; after too many of those, 429.
        """
        form = TokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with link_guesses(request):
            invitation = acceptance.find(form.validated_data["token"])
        has_account = acceptance.account_of(invitation) is not None
        shape = InvitationLookSerializer(invitation, context={"has_account": has_account})
        answer = Response(shape.data)
        answer["Cache-Control"] = "no-store"
        return answer


class Accept(APIView):
    """An invitation accepted."""

    permission_classes = (Public,)

    @extend_schema(
        operation_id="invitation_accept",
        tags=TAGS,
        request=AcceptSerializer,
        responses={200: UserSerializer, 201: SessionSerializer},
    )
    def post(self, request: Request) -> Response:
        """Accept an invitation. A new account: 201 with a session, as a login. The account that has the address, logged
        in: 200 with the account. Otherwise 401 `log_in_first` or 403 `other_account`; after too many void links, 429.
        """
        form = AcceptSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values: dict[str, Any] = form.validated_data
        with link_guesses(request):
            invitation = acceptance.find(values["token"])
        account = acceptance.account_of(invitation)
        if account is None:
            acceptance.check_new(invitation, values["name"], values["password"])
            made = acceptance.do_accept_new(**values)
            return session_answer(tokens.start(made, origin_of(request)), status=201)
        acceptance.check_caller(account, request.auth if isinstance(request.auth, Access) else None)
        acceptance.do_accept(values["token"], account)
        return Response(UserSerializer(cast("User", request.user)).data)
