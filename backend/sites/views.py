"""Sites and what is on them, as far as the caller may see."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import access_in, credential_expires
from accounts.permissions import SignedIn
from config.pagination import whole
from ems_contract.access import Action
from sites.grants import Roles, resolve
from sites.models import Site
from sites.permissions import SiteView
from sites.schemas import GRANT
from sites.serializers import (
    AssetList,
    AssetSerializer,
    PointList,
    PointSerializer,
    SiteSerializer,
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


class Sites(ListAPIView[Site]):
    """The sites I may view, with my role and what I may do on each."""

    permission_classes = (SignedIn,)
    serializer_class = SiteSerializer
    queryset = Site.objects.none()

    def get_queryset(self) -> QuerySet[Site]:
        return Site.objects.visible_to(access_in(self.request)).select_related("organization")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "roles": Roles(access_in(self.request))}


class OneSite(SiteView):
    """One site, with my role and what I may do there."""

    actions: ClassVar = {"GET": Action.VIEW}

    @extend_schema(operation_id="site", responses=SiteSerializer)
    def get(self, request: Request, site_id: int) -> Response:
        return Response(SiteSerializer(self.site, context={"roles": Roles(access_in(request))}).data)


class SitePoints(SiteView):
    """Every point of a site."""

    actions: ClassVar = {"GET": Action.VIEW}

    @extend_schema(operation_id="site_points", responses=PointList)
    def get(self, request: Request, site_id: int) -> Response:
        points = self.site.points.select_related("device", "asset")
        return whole(PointSerializer(points, many=True).data)


class SiteAssets(SiteView):
    """Every asset of a site; the tree is in `parent`."""

    actions: ClassVar = {"GET": Action.VIEW}

    @extend_schema(operation_id="site_assets", responses=AssetList)
    def get(self, request: Request, site_id: int) -> Response:
        return whole(AssetSerializer(self.site.assets.all(), many=True).data)
