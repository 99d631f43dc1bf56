"""Devices are made, changed and deleted. Their edge hears of it once the change is committed."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from rest_framework.exceptions import ValidationError

from sites.actions.changes import save_changes, unique
from sites.actions.local_config import check_key
from sites.connections import check_connection
from sites.models import Device, Edge
from sites.passwords import with_password

_TAKEN = {"key": "Another device of this site has this key; choose another one."}


def do_create_device(edge: Edge, driver: str, connection: dict[str, Any], **fields: Any) -> Device:
    """Raises ValidationError naming the field."""
    connection = with_password(connection, {})
    check_connection(driver, connection)
    check_key(edge.site, fields["key"])
    with unique(ValidationError(_TAKEN)):
        return Device.objects.create(edge=edge, driver=driver, connection=connection, **fields)


def do_change_device(device: Device, **changes: Any) -> Device:
    """Its key stays, for its points and their history carry it. Raises ValidationError naming the field.

    A password that a new connection leaves out is kept, while it goes to the same place.
    """
    if "connection" in changes:
        changes["connection"] = with_password(changes["connection"], device.connection)
    if changes.keys() & {"driver", "connection"}:
        check_connection(changes.get("driver", device.driver), changes.get("connection", device.connection))
    with transaction.atomic():
        save_changes(device, changes)
    return device


def do_delete_device(device: Device) -> None:
    """Its points and their history stay."""
    with transaction.atomic():
        device.delete()
