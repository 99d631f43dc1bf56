"""Edges and their keys on the wire. A key's text is in exactly one answer: the one that made it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from config.strict import FiniteField, NameField, RowField, StrictModelSerializer
from sites.models import Edge, EdgeKey, Site
from sites.schemas import EDGE_STATUS
from sites.serializers.fields import RowSerializer, WholeList
from sites.serializers.local import DerivedField, ReportingField, RulesField

_INTERVAL = "Seconds between two readings of a device that has no interval of its own."


class ConfigStateSerializer(serializers.ModelSerializer[Edge]):
    """What the edge said last of its configuration: it took `revision`, or refused it because of `problem`."""

    revision = serializers.CharField(source="config_revision")
    problem = serializers.CharField(source="config_problem")
    at = serializers.DateTimeField(source="config_at", allow_null=True)

    class Meta:
        model = Edge
        fields = ("revision", "problem", "at")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An edge that is running",
            {
                "id": 3,
                "edge": "edge_3",
                "site": 7,
                "name": "Cabinet hall 2",
                "poll_interval": 5.0,
                "software": "ems-edge 0.1.0",
                "last_session": "2026-03-01T08:00:00Z",
                "derived": [
                    {
                        "key": "site.load",
                        "name": "Load of the site",
                        "unit": "W",
                        "expression": "grid_meter.active_power + pv_inverter.active_power",
                    }
                ],
                "reporting": [{"points": ["*.temperature"], "deadband": 0.2, "heartbeat": 600.0}],
                "rules": [
                    {
                        "kind": "limit",
                        "key": "peak_shaving",
                        "name": "Peak shaving",
                        "point": "battery.power_setpoint",
                        "input": "grid_meter.active_power",
                        "maximum": 80000.0,
                        "high": 50000.0,
                    }
                ],
                "config_state": {"revision": "9f86d081884c7d65", "problem": "", "at": "2026-03-01T08:00:01Z"},
            },
            response_only=True,
        )
    ]
)
class EdgeSerializer(RowSerializer[Edge]):
    """`edge` is the name on the wire. An edge stays on its site: its keys, its streams and its history are there.

    `derived`, `reporting` and `rules` are what it computes, sends and controls by itself; each is replaced as a whole.
    """

    edge = serializers.CharField(source="wire_name", read_only=True)
    site = serializers.IntegerField(source="site_id", read_only=True)
    name = NameField()
    poll_interval = FiniteField(min_value=0.1, max_value=3600, required=False, help_text=_INTERVAL)
    derived = DerivedField(required=False)
    reporting = ReportingField(required=False)
    rules = RulesField(required=False)
    config_state = ConfigStateSerializer(source="*", read_only=True)

    class Meta:
        model = Edge
        fields = (
            *("id", "edge", "site", "name", "poll_interval", "software", "last_session"),
            *("derived", "reporting", "rules", "config_state"),
        )
        read_only_fields = ("software", "last_session")
        validators = ()


class NewEdgeSerializer(RowSerializer[Edge]):
    site = RowField(Site)
    name = NameField()
    poll_interval = FiniteField(min_value=0.1, max_value=3600, required=False, help_text=_INTERVAL)

    class Meta:
        model = Edge
        fields = ("site", "name", "poll_interval")
        validators = ()


@extend_schema_field(EDGE_STATUS)
class _StatusField(serializers.JSONField):
    """The contract's own shape."""


class EdgeStatusSerializer(serializers.Serializer[Any]):
    """`seen` is when the edge said it; `stale`: it has said nothing for 30 s. `status` is null if it never did."""

    seen = serializers.DateTimeField(allow_null=True)
    stale = serializers.BooleanField()
    status = _StatusField(allow_null=True)


class EdgeKeySerializer(StrictModelSerializer[EdgeKey]):
    """What is known of a key once it was shown: `ems_<prefix>_...`, and whether it still opens anything."""

    edge = serializers.IntegerField(source="edge_id", read_only=True)

    class Meta:
        model = EdgeKey
        fields = ("id", "edge", "prefix", "created", "last_used", "revoked")
        read_only_fields = fields


class EdgeKeyList(WholeList):
    results = EdgeKeySerializer(many=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Shown once",
            {
                "id": 9,
                "edge": 3,
                "prefix": "0123456789ab",
                "created": "2026-03-01T08:00:00Z",
                "last_used": None,
                "revoked": None,
                "key": "ems_0123456789ab_<43 characters>",
            },
            response_only=True,
        )
    ]
)
class ShownEdgeKeySerializer(EdgeKeySerializer):
    """`key` is the whole key. It is kept nowhere: put it into the edge's bootstrap file now."""

    key = serializers.CharField(read_only=True)

    class Meta:
        model = EdgeKey
        fields = (*EdgeKeySerializer.Meta.fields, "key")
        read_only_fields = fields
