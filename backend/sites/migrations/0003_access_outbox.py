"""Triggers that write the outboxes of changes of access and of edges, whoever makes the change."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import django.utils.timezone
from django.db import migrations, models

BACKWARDS = """
DROP FUNCTION
    membership_inserted, membership_updated, membership_deleted, memberships_ended,
    site_access_inserted, site_access_updated, site_access_deleted,
    user_updated, user_deleted, site_inserted, site_updated, site_deleted, organization_updated,
    login_session_updated, login_session_deleted, access_token_updated, access_token_deleted,
    access_changed, people_of_sites,
    edge_updated, device_inserted, device_updated, device_deleted, edge_key_updated, edge_key_deleted,
    edges_changed, edge_keys_ended
CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("sites", "0002_same_organization"), ("accounts", "0002_identity")]

    operations: ClassVar[list[migrations.operations.base.Operation]] = [
        migrations.CreateModel(
            name="EdgeChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("edge_id", models.BigIntegerField()),
                ("ended_key", models.CharField(blank=True, max_length=16)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={"ordering": ("id",)},
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text("utf-8"), BACKWARDS),
    ]
