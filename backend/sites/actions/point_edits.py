"""What a person says about points: a name, an asset, limits, and what a point is that no edge has described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from rest_framework.exceptions import ValidationError

from config.filters import ABSENT
from sites.actions.changes import locked, save_changes
from sites.models import Asset, Device, Point, Site

RESTORED = ("name", "minimum", "maximum", "default")
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
        minimum, maximum = (values.get(name, getattr(now, name)) for name in ("minimum", "maximum"))
        check_limits(minimum, maximum)
        if changes.get("default") is not None:
            check_default(now, changes["default"], minimum, maximum)
        point.overridden = now.overridden
        save_changes(point, {**values, "overridden": overridden} if changes else {})
    return point


def check_limits(minimum: float | None, maximum: float | None) -> None:
    if minimum is not None and maximum is not None and minimum > maximum:
        raise ValidationError({"minimum": f"Greater than the maximum, {maximum:g}."})


def check_default(point: Point, default: float, minimum: float | None, maximum: float | None) -> None:
    """What a point goes back to must be something that could be asked of it. Raises ValidationError."""
    if not point.writable:
        raise ValidationError({"default": f"{point.key} is read-only: nothing is ever given back."})
    if (minimum is not None and default < minimum) or (maximum is not None and default > maximum):
        raise ValidationError({"default": "Beyond the point's own limits."})


@dataclass(frozen=True)
class Adoption:
    """What a person says about a point that no edge has described."""

    point: Point
    name: str
    unit: str
    kind: str
    asset: Asset | None


def check_adoption(site: Site, wanted: Sequence[Mapping[str, Any]]) -> list[Adoption]:
    """All or none: ids become rows of this site. Raises ValidationError naming each that is not acceptable."""
    points = {point.pk: point for point in site.points.filter(pk__in=[each["id"] for each in wanted])}
    assets: dict[int | None, Asset] = {asset.pk: asset for asset in site.assets.all()}
    errors: dict[str, str] = {}
    for index, each in enumerate(wanted):
        point = points.get(each["id"])
        if point is None:
            errors[f"points.{index}.id"] = ABSENT
        elif point.adopted:
            errors[f"points.{index}.id"] = f"{point.key} is adopted already; change it by itself."
        elif any(other["id"] == each["id"] for other in wanted[:index]):
            errors[f"points.{index}.id"] = "It is named twice."
        if each.get("asset") not in (None, *assets):
            errors[f"points.{index}.asset"] = ABSENT
    if errors:
        raise ValidationError(errors)
    return [
        Adoption(points[each["id"]], each["name"], each["unit"], each["kind"], assets.get(each.get("asset")))
        for each in wanted
    ]


def do_adopt_points(site: Site, adoptions: Sequence[Adoption]) -> list[Point]:
    """A device of the site whose key begins the point's becomes its device. What is given here is the person's own
    word, except unit and kind: an edge that reports the point one day knows them better."""
    devices = {device.key: device for device in site.devices.select_related("asset")}
    with transaction.atomic():
        return [_adopt(locked(each.point), each, devices) for each in adoptions]


def _adopt(point: Point, said: Adoption, devices: Mapping[str, Device]) -> Point:
    point.overridden = {"name": point.name} | ({"asset": None} if said.asset else {})
    point.name, point.unit, point.kind = said.name, said.unit, said.kind
    point.device = devices.get(point.key.partition(".")[0])
    point.asset = said.asset or (point.device.asset if point.device else None)
    point.adopted = True
    point.save()
    return point
