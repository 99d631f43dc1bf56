"""Commands and control events on the wire."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from commands.actions.commands import LONGEST_LEASE, LONGEST_WAIT, check_command
from commands.models import ACTIONS, STATES, Command, CommandStep, ControlEvent
from config.filters import ABSENT
from config.strict import FiniteField, RowField, StrictSerializer
from sites.models import Point, Site

_UID = "6f1d7a52-0c2b-4b7c-9a43-0f6f5f0d2b11"


class GiverSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class CommandStepSerializer(serializers.ModelSerializer[CommandStep]):
    state = serializers.ChoiceField(choices=STATES)

    class Meta:
        model = CommandStep
        fields = ("state", "at", "reason")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A battery's setpoint, held for a quarter of an hour",
            {
                "id": _UID,
                "site": 7,
                "edge": 3,
                "point": 41,
                "point_key": "battery.power_setpoint",
                "value": -20000.0,
                "state": "verified",
                "reason": "",
                "detail": "",
                "read_back": -20000.0,
                "requested": "2026-03-01T08:00:00Z",
                "requested_by": {"id": 3, "name": "Ada"},
                "expires": "2026-03-01T08:00:30Z",
                "lease": 900,
                "lease_until": "2026-03-01T08:15:00Z",
                "history": [
                    {"state": "requested", "at": "2026-03-01T08:00:00Z", "reason": ""},
                    {"state": "sent", "at": "2026-03-01T08:00:00Z", "reason": ""},
                    {"state": "written", "at": "2026-03-01T08:00:00Z", "reason": ""},
                    {"state": "verified", "at": "2026-03-01T08:00:00Z", "reason": ""},
                ],
            },
            response_only=True,
        )
    ]
)
class CommandSerializer(serializers.ModelSerializer[Command]):
    """`value` is in the point's unit, null gives the point back. `reason` is a word, empty where there is nothing to
    explain, `detail` a sentence. `edge` and `requested_by` are null once they are deleted."""

    id = serializers.UUIDField(source="uid")
    edge = serializers.IntegerField(source="edge_id", allow_null=True)
    state = serializers.ChoiceField(choices=STATES)
    requested_by = GiverSerializer(allow_null=True)
    history = CommandStepSerializer(many=True)

    class Meta:
        model = Command
        fields = (
            "id",
            "site",
            "edge",
            "point",
            "point_key",
            "value",
            "state",
            "reason",
            "detail",
            "read_back",
            "requested",
            "requested_by",
            "expires",
            "lease",
            "lease_until",
            "history",
        )


class NewCommandSerializer(StrictSerializer[Any]):
    """Hold `point` at `value` (in its unit) until another command or for `lease` s; null gives it back.

    Not executed any more after `expires_in` s. With an `id` of the caller's own the same call may be repeated.
    """

    site = RowField(Site)
    point = RowField(Point)
    value = FiniteField(allow_null=True)
    lease = serializers.IntegerField(min_value=1, max_value=LONGEST_LEASE, allow_null=True, required=False)
    expires_in = serializers.IntegerField(min_value=1, max_value=LONGEST_WAIT, default=30)
    id = serializers.UUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The point is on the site; of one elsewhere not even the existence is told."""
        if attrs["point"].site_id != attrs["site"].pk:
            raise ValidationError({"point": ABSENT})
        check_command(attrs["point"], attrs["value"], attrs.get("lease"))
        return attrs


class ControlEventSerializer(serializers.ModelSerializer[ControlEvent]):
    """What a rule did, at the edge's time. `value` is what it asked of `point`, `input` what it had read."""

    id = serializers.CharField(source="event")
    point = serializers.CharField(source="point_key")
    action = serializers.ChoiceField(choices=ACTIONS)

    class Meta:
        model = ControlEvent
        fields = ("id", "rule", "point", "action", "value", "input", "at", "detail")
