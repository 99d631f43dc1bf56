"""Points: the signals of a site."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.pagination import whole
from ems_contract.access import Action
from sites.actions.point_edits import check_adoption, do_adopt_points, do_change_point
from sites.filters import PointFilters
from sites.models import Point
from sites.permissions import RowsView, RowView, SiteView
from sites.serializers.points import AdoptionSerializer, PointChangeSerializer, PointList, PointSerializer


class Points(RowsView[Point]):
    """The points of the sites I may view."""

    queryset = Point.objects.none()
    related = ("device", "asset")
    actions: ClassVar = {"GET": Action.VIEW}
    serializer_class = PointSerializer
    filterset_class = PointFilters


class OnePoint(RowView[Point]):
    """One point."""

    queryset = Point.objects.none()
    related = ("device", "asset")
    actions: ClassVar = {"GET": Action.VIEW, "PATCH": Action.MANAGE_SITE}
    serializer_class = PointSerializer
    change_serializer_class = PointChangeSerializer

    def patch(self, request: Request, pk: int) -> Response:
        """Name it, put it on an asset, limit it. That stands, whatever its edge reports; null gives it back."""
        return self.change(request, do_change_point)


class SitePoints(SiteView):
    """Every point of a site."""

    actions: ClassVar = {"GET": Action.VIEW}

    @extend_schema(operation_id="site_points", responses=PointList)
    def get(self, request: Request, site_id: int) -> Response:
        points = self.site.points.select_related("device", "asset")
        return whole(PointSerializer(points, many=True).data)


class Adoption(SiteView):
    """Points of a site that arrived in batches and were described by no edge: `GET points?adopted=false`."""

    actions: ClassVar = {"POST": Action.MANAGE_SITE}

    @extend_schema(operation_id="site_points_adopt", request=AdoptionSerializer, responses=PointList)
    def post(self, request: Request, site_id: int) -> Response:
        """Say what they are: all of them, or none if one is not acceptable."""
        body = AdoptionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        adoptions = check_adoption(self.site, body.validated_data["points"])
        return whole(PointSerializer(do_adopt_points(self.site, adoptions), many=True).data)
