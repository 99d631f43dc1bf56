"""What a person says about points: a name, an asset, limits, and what a point is that no edge has described."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from rest_framework.exceptions import ValidationError

from config.filters import ABSENT
from sites.actions.changes import locked, save_changes
from sites.models import Device, Point, Site

RESTORED = ("name", "minimum", "maximum")
"""Null for these means: as the edge reports it."""


def do_change_point(point: Point, **changes: Any) -> Point:
    """Raises ValidationError naming the field."""
    with transaction.atomic():
        now = locked(point)
        values, overridden = dict(changes), dict(now.overridden)
        for field, value in changes.items():
            if field in RESTORED and value is None:
                values[field] = overridden.pop(field, getattr(now, field))
            else:
                overridden.setdefault(field, None if field == "asset" else getattr(now, field))
        check_limits(values.get("minimum", now.minimum), values.get("maximum", now.maximum))
        point.overridden = now.overridden
        save_changes(point, {**values, "overridden": overridden} if changes else {})
    return point


def check_limits(minimum: float | None, maximum: float | None) -> None:
    if minimum is not None and maximum is not None and minimum > maximum:
        raise ValidationError({"minimum": f"Greater than the maximum, {maximum:g}."})


def check_adoption(site: Site, wanted: Sequence[dict[str, Any]]) -> None:
    """All or none. Raises ValidationError naming each that is not acceptable."""
    errors: dict[str, str] = {}
    seen: set[int] = set()
    for index, each in enumerate(wanted):
        point, asset = each["id"], each.get("asset")
        if point.site_id != site.pk:
            errors[f"points.{index}.id"] = ABSENT
        elif point.pk in seen:
            errors[f"points.{index}.id"] = "It is named twice."
        elif point.adopted:
            errors[f"points.{index}.id"] = f"{point.key} is adopted already; change it by itself."
        if asset is not None and asset.site_id != site.pk:
            errors[f"points.{index}.asset"] = ABSENT
        seen.add(point.pk)
    if errors:
        raise ValidationError(errors)


def do_adopt_points(wanted: Sequence[dict[str, Any]]) -> list[Point]:
    """A device of the site whose key begins the point's becomes its device. What is given here is the person's own
    word, except unit and kind: an edge that reports the point one day knows them better."""
    with transaction.atomic():
        return [_adopt(locked(each["id"]), each) for each in wanted]


def _adopt(point: Point, given: dict[str, Any]) -> Point:
    point.overridden = {"name": point.name} | ({"asset": None} if given.get("asset") else {})
    point.name, point.unit, point.kind = given["name"], given["unit"], given["kind"]
    devices = Device.objects.opened("of the point's site").filter(site=point.site_id)
    point.device = devices.filter(key=point.key.partition(".")[0]).first()
    point.asset = given.get("asset") or (point.device.asset if point.device else None)
    point.adopted = True
    point.save()
    return point
