"""The settings of the installation, changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

import audit
from accounts.system_settings import SystemSettings


def do_change(fields: Mapping[str, Any]) -> SystemSettings:
    """What is not among `fields` stays, also if somebody else changes it at the same moment."""
    with transaction.atomic():
        SystemSettings.objects.bulk_create([SystemSettings(pk=1)], ignore_conflicts=True)
        row = SystemSettings.objects.select_for_update().get(pk=1)
        before = {name: getattr(row, name) for name in fields}
        changed = {name: value for name, value in fields.items() if value != before[name]}
        if changed:
            for name, value in changed.items():
                setattr(row, name, value)
            row.save(update_fields=list(changed))
            audit.record("settings.changed", before={name: before[name] for name in changed}, after=changed)
    return row
