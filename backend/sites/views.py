"""Organizations, sites and what is on them, as far as the caller may see."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import Organization, User
from config.pagination import whole
from config.permissions import SignedIn
from sites.doors import open_site
from sites.grants import Roles, resolve
from sites.models import Site, is_platform_admin
from sites.schemas import GRANT
from sites.serializers import (
    AssetList,
    AssetSerializer,
    OrganizationSerializer,
    PointList,
    PointSerializer,
    SiteSerializer,
)


def caller(request: Request) -> User:
    return cast("User", request.user)


class ValidateToken(APIView):
    """The grant of the presented access token; the real-time service asks once per connection."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="validate_token", responses={(200, "application/json"): GRANT})
    def get(self, request: Request) -> HttpResponse:
        token = cast("AccessToken", request.auth)
        grant = resolve(caller(request), int(token["exp"]) * 1000)
        response = HttpResponse(msgspec.json.encode(grant), content_type="application/json")
        response["Cache-Control"] = "no-store"
        return response


class Organizations(ListAPIView[Organization]):
    """The organizations I belong to; a platform admin sees all."""

    permission_classes = (SignedIn,)
    serializer_class = OrganizationSerializer
    queryset = Organization.objects.none()

    def get_queryset(self) -> QuerySet[Organization]:
        user = caller(self.request)
        return Organization.objects.all() if is_platform_admin(user) else user.organizations.all()


class Sites(ListAPIView[Site]):
    """The sites I may view, with my role and what I may do on each."""

    permission_classes = (SignedIn,)
    serializer_class = SiteSerializer
    queryset = Site.objects.none()

    def get_queryset(self) -> QuerySet[Site]:
        return Site.objects.visible_to(caller(self.request)).select_related("organization")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "roles": Roles(caller(self.request))}


class OneSite(APIView):
    """One site, with my role and what I may do there."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="site", responses=SiteSerializer)
    def get(self, request: Request, site_id: int) -> Response:
        site = open_site(caller(request), site_id)
        return Response(SiteSerializer(site, context={"roles": Roles(caller(request))}).data)


class SitePoints(APIView):
    """Every point of a site."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="site_points", responses=PointList)
    def get(self, request: Request, site_id: int) -> Response:
        points = open_site(caller(request), site_id).points.select_related("device", "asset")
        return whole(PointSerializer(points, many=True).data)


class SiteAssets(APIView):
    """Every asset of a site; the tree is in `parent`."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="site_assets", responses=AssetList)
    def get(self, request: Request, site_id: int) -> Response:
        return whole(AssetSerializer(open_site(caller(request), site_id).assets.all(), many=True).data)
