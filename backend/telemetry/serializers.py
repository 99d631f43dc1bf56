"""What may be asked of history, and the shape of the answer for the API's description."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ems_contract.points import MAX_KEY_LENGTH
from telemetry.queries import AUTO, MAX_POINTS, RESOLUTION_NAMES

LATEST_MS = 253_402_300_799_000
"""The end of the year 9999."""

_MS = re.compile(r"\d{1,15}\Z")


@extend_schema_field(OpenApiTypes.STR)
class MomentField(serializers.Field[int, str, str, int]):
    """ISO 8601 with a zone, or ms since the epoch -> ms."""

    default_error_messages = {  # noqa: RUF012  DRF's own spelling
        "invalid": "Write ISO 8601 with a zone such as 2026-03-29T00:00:00Z, or ms since the epoch."
    }

    def to_internal_value(self, data: Any) -> int:
        text = str(data).strip().replace(" ", "+")  # a + that was not percent-encoded
        if _MS.match(text):
            moment = int(text)
        else:
            try:
                parsed = parse_datetime(text)
            except ValueError:
                parsed = None
            if parsed is None or parsed.tzinfo is None:
                self.fail("invalid")
            moment = round((parsed - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
        if not 0 <= moment <= LATEST_MS:
            self.fail("invalid")
        return moment

    def to_representation(self, value: int) -> str:
        return str(value)


class PointKeysField(serializers.CharField):
    """`grid_meter.active_power,battery.state_of_charge`; each key once, in the order of the answer."""

    def to_internal_value(self, data: Any) -> list[str]:  # type: ignore[override]  # a list of what CharField reads
        keys = list(dict.fromkeys(filter(None, (key.strip() for key in super().to_internal_value(data).split(",")))))
        if not keys:
            raise serializers.ValidationError("Name at least one point key, separated by commas.")
        if len(keys) > MAX_POINTS:
            raise serializers.ValidationError(f"{len(keys)} points; at most {MAX_POINTS} at once.")
        return keys


class HistoricalQuery(serializers.Serializer[Any]):
    """`from` is reserved in Python, so that field is added by name below."""

    site = serializers.IntegerField(min_value=1, max_value=10**17, help_text="The site's id.")
    points = PointKeysField(
        max_length=MAX_POINTS * (MAX_KEY_LENGTH + 1), help_text=f"Point keys separated by commas, at most {MAX_POINTS}."
    )
    to = MomentField(required=False, help_text="End, exclusive: ISO 8601 or ms. Default: now.")
    resolution = serializers.ChoiceField(
        choices=RESOLUTION_NAMES,
        default=AUTO,
        help_text="`auto` takes the finest that stays within `max_points` for each point.",
    )
    max_points = serializers.IntegerField(
        min_value=10, max_value=20_000, default=1_000, help_text="For `auto`: at most so many values for each point."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        start = MomentField(help_text="Begin, inclusive: ISO 8601 or ms. At most 400 days before `to`.")
        return {**super().get_fields(), "from": start}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("to", time.time_ns() // 1_000_000)
        return attrs


def _times() -> serializers.ListField:
    return serializers.ListField(child=serializers.IntegerField(), help_text="ms since the epoch, ascending.")


def _values(text: str) -> serializers.ListField:
    return serializers.ListField(child=serializers.FloatField(allow_null=True), required=False, help_text=text)


def _counts(text: str) -> serializers.ListField:
    return serializers.ListField(child=serializers.IntegerField(), required=False, help_text=text)


class SeriesSerializer(serializers.Serializer[Any]):
    """Columns of equal length. Raw: `value`, `quality`. Rollup: the others; `ts` is the bucket's start."""

    key = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    kind = serializers.CharField()
    ts = _times()
    value = _values("Raw; null where the quality is bad.")
    quality = _counts("Raw; 0 good, 1-63 uncertain, 64-127 bad.")
    avg = _values("Weighted by time; a value holds until the next sample, at most 15 minutes.")
    min = _values("Smallest value.")
    max = _values("Largest value.")
    first = _values("First value.")
    last = _values("Last value.")
    count = _counts("Samples.")
    good = _counts("Good samples.")


class GapSerializer(serializers.Serializer[Any]):
    """A span for which samples are known to be missing."""

    edge = serializers.CharField(help_text="Such as `edge_3`.")
    to = serializers.IntegerField()
    reason = serializers.CharField(help_text="Such as `edge_down`, `buffer_full`, `poison`.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**super().get_fields(), "from": serializers.IntegerField()}


class HistoricalAnswer(serializers.Serializer[Any]):
    """Times in ms; `from` and `to` are what was asked for."""

    site = serializers.CharField(help_text="Such as `site_7`.")
    timezone = serializers.CharField(help_text="The site's, IANA.")
    to = serializers.IntegerField()
    resolution = serializers.ChoiceField(choices=[name for name in RESOLUTION_NAMES if name != AUTO])
    series = SeriesSerializer(many=True)
    gaps = GapSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**super().get_fields(), "from": serializers.IntegerField()}
