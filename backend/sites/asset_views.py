"""Assets: the tree of what a site consists of."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.pagination import whole
from ems_contract.access import Action
from sites.actions.assets import do_change_asset, do_create_asset, do_delete_asset
from sites.filters import AssetFilters
from sites.models import Asset
from sites.permissions import RowsView, RowView, SiteView
from sites.serializers.assets import AssetList, AssetSerializer, NewAssetSerializer


class Assets(RowsView[Asset]):
    """The assets of the sites I may view."""

    queryset = Asset.objects.none()
    actions: ClassVar = {"GET": Action.VIEW, "POST": Action.MANAGE_SITE}
    serializer_class = AssetSerializer
    new_serializer_class = NewAssetSerializer
    filterset_class = AssetFilters

    def post(self, request: Request) -> Response:
        """Add an asset to a site that I manage."""
        return self.add(request, do_create_asset)


class OneAsset(RowView[Asset]):
    """One asset."""

    queryset = Asset.objects.none()
    actions: ClassVar = {"GET": Action.VIEW, "PATCH": Action.MANAGE_SITE, "DELETE": Action.MANAGE_SITE}
    serializer_class = AssetSerializer

    def patch(self, request: Request, pk: int) -> Response:
        """Rename it, or move it within the tree."""
        return self.change(request, do_change_asset)

    def delete(self, request: Request, pk: int) -> Response:
        """Delete it. Refused while other assets are below it (409 has_children)."""
        return self.remove(do_delete_asset)


class SiteAssets(SiteView):
    """Every asset of a site; the tree is in `parent`."""

    actions: ClassVar = {"GET": Action.VIEW}

    @extend_schema(operation_id="site_assets", responses=AssetList)
    def get(self, request: Request, site_id: int) -> Response:
        return whole(AssetSerializer(self.site.assets.all(), many=True).data)
