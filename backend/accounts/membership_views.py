"""Memberships: who belongs to an organization, and as what."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Access
from accounts.actions import memberships
from accounts.authentication import access_in
from accounts.models import Membership
from accounts.people_filters import MembershipFilters
from accounts.people_serializers import MembershipRowSerializer, NewMembershipSerializer
from accounts.permissions import LoggedIn, PlatformAdmins, caller_context
from config.filters import FilterBackend

TAGS = ["people"]


def open_membership(access: Access, pk: int) -> Membership:
    """The guarded door of one membership. Raises Http404 for a stranger."""
    rows = Membership.objects.visible_to(access).select_related("user", "organization")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@extend_schema_view(get=extend_schema(operation_id="memberships_list", tags=TAGS))
class Memberships(ListAPIView[Membership]):
    """My own memberships, and those of the organizations that I administer."""

    permission_classes = (LoggedIn,)
    serializer_class = MembershipRowSerializer
    filter_backends = (FilterBackend,)
    filterset_class = MembershipFilters
    queryset = Membership.objects.none()

    def get_permissions(self) -> list[BasePermission]:
        return [PlatformAdmins()] if self.request.method == "POST" else [LoggedIn()]

    def get_queryset(self) -> QuerySet[Membership]:
        return Membership.objects.visible_to(access_in(self.request)).select_related("user", "organization")

    @extend_schema(
        operation_id="membership_create",
        tags=TAGS,
        request=NewMembershipSerializer,
        responses={201: MembershipRowSerializer},
    )
    def post(self, request: Request) -> Response:
        """Add a person without an invitation. Platform admins only. Who is in it already: 409 already_member."""
        form = NewMembershipSerializer(data=request.data, context=caller_context(request))
        form.is_valid(raise_exception=True)
        values: dict[str, Any] = form.validated_data
        memberships.check_create(values["user"])
        return Response(MembershipRowSerializer(memberships.do_create(**values)).data, status=201)


class OneMembership(APIView):
    """One membership."""

    permission_classes = (LoggedIn,)

    @extend_schema(operation_id="membership", tags=TAGS, responses=MembershipRowSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One of mine, or of an organization that I administer."""
        return Response(MembershipRowSerializer(open_membership(access_in(request), pk)).data)

    @extend_schema(
        operation_id="membership_change",
        tags=TAGS,
        request=MembershipRowSerializer(partial=True),
        responses=MembershipRowSerializer,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change the role. Org admins; the last one of an organization stays one (409 last_admin)."""
        access = access_in(request)
        membership = open_membership(access, pk)
        memberships.check_change(access, membership)
        form = MembershipRowSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        role = form.validated_data.get("role", membership.role)
        memberships.check_change(access, membership, role)
        return Response(MembershipRowSerializer(memberships.do_change_role(membership, role)).data)

    @extend_schema(operation_id="membership_delete", tags=TAGS, responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Remove a person, with their roles on the organization's sites; or leave.

        The last org admin stays (409 last_admin).
        """
        access = access_in(request)
        membership = open_membership(access, pk)
        memberships.check_delete(access, membership)
        memberships.do_delete(membership)
        return Response(status=204)
