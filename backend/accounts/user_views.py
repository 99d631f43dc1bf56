"""People: for org admins their members, for platform admins everyone."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import Http404
from django_otp.plugins.otp_totp.models import TOTPDevice
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Access
from accounts.actions import users
from accounts.authentication import access_in
from accounts.models import Membership, User
from accounts.people_filters import UserFilters
from accounts.people_serializers import (
    EraseSerializer,
    PersonChangeSerializer,
    PersonSerializer,
    PlatformPersonChangeSerializer,
)
from accounts.permissions import LoggedIn, PlatformAdmins
from config.filters import FilterBackend

TAGS = ["people"]


def described(access: Access) -> QuerySet[User]:
    """The people that the caller sees, each with the memberships that the caller sees and no other."""
    memberships = Membership.objects.visible_to(access).select_related("organization")
    devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
    people = User.objects.visible_to(access).annotate(has_two_factor=Exists(devices))
    return people.prefetch_related(Prefetch("memberships", memberships))


def open_user(access: Access, pk: int) -> User:
    """The guarded door of one person. Raises Http404 for a stranger."""
    found = described(access).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _answer(access: Access, person: User) -> Response:
    return Response(PersonSerializer(open_user(access, person.pk)).data)


@extend_schema_view(get=extend_schema(operation_id="users_list", tags=TAGS))
class Users(ListAPIView[User]):
    """Myself, and the people of the organizations that I administer."""

    permission_classes = (LoggedIn,)
    serializer_class = PersonSerializer
    filter_backends = (FilterBackend,)
    filterset_class = UserFilters
    queryset = User.objects.none()

    def get_queryset(self) -> QuerySet[User]:
        return described(access_in(self.request))


class OneUser(APIView):
    """One person."""

    permission_classes = (LoggedIn,)

    @extend_schema(operation_id="user", tags=TAGS, responses=PersonSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Myself, or somebody of an organization that I administer."""
        return Response(PersonSerializer(open_user(access_in(request), pk)).data)

    @extend_schema(
        operation_id="user_change", tags=TAGS, request=PlatformPersonChangeSerializer, responses=PersonSerializer
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Rename or disable a person; platform roles are given by platform admins only.

        An org admin changes only people who belong to no other organization. Nobody disables their own account, and
        neither the last org admin of an organization nor the last platform admin can be disabled (409 last_admin).
        """
        access = access_in(request)
        person = open_user(access, pk)
        users.check_change(access, person, {})
        shape = PlatformPersonChangeSerializer if access.platform_admin else PersonChangeSerializer
        form = shape(data=request.data)
        form.is_valid(raise_exception=True)
        users.check_change(access, person, form.validated_data)
        return _answer(access, users.do_change(person, form.validated_data))


class Erasure(APIView):
    """A person becomes a pseudonym."""

    permission_classes = (PlatformAdmins,)

    @extend_schema(operation_id="user_erase", tags=TAGS, request=EraseSerializer, responses=PersonSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Erase a person for ever: name, address, password, sessions, tokens and roles. Platform admins only.

        What they did stays in the audit log, under a pseudonym. Erased before: 409 already_erased.
        """
        access = access_in(request)
        person = open_user(access, pk)
        form = EraseSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        users.check_erase(access, person, form.validated_data["email"])
        return _answer(access, users.do_erase(person))
