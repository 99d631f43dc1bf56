"""The settings of the installation, changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.system_settings import SystemSettings


def do_change(fields: Mapping[str, Any]) -> SystemSettings:
    """What is not among `fields` stays, also if somebody else changes it at the same moment."""
    with transaction.atomic():
        SystemSettings.objects.bulk_create([SystemSettings(pk=1)], ignore_conflicts=True)
        row = SystemSettings.objects.select_for_update().get(pk=1)
        changed = {name: value for name, value in fields.items() if value != getattr(row, name)}
        if changed:
            for name, value in changed.items():
                setattr(row, name, value)
            row.save(update_fields=list(changed))
    return row
