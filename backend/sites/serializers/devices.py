"""Devices on the wire. How a device is reached is shown to those who manage the site, and to nobody else."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from config.strict import FiniteField, NameField, RowField
from ems_contract.access import Action
from sites.connections import DRIVERS
from sites.grants import Roles
from sites.models import Asset, Device, Edge
from sites.passwords import PASSWORD, without_password
from sites.serializers.fields import RowSerializer

_INTERVAL = "Seconds between two readings; null: the edge's."
_PROFILE = r"^[a-z][a-z0-9_]*\Z"


class _Written(RowSerializer[Device]):
    place = "edge"

    edge = RowField(Edge)
    asset = RowField(Asset, allow_null=True, required=False)
    name = NameField()
    driver = serializers.ChoiceField(choices=list(DRIVERS))
    profile = serializers.RegexField(_PROFILE, max_length=80, help_text="A register map, such as `stl_meter`.")
    connection = serializers.DictField(help_text='The driver\'s own: `{"host": "10.0.0.5", "port": 502, "unit": 1}`.')
    poll_interval = FiniteField(min_value=0.1, max_value=3600, allow_null=True, required=False, help_text=_INTERVAL)


class NewDeviceSerializer(_Written):
    class Meta:
        model = Device
        fields = ("edge", "asset", "key", "name", "driver", "profile", "connection", "poll_interval")
        validators = ()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A meter",
            {
                "id": 5,
                "site": 7,
                "edge": 3,
                "asset": 12,
                "key": "grid_meter",
                "name": "Grid meter",
                "driver": "modbus",
                "profile": "stl_meter",
                "connection": {"host": "10.0.0.5", "port": 502, "unit": 1},
                "has_password": False,
                "poll_interval": None,
            },
            response_only=True,
        )
    ]
)
class DeviceSerializer(_Written):
    """`key` begins the keys of its points, so it stays; `connection` is null for those who do not manage the site.

    A password in it is written and never shown: `has_password` says that there is one. A new `connection` without one
    (or with null) keeps it while host and user stay; an empty one removes it.
    """

    site = serializers.IntegerField(source="site_id", read_only=True)
    connection = serializers.DictField(allow_null=True, help_text="The driver's own; null where you may not see it.")
    has_password = serializers.SerializerMethodField()

    class Meta:
        model = Device
        fields = (
            *("id", "site", "edge", "asset", "key", "name", "driver", "profile", "connection", "has_password"),
            "poll_interval",
        )
        read_only_fields = ("key",)
        validators = ()

    def validate_connection(self, connection: dict[str, Any] | None) -> dict[str, Any]:
        if connection is None:
            raise serializers.ValidationError("Say how the device is reached.")
        return connection

    def to_representation(self, instance: Device) -> dict[str, Any]:
        shown = super().to_representation(instance)
        roles: Roles = self.context["roles"]
        if Action.MANAGE_SITE not in roles.actions_on(instance.site):
            shown["connection"], shown["has_password"] = None, False
        else:
            shown["connection"] = without_password(instance.connection)
        return shown

    def get_has_password(self, device: Device) -> bool:
        return bool(device.connection.get(PASSWORD))
