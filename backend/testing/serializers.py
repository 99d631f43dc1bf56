"""The shapes of sandboxes on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Organization
from config.strict import NameField, ShortListField, StrictSerializer
from testing.actions.sandboxes import MOST_DAYS, SITE_KEYS


class NewSandboxSerializer(StrictSerializer[Any]):
    """`sites` are the simulator's; `history_days` of generated history end now."""

    name = NameField(max_length=100)
    sites = ShortListField(
        child=serializers.ChoiceField(choices=SITE_KEYS),
        min_length=1,
        max_length=len(SITE_KEYS),
        default=lambda: [SITE_KEYS[0]],
    )
    history_days = serializers.IntegerField(min_value=0, max_value=MOST_DAYS, default=0)


class SandboxSerializer(serializers.ModelSerializer[Organization]):
    """`history`: how much of the generated history is sent, in %; null where none was asked for."""

    sites = serializers.IntegerField(source="site_count")
    history = serializers.IntegerField(source="history_percent", allow_null=True)

    class Meta:
        model = Organization
        fields = ("id", "name", "created", "sites", "history")


class SandboxEdgeSerializer(serializers.Serializer[Any]):
    """`simulator` is the simulator's name of the site. `key` and `bootstrap` are shown this once."""

    id = serializers.IntegerField(source="edge.pk")
    name = serializers.CharField(source="edge.name")
    site = serializers.IntegerField(source="site.pk")
    site_name = serializers.CharField(source="site.name")
    simulator = serializers.CharField(source="site_key")
    key = serializers.CharField()
    bootstrap = serializers.CharField(help_text="The file that the edge starts from: `ems-edge run --config FILE`.")


class MadeSandboxSerializer(serializers.Serializer[Any]):
    """A sandbox at the moment it is made."""

    id = serializers.IntegerField(source="organization.pk")
    name = serializers.CharField(source="organization.name")
    created = serializers.DateTimeField(source="organization.created")
    edges = SandboxEdgeSerializer(many=True)
