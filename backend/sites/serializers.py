"""The shapes of sites on the wire. Lists of roles and actions come from the grant, never from the row."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Organization
from accounts.policy import Role
from ems_contract.access import Action
from ems_contract.points import Kind
from sites.grants import Roles
from sites.models import Asset, Device, Point, Site


class OrganizationSerializer(serializers.ModelSerializer[Organization]):
    class Meta:
        model = Organization
        fields = ("id", "name")


class SiteSerializer(serializers.ModelSerializer[Site]):
    """`site` is the name on the wire (`site_7`); `role` and `actions` are the caller's own."""

    site = serializers.CharField(source="wire_name")
    organization = OrganizationSerializer()
    role = serializers.SerializerMethodField()
    actions = serializers.SerializerMethodField()

    class Meta:
        model = Site
        fields = (
            "id",
            "site",
            "name",
            "slug",
            "timezone",
            "latitude",
            "longitude",
            "address",
            "organization",
            "role",
            "actions",
        )

    def _roles(self) -> Roles:
        roles: Roles = self.context["roles"]
        return roles

    def get_role(self, site: Site) -> Role:
        role = self._roles().on(site)
        if role is None:
            raise ValueError(f"{site.wire_name} did not come through a door: the caller has no role there")
        return role

    def get_actions(self, site: Site) -> list[Action]:
        return self._roles().actions_on(site)


class PointDeviceSerializer(serializers.ModelSerializer[Device]):
    class Meta:
        model = Device
        fields = ("id", "key", "name", "profile")


class PointAssetSerializer(serializers.ModelSerializer[Asset]):
    class Meta:
        model = Asset
        fields = ("id", "name", "kind")


class PointSerializer(serializers.ModelSerializer[Point]):
    """`minimum` and `maximum` are in `unit`; `states` names the numbers of a state point."""

    unit = serializers.CharField()
    kind = serializers.ChoiceField(choices=[kind.value for kind in Kind])
    states = serializers.DictField(child=serializers.CharField(), allow_null=True)
    device = PointDeviceSerializer(allow_null=True)
    asset = PointAssetSerializer(allow_null=True)

    class Meta:
        model = Point
        fields = (
            "id",
            "key",
            "name",
            "unit",
            "kind",
            "writable",
            "minimum",
            "maximum",
            "states",
            "device",
            "asset",
            "adopted",
        )


class AssetSerializer(serializers.ModelSerializer[Asset]):
    """A node of the tree; `parent` is the id of the node above, null at the top."""

    parent = serializers.IntegerField(source="parent_id", allow_null=True)  # type: ignore[assignment]  # ours, not DRF's

    class Meta:
        model = Asset
        fields = ("id", "name", "kind", "parent")


class WholeList(serializers.Serializer[Any]):
    """A list that is always sent as one page."""

    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class PointList(WholeList):
    results = PointSerializer(many=True)


class AssetList(WholeList):
    results = AssetSerializer(many=True)
