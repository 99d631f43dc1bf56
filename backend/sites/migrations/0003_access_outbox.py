"""Triggers that write the outbox of changes of access: whoever makes the change, the user's epoch is raised."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sites", "0002_same_organization"), ("accounts", "0002_identity")]

    operations: ClassVar[list[Any]] = []
