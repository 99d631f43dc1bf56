"""Invitations, for those who send them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, UserRateThrottle
from rest_framework.views import APIView

from accounts.access import Access
from accounts.authentication import access_in
from accounts.permissions import LoggedIn, caller_context
from config.filters import FilterBackend
from invitations.actions import invitations
from invitations.filters import InvitationFilters
from invitations.models import Invitation
from invitations.serializers import InvitationSerializer, NewInvitationSerializer

TAGS = ["invitations"]


class InvitationsByInviter(UserRateThrottle):
    """Whoever's account is taken over does not become a source of spam."""

    scope = "invitations"
    rate = "60/hour"


def described(access: Access) -> QuerySet[Invitation]:
    """What the caller may see, with what the serializer tells of it."""
    rows = Invitation.objects.visible_to(access).select_related("organization", "invited_by")
    return rows.prefetch_related("sites__site")


def open_invitation(access: Access, pk: int) -> Invitation:
    """The guarded door of one invitation. Raises Http404 for a stranger."""
    found = described(access).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _answer(access: Access, pk: int, status: int = 200) -> Response:
    return Response(InvitationSerializer(open_invitation(access, pk)).data, status=status)


@extend_schema_view(get=extend_schema(operation_id="invitations_list", tags=TAGS))
class Invitations(ListAPIView[Invitation]):
    """Those of the organizations that I administer, and those that I sent."""

    permission_classes = (LoggedIn,)
    serializer_class = InvitationSerializer
    filter_backends = (FilterBackend,)
    filterset_class = InvitationFilters
    queryset = Invitation.objects.none()

    def get_throttles(self) -> list[BaseThrottle]:
        return [InvitationsByInviter()] if self.request.method == "POST" else []

    def get_queryset(self) -> QuerySet[Invitation]:
        return described(access_in(self.request))

    @extend_schema(
        operation_id="invitation_create",
        tags=TAGS,
        request=NewInvitationSerializer,
        responses={201: InvitationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Invite an address to an organization; the e-mail leaves at once.

        Org admins invite anyone as anything. Site managers invite members, to the sites that they manage and with
        roles that are weaker than their own. Who belongs to it already: 409 already_member; who has an invitation that
        is still good: 409 already_invited; too many in an hour: 429.
        """
        access = access_in(request)
        form = NewInvitationSerializer(data=request.data, context=caller_context(request))
        form.is_valid(raise_exception=True)
        values: dict[str, Any] = form.validated_data
        values["sites"] = [(one["site"], one["role"]) for one in values["sites"]]
        invitations.check_create(access, **values)
        return _answer(access, invitations.do_create(access.user, **values).pk, status=201)


class OneInvitation(APIView):
    """One invitation."""

    permission_classes = (LoggedIn,)

    @extend_schema(operation_id="invitation", tags=TAGS, responses=InvitationSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One of an organization that I administer, or that I sent."""
        return _answer(access_in(request), pk)

    @extend_schema(operation_id="invitation_delete", tags=TAGS, responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Withdraw it: its link is void at once. One that was accepted stays (409 already_accepted)."""
        invitations.do_delete(open_invitation(access_in(request), pk))
        return Response(status=204)


class Resend(APIView):
    """A new e-mail with a new link."""

    permission_classes = (LoggedIn,)
    throttle_classes = (InvitationsByInviter,)

    @extend_schema(operation_id="invitation_resend", tags=TAGS, request=None, responses=InvitationSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Send it again, with a new link and a new time; the old link is void at once.

        One that was accepted is not sent (409 already_accepted). Too many in an hour: 429.
        """
        access = access_in(request)
        invitation = open_invitation(access, pk)
        invitations.check_resend(access, invitation)
        return _answer(access, invitations.do_resend(access.user, invitation).pk)
