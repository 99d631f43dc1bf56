"""Persons apart from events, before and after, the chain, and the functions and triggers that write and guard them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import migrations, models
from django.utils.timezone import now as django_now

SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")

# What was recorded before there were persons: the addresses move there, and everything waits for its seal.
OLD_EVENTS = """
UPDATE audit_auditevent SET actor_key = audit_person_of(actor_id, actor), actor = '' WHERE actor LIKE '%@%';
UPDATE audit_auditevent SET target_key = audit_person_of(NULL, target), target = '' WHERE target LIKE '%@%';
INSERT INTO audit_unsealed (event) SELECT id FROM audit_auditevent;
"""

BACKWARDS = """
DROP FUNCTION audit_person_of, audit_name_of, audit_masked, audit_write, audit_by_person, audit_row, audit_deny, audit_close_floods,
    audit_refuse, audit_only_erase, audit_queue CASCADE;
"""


def install(apps: Any, editor: Any) -> None:
    users = apps.get_model(settings.AUTH_USER_MODEL)._meta.db_table
    functions, triggers = SQL.replace("{users}", editor.quote_name(users)).split("-- Append-only -", 1)
    for statements in (functions, OLD_EVENTS, f"-- Append-only -{triggers}"):
        editor.execute(statements, params=None)


def remove(apps: Any, editor: Any) -> None:
    editor.execute(BACKWARDS, params=None)


def _table(name: str, *fields: tuple[str, models.Field], **options: Any) -> migrations.CreateModel:
    return migrations.CreateModel(name=name, fields=list(fields), options=options)


class Migration(migrations.Migration):
    dependencies: ClassVar[list[Any]] = [
        ("audit", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar[list[Any]] = [
        _table(
            "Person",
            ("key", models.UUIDField(primary_key=True, serialize=False)),
            ("user_id", models.BigIntegerField(null=True, db_index=True)),
            ("text", models.CharField(max_length=254, db_index=True)),
            ("salt", models.BinaryField(null=True)),
        ),
        _table(
            "Seal",
            ("event", models.BigIntegerField(primary_key=True, serialize=False)),
            ("organization", models.BigIntegerField()),
            ("position", models.BigIntegerField()),
            ("hash", models.BinaryField()),
            constraints=[
                models.UniqueConstraint(fields=("organization", "position"), name="audit_seal_position"),
            ],
        ),
        _table(
            "Unsealed",
            ("event", models.BigIntegerField(primary_key=True, serialize=False)),
            verbose_name_plural="unsealed",
        ),
        _table(
            "Flood",
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("caller", models.CharField(max_length=100)),
            ("action", models.CharField(max_length=60)),
            ("minute", models.DateTimeField()),
            ("count", models.IntegerField()),
            ("event", models.JSONField()),
            constraints=[
                models.UniqueConstraint(fields=("caller", "action", "minute"), name="audit_flood_of"),
            ],
        ),
        migrations.AddField(
            "AuditEvent",
            "outcome",
            models.CharField(max_length=10, choices=[("done", "Done"), ("denied", "Denied")], default="done"),
        ),
        migrations.AddField("AuditEvent", "actor_key", models.UUIDField(null=True)),
        migrations.AddField("AuditEvent", "target_key", models.UUIDField(null=True)),
        migrations.AddField("AuditEvent", "target_id", models.BigIntegerField(null=True)),
        migrations.AddField("AuditEvent", "before", models.JSONField(null=True)),
        migrations.AddField("AuditEvent", "after", models.JSONField(null=True)),
        migrations.AddField("AuditEvent", "persons", models.JSONField(default=dict)),
        # The indexes of single columns give way to those that also order.
        migrations.AlterField("AuditEvent", "at", models.DateTimeField(default=django_now)),
        migrations.AlterField("AuditEvent", "organization_id", models.BigIntegerField(null=True)),
        *(
            migrations.AddIndex("AuditEvent", models.Index(fields=[*column, "at", "id"], name=name))
            for name, column in (
                ("audit_at", ()),
                ("audit_organization", ("organization_id",)),
                ("audit_site", ("site_id",)),
                ("audit_actor", ("actor_id",)),
            )
        ),
        migrations.RunPython(install, remove, elidable=False),
    ]
