"""Points on the wire."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from config.strict import FiniteField, NameField, RowField, ShortListField, StrictSerializer
from ems_contract.points import UNITS
from sites.models import Asset, Device, Point
from sites.serializers.choices import KINDS
from sites.serializers.fields import RowSerializer, WholeList

_LARGEST = 2**63 - 1


class PointDeviceSerializer(serializers.ModelSerializer[Device]):
    class Meta:
        model = Device
        fields = ("id", "key", "name", "profile")


class PointAssetSerializer(serializers.ModelSerializer[Asset]):
    class Meta:
        model = Asset
        fields = ("id", "name", "kind")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A setpoint with a limit of its own",
            {
                "id": 41,
                "key": "battery.power_setpoint",
                "name": "Battery setpoint",
                "unit": "W",
                "kind": "gauge",
                "writable": True,
                "minimum": -50000.0,
                "maximum": 40000.0,
                "default": 0.0,
                "states": None,
                "device": {"id": 5, "key": "battery", "name": "Battery", "profile": "stl_battery"},
                "asset": {"id": 12, "name": "Battery", "kind": "battery"},
                "adopted": True,
                "site": 7,
                "overridden": ["maximum"],
            },
            response_only=True,
        )
    ]
)
class PointSerializer(serializers.ModelSerializer[Point]):
    """`minimum`, `maximum` and `default` are in `unit`: a point that can be written is given back to its default, and
    without one stays as it is. `states` names the numbers of a state point. `overridden` lists the fields that a person
    set: they stay as they are, whatever the edge reports."""

    unit = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    states = serializers.DictField(child=serializers.CharField(), allow_null=True)
    device = PointDeviceSerializer(allow_null=True)
    asset = PointAssetSerializer(allow_null=True)
    site = serializers.IntegerField(source="site_id")
    overridden = serializers.SerializerMethodField()

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
            "default",
            "states",
            "device",
            "asset",
            "adopted",
            "site",
            "overridden",
        )

    def get_overridden(self, point: Point) -> list[str]:
        return sorted(point.overridden)


class PointChangeSerializer(RowSerializer[Point]):
    """What a person may say about a point. Null for `name`, `minimum`, `maximum` or `default`: as the edge
    reports it."""

    name = NameField(allow_null=True, required=False)
    asset = RowField(Asset, allow_null=True, required=False)
    minimum = FiniteField(allow_null=True, required=False)
    maximum = FiniteField(allow_null=True, required=False)
    default = FiniteField(allow_null=True, required=False)

    class Meta:
        model = Point
        fields = ("name", "asset", "minimum", "maximum", "default")
        validators = ()


class AdoptedPointSerializer(StrictSerializer[Any]):
    """A point that no edge has described, and what a person says about it. `id` and `asset` are on the site."""

    id = serializers.IntegerField(min_value=1, max_value=_LARGEST)
    name = NameField()
    unit = serializers.ChoiceField(choices=list(UNITS), allow_blank=True)
    kind = serializers.ChoiceField(choices=KINDS)
    asset = serializers.IntegerField(min_value=1, max_value=_LARGEST, allow_null=True, required=False)


class AdoptionSerializer(StrictSerializer[Any]):
    points = ShortListField(child=AdoptedPointSerializer(), allow_empty=False, max_length=500)


class PointList(WholeList):
    results = PointSerializer(many=True)
