"""An edge reports the points that its devices and profiles define; they are upserted by key, ids stay for ever.

What a person says about a point stands: a later report goes beside it, into `Point.overridden`.

What an edge derives, and what its rules say, are points without a device (`device` is empty): nobody can write them.
"""

from __future__ import annotations

from django.db import transaction
from rest_framework.exceptions import ValidationError

from ems_contract.points import UNITS, is_point_key
from ems_contract.points import Point as Reported
from sites.models import Device, Edge, Point

MAX_POINTS = 20_000
MAX_NAME_LENGTH = 200
_FIELDS = ("name", "unit", "kind", "writable", "minimum", "maximum", "default", "states")
_NEW = [*_FIELDS, "device", "asset", "adopted"]
_CHANGED = [*_NEW, "overridden"]


def check_points(edge: Edge, points: list[Reported]) -> dict[str, Device]:
    """The edge's devices by key. Raises ValidationError naming every point that is not acceptable."""
    if len(points) > MAX_POINTS:
        raise ValidationError({"points": f"{len(points)} points; at most {MAX_POINTS} fit in one report."})
    devices = {device.key: device for device in edge.devices.all()}
    of_the_site = Device.objects.opened("the edge's own site").filter(site=edge.site_id)
    of_devices = set(of_the_site.values_list("key", flat=True))
    errors: dict[str, str] = {}
    seen: set[str] = set()
    for index, point in enumerate(points):
        found = _complaints(point, seen) | (
            _complaints_of_device(point, devices) if point.device else _complaints_of_own(point, of_devices)
        )
        for field, complaint in found.items():
            errors[f"points.{index}.{field}"] = complaint
        seen.add(point.key)
    if errors:
        raise ValidationError(errors)
    return devices


def _complaints_of_device(point: Reported, devices: dict[str, Device]) -> dict[str, str]:
    found: dict[str, str] = {}
    if not point.key.startswith(f"{point.device}."):
        found["key"] = f"{point.key!r} is not <device>.<name in the profile>."
    if point.device not in devices:
        found["device"] = f"This edge has no device {point.device!r}."
    return found


def _complaints_of_own(point: Reported, of_devices: set[str]) -> dict[str, str]:
    """Of a point that the edge computes: it takes no device's key, and nobody can write it."""
    found: dict[str, str] = {}
    if point.key.partition(".")[0] in of_devices:
        found["key"] = f"{point.key!r} is a device's; a point without a device begins with another word."
    if point.writable:
        found["writable"] = "A point without a device cannot be written."
    return found


def _complaints(point: Reported, seen: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    if not is_point_key(point.key):
        found["key"] = f"{point.key!r} is not <device>.<name in the profile>."
    elif point.key in seen:
        found["key"] = f"{point.key!r} is reported twice."
    if point.unit not in UNITS:
        found["unit"] = f"{point.unit!r} is not a unit; use one of {', '.join(filter(None, UNITS))}."
    if not 0 < len(point.name) <= MAX_NAME_LENGTH or "\x00" in point.name:
        found["name"] = f"A name has 1 to {MAX_NAME_LENGTH} characters."
    for number, name in (point.states or {}).items():
        if not number.lstrip("-").isdecimal() or len(name) > MAX_NAME_LENGTH or "\x00" in name:
            found["states"] = f"{number!r}: a state is a whole number and its name."
    if point.minimum is not None and point.maximum is not None and point.minimum > point.maximum:
        found["minimum"] = "Greater than maximum."
    return found


def do_report_points(edge: Edge, devices: dict[str, Device], points: list[Reported]) -> None:
    with transaction.atomic():
        known = {
            point.key: point
            for point in Point.objects.opened("the edge's own site").select_for_update().filter(site_id=edge.site_id)
        }
        new, changed = [], []
        for reported in points:
            device = devices.get(reported.device)
            point = known.get(reported.key)
            if point is None:
                point = Point(site_id=edge.site_id, organization_id=edge.organization_id, key=reported.key)
                new.append(_take(point, reported, device))
            elif _differs(point, reported, device):
                changed.append(_take(point, reported, device))
        # A point may appear meanwhile, from a batch that was ahead of this report: then it is adopted.
        Point.objects.bulk_create(
            new, update_conflicts=True, unique_fields=["site", "key"], update_fields=_NEW, batch_size=1000
        )
        Point.objects.opened("the edge's own site").bulk_update(changed, _CHANGED, batch_size=1000)


def _differs(point: Point, reported: Reported, device: Device | None) -> bool:
    return (
        not point.adopted
        or point.device_id != (device.pk if device else None)
        or any(_said_by_edge(point, field) != getattr(reported, field) for field in _FIELDS)
    )


def _said_by_edge(point: Point, field: str) -> object:
    return point.overridden[field] if field in point.overridden else getattr(point, field)


def _take(point: Point, reported: Reported, device: Device | None) -> Point:
    for field in _FIELDS:
        if field in point.overridden:
            point.overridden[field] = getattr(reported, field)
        else:
            setattr(point, field, getattr(reported, field))
    point.device = device
    if "asset" not in point.overridden and device is not None:
        point.asset_id = point.asset_id or device.asset_id
    point.adopted = True
    return point
