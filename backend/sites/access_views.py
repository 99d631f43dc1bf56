"""Who may do what on a site: the caller's grant, roles given and taken, permissions explained."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import msgspec
from django.db.models import Q
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import access_in, credential_expires
from accounts.models import User, UserQuerySet
from accounts.permissions import SignedIn
from config.filters import ABSENT
from config.pagination import whole
from ems_contract.access import Action
from sites.actions.site_access import do_change_role, do_give_role, do_take_role, people_seen
from sites.explain import explain, people_of
from sites.filters import SiteAccessFilters
from sites.grants import resolve
from sites.models import SiteAccess
from sites.permissions import RowsView, RowView, SiteView
from sites.schemas import GRANT
from sites.serializers.access import (
    ExplainedList,
    ExplainedSerializer,
    NewSiteAccessSerializer,
    SiteAccessSerializer,
)


class ValidateToken(APIView):
    """The grant of the presented credential; the real-time service asks once per connection."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="validate_token", responses={(200, "application/json"): GRANT})
    def get(self, request: Request) -> HttpResponse:
        grant = resolve(access_in(request), credential_expires(request))
        response = HttpResponse(msgspec.json.encode(grant), content_type="application/json")
        response["Cache-Control"] = "no-store"
        return response


class SiteAccesses(RowsView[SiteAccess]):
    """Roles on the sites whose users I manage. I give and take only roles that are weaker than my own."""

    queryset = SiteAccess.objects.none()
    related = ("user",)
    actions: ClassVar = {"GET": Action.ADD_SITE_USERS, "POST": Action.ADD_SITE_USERS}
    serializer_class = SiteAccessSerializer
    new_serializer_class = NewSiteAccessSerializer
    filterset_class = SiteAccessFilters

    def post(self, request: Request) -> Response:
        """Give a member of the site's organization a role on the site. Who has one there: 409 has_role."""
        return self.add(request, partial(do_give_role, access_in(request)))


class OneSiteAccess(RowView[SiteAccess]):
    """A person's role on a site."""

    queryset = SiteAccess.objects.none()
    related = ("user",)
    actions: ClassVar = dict.fromkeys(("GET", "PATCH", "DELETE"), Action.ADD_SITE_USERS)
    serializer_class = SiteAccessSerializer

    def patch(self, request: Request, pk: int) -> Response:
        """Give another role instead."""
        return self.change(request, partial(do_change_role, access_in(request)))

    def delete(self, request: Request, pk: int) -> Response:
        """Take the role."""
        return self.remove(partial(do_take_role, access_in(request)))


_EXAMPLE = {
    "count": 2,
    "next": None,
    "previous": None,
    "results": [
        {
            "user": {"id": 4, "email": "alice@example.com", "name": "Alice", "service": False},
            "role": "org_admin",
            "actions": [action.value for action in Action],
            "because": ["Org admin of Alpha."],
        },
        {
            "user": {"id": 5, "email": "olga@example.com", "name": "Olga", "service": False},
            "role": "operator",
            "actions": ["view", "export_reports", "acknowledge_alerts"],
            "because": [
                "Member of Alpha.",
                "Operator of this site.",
                "This site does not let operators control devices.",
            ],
        },
    ],
}


class AccessExplained(SiteView):
    """Who may do what on this site, and why. Platform admins may do everything; who they are, only they see."""

    actions: ClassVar = {"GET": Action.ADD_SITE_USERS}

    @extend_schema(
        operation_id="site_access_explained",
        parameters=[OpenApiParameter("user", int, description="Only this person, also one without a role here.")],
        responses=ExplainedList,
        examples=[OpenApiExample("Two people", _EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, site_id: int) -> Response:
        access = access_in(request)
        people = people_of(self.site, platform_admins=access.platform_admin)
        asked = request.query_params.get("user")
        if asked is not None:
            people = self._one(asked, people, people_seen(access))
        return whole(ExplainedSerializer(explain(self.site, list(people)), many=True).data)

    def _one(self, asked: str, here: UserQuerySet, seen: UserQuerySet) -> UserQuerySet:
        """Somebody with a role here, or whom the caller sees anyway."""
        number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 19 else 0
        known = Q(pk__in=here.values("pk")) | Q(pk__in=seen.values("pk"))
        found = User.objects.opened("here, or seen by the caller").filter(pk=number).filter(known)
        if not found:
            raise ValidationError({"user": ABSENT})
        return found
