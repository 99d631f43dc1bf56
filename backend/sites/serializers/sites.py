"""Sites on the wire. Roles and actions come from the grant, never from the row."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from accounts import policy
from accounts.models import Organization
from accounts.policy import Role
from config.strict import FiniteField, NameField, RowField, StrictModelSerializer, StrictSerializer
from ems_contract.access import Action
from sites.grants import Roles
from sites.models import Site
from sites.serializers.choices import ACTIONS, ROLES


class SiteOrganizationSerializer(serializers.ModelSerializer[Organization]):
    class Meta:
        model = Organization
        fields = ("id", "name")


class _Where(StrictModelSerializer[Site]):
    """`latitude` and `longitude` in degrees, `timezone` an IANA name."""

    name = NameField()
    latitude = FiniteField(min_value=-90, max_value=90)
    longitude = FiniteField(min_value=-180, max_value=180)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A factory",
            {
                "id": 7,
                "site": "site_7",
                "name": "Factory Dresden",
                "slug": "factory-dresden",
                "timezone": "Europe/Berlin",
                "latitude": 51.05,
                "longitude": 13.74,
                "address": "Industriestr. 4, Dresden",
                "operators_may_control": False,
                "organization": {"id": 2, "name": "Alpha"},
                "role": "site_manager",
                "actions": ["view", "export_reports", "acknowledge_alerts", "control_devices", "manage_site"],
                "grantable": [],
                "created": "2026-03-01T08:00:00Z",
            },
            response_only=True,
        )
    ]
)
class SiteSerializer(_Where):
    """`site` is the name on the wire (`site_7`); `role` and `actions` are the caller's own.

    `grantable`: the roles that the caller may give to others here.
    """

    site = serializers.CharField(source="wire_name", read_only=True)
    organization = SiteOrganizationSerializer(read_only=True)
    role = serializers.SerializerMethodField()
    actions = serializers.SerializerMethodField()
    grantable = serializers.SerializerMethodField()

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
            "operators_may_control",
            "organization",
            "role",
            "actions",
            "grantable",
            "created",
        )
        read_only_fields = ("slug", "created")
        validators = ()

    def _roles(self) -> Roles:
        roles: Roles = self.context["roles"]
        return roles

    @extend_schema_field(serializers.ChoiceField(choices=ROLES))
    def get_role(self, site: Site) -> Role:
        role = self._roles().on(site)
        if role is None:
            raise ValueError(f"{site.wire_name} did not come through a door: the caller has no role there")
        return role

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=ACTIONS)))
    def get_actions(self, site: Site) -> list[Action]:
        return self._roles().actions_on(site)

    def get_grantable(self, site: Site) -> list[Role]:
        return policy.grantable(self.get_role(site)) if Action.ADD_SITE_USERS in self.get_actions(site) else []


class NewSiteSerializer(_Where):
    """`slug` is made from the name where it is absent. The organization stays for good."""

    organization = RowField(Organization)
    slug = serializers.SlugField(max_length=100, required=False)

    class Meta:
        model = Site
        fields = (
            "organization",
            "name",
            "slug",
            "timezone",
            "latitude",
            "longitude",
            "address",
            "operators_may_control",
        )
        validators = ()


class SiteDeletionSerializer(StrictSerializer[Any]):
    """`name`: the site's, typed again."""

    name = serializers.CharField(max_length=200, trim_whitespace=False)
