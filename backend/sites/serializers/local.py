"""Lists of the contract's own shapes in a body: read as the edge reads them, and a field that is unknown is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from config.strict import UNKNOWN
from ems_contract.control import HysteresisRule, LimitRule, ScheduleRule, Window
from ems_contract.processing import DerivedPoint, ReportPolicy
from sites.schemas import inline

MOST = 200
Shape = type[msgspec.Struct]
RULES: Mapping[str, Shape] = {"schedule": ScheduleRule, "hysteresis": HysteresisRule, "limit": LimitRule}
_NESTED: Mapping[str, Shape] = {"windows": Window}
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$")


def _schema(*shapes: Shape) -> dict[str, Any]:
    each = [inline(shape) for shape in shapes]
    return {"type": "array", "maxItems": MOST, "items": each[0] if len(each) == 1 else {"anyOf": each}}


class _MessagesField(serializers.Field[list[dict[str, Any]], Any, Any, Any]):
    """The value is a list of JSON objects, each of which the contract can read. Raises ValidationError by index."""

    def shape(self, item: Mapping[str, Any]) -> Shape:
        raise NotImplementedError

    def to_representation(self, value: Any) -> Any:
        return value

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        if not isinstance(data, list):
            raise ValidationError("Write a list.")
        if len(data) > MOST:
            raise ValidationError(f"{len(data)} at once; at most {MOST} are taken.")
        errors = {str(index): error for index, item in enumerate(data) if (error := self._error(item))}
        if errors:
            raise ValidationError(errors)
        return data

    def _error(self, item: Any) -> str | dict[str, Any]:
        if not isinstance(item, dict):
            return "Write an object."
        try:
            shape = self.shape(item)
        except ValidationError as error:
            return {"kind": error.detail}
        if unknown := dict(_unknown(item, shape)):
            return unknown
        try:
            msgspec.convert(item, shape)
        except msgspec.ValidationError as error:
            place = _PLACE.match(str(error))
            what, path = (place["what"], place["path"]) if place else (str(error), "")
            return {re.sub(r"\[(\d+|\.\.\.)\]", r".\1", path): what} if path else what
        return dict.fromkeys(_infinite(item), "Write a finite number.")


def _unknown(item: Mapping[str, Any], shape: Shape) -> Iterator[tuple[str, str]]:
    tag = shape.__struct_config__.tag_field
    for name, value in item.items():
        if name not in shape.__struct_encode_fields__ and name != tag:
            yield name[:100], UNKNOWN
        elif name in _NESTED and isinstance(value, Sequence):
            for index, inner in enumerate(value):
                if isinstance(inner, Mapping):
                    yield from ((f"{name}.{index}.{each}", why) for each, why in _unknown(inner, _NESTED[name]))


def _infinite(value: Any, path: str = "") -> Iterator[str]:
    """1e999 is JSON, and no number that JSON can carry back."""
    if isinstance(value, float) and not math.isfinite(value):
        yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in members:
        yield from _infinite(inner, f"{path}.{name}".strip("."))


@extend_schema_field(_schema(DerivedPoint))
class DerivedField(_MessagesField):
    def shape(self, item: Mapping[str, Any]) -> Shape:
        return DerivedPoint


@extend_schema_field(_schema(ReportPolicy))
class ReportingField(_MessagesField):
    def shape(self, item: Mapping[str, Any]) -> Shape:
        return ReportPolicy


@extend_schema_field(_schema(*RULES.values()))
class RulesField(_MessagesField):
    def shape(self, item: Mapping[str, Any]) -> Shape:
        kind = item.get("kind")
        if not isinstance(kind, str) or kind not in RULES:
            raise ValidationError(f"Use one of {', '.join(RULES)}.")
        return RULES[kind]
