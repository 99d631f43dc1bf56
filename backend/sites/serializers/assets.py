"""Assets on the wire: the nodes of a site's tree."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from config.strict import NameField, RowField
from sites.models import Asset, Site
from sites.serializers.fields import RowSerializer, WholeList

_EXAMPLE = {"id": 12, "site": 7, "name": "Roof array", "kind": "solar_array", "parent": 11}


@extend_schema_serializer(examples=[OpenApiExample("Below a building", _EXAMPLE, response_only=True)])
class AssetSerializer(RowSerializer[Asset]):
    """A node of the tree; `parent` is the id of the node above, null at the top. It stays on its site."""

    site = serializers.IntegerField(source="site_id", read_only=True)
    name = NameField()
    parent = RowField(Asset, allow_null=True, required=False)  # type: ignore[assignment]  # ours, not DRF's

    class Meta:
        model = Asset
        fields = ("id", "site", "name", "kind", "parent")
        validators = ()


class NewAssetSerializer(RowSerializer[Asset]):
    site = RowField(Site)
    name = NameField()
    parent = RowField(Asset, allow_null=True, required=False)  # type: ignore[assignment]  # ours, not DRF's

    class Meta:
        model = Asset
        fields = ("site", "name", "kind", "parent")
        validators = ()


class AssetList(WholeList):
    results = AssetSerializer(many=True)
