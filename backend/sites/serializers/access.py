"""Roles on sites on the wire: given, and explained."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from accounts.models import User
from config.strict import RowField, StrictModelSerializer, StrictSerializer
from sites.models import Site, SiteAccess
from sites.serializers.choices import ACTIONS, ROLES, ROLES_ON_SITES
from sites.serializers.fields import WholeList


class SitePersonSerializer(serializers.ModelSerializer[User]):
    """`service`: the account of an organization's access token, and nobody's login."""

    service = serializers.BooleanField(source="is_service")

    class Meta:
        model = User
        fields = ("id", "email", "name", "service")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A viewer",
            {
                "id": 31,
                "site": 7,
                "user": {"id": 5, "email": "bob@example.com", "name": "Bob", "service": False},
                "role": "viewer",
            },
            response_only=True,
        )
    ]
)
class SiteAccessSerializer(StrictModelSerializer[SiteAccess]):
    """A person's role on one site."""

    site = serializers.IntegerField(source="site_id", read_only=True)
    user = SitePersonSerializer(read_only=True)
    role = serializers.ChoiceField(choices=ROLES_ON_SITES)

    class Meta:
        model = SiteAccess
        fields = ("id", "site", "user", "role")
        validators = ()


class NewSiteAccessSerializer(StrictSerializer[Any]):
    """Name the person by `email`, or by `user` if you see them already: one of the two."""

    site = RowField(Site)
    user = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    email = serializers.EmailField(required=False, max_length=254)
    role = serializers.ChoiceField(choices=ROLES_ON_SITES)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("user" in attrs) == ("email" in attrs):
            raise serializers.ValidationError({"email": "Name the person by `email` or by `user`, one of the two."})
        return attrs


class ExplainedSerializer(serializers.Serializer[Any]):
    """What one person may do on the site, and why. Where the reasons open nothing, `role` is null."""

    user = SitePersonSerializer()
    role = serializers.ChoiceField(choices=ROLES, allow_null=True)
    actions = serializers.ListField(child=serializers.ChoiceField(choices=ACTIONS))
    because = serializers.ListField(child=serializers.CharField())


class ExplainedList(WholeList):
    results = ExplainedSerializer(many=True)
