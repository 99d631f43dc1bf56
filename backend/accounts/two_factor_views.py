"""Set up a second factor, and take it away. A platform admin who must have one reaches these, and little else."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import two_factor
from accounts.actions import two_factor as actions
from accounts.models import User
from accounts.permissions import LoggedIn
from accounts.serializers import (
    ConfirmSerializer,
    EnrolmentSerializer,
    ProofSerializer,
    RecoveryCodesSerializer,
    TwoFactorSerializer,
)
from config.openapi import BodyOnDelete


class TwoFactor(APIView):
    """Codes of an authenticator, asked for at every login."""

    permission_classes = (LoggedIn,)
    before_two_factor = True
    schema = BodyOnDelete()

    @extend_schema(operation_id="two_factor", tags=["me"], responses=TwoFactorSerializer)
    def get(self, request: Request) -> Response:
        """Whether I have one."""
        user = cast("User", request.user)
        return Response(
            {
                "enabled": two_factor.enabled(user),
                "required": two_factor.missing(user),
                "recovery_codes_left": two_factor.recovery_codes_left(user),
            }
        )

    @extend_schema(operation_id="start_two_factor", tags=["me"], request=None, responses=EnrolmentSerializer)
    def post(self, request: Request) -> Response:
        """A new secret for the authenticator, shown once. It counts when the first code has confirmed it.

        Where one is on already: 409 enabled.
        """
        return _once(EnrolmentSerializer(actions.do_start(cast("User", request.user))).data)

    @extend_schema(operation_id="disable_two_factor", tags=["me"], request=ProofSerializer, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Turn it off, with the password or a code. After too many wrong ones: 429."""
        form = ProofSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        actions.check_disable(request, user, **form.validated_data)
        actions.do_disable(user)
        return Response(status=204)


class ConfirmTwoFactor(APIView):
    """The first code turns it on, with the password."""

    permission_classes = (LoggedIn,)
    before_two_factor = True

    @extend_schema(
        operation_id="confirm_two_factor", tags=["me"], request=ConfirmSerializer, responses=RecoveryCodesSerializer
    )
    def post(self, request: Request) -> Response:
        """-> the recovery codes, shown once. Not started: 409 not_started; after too many wrong codes, 429."""
        form = ConfirmSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        actions.check_confirm(request, user, form.validated_data["password"])
        codes = actions.do_confirm(request, user, form.validated_data["code"])
        return _once({"recovery_codes": codes})


def _once(secrets: Any) -> Response:
    response = Response(secrets)
    response["Cache-Control"] = "no-store"
    return response
