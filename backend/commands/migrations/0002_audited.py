"""A row names its own site's organization only, and every step of a command is in the audit log.

A command's history is its own log, and what rules do is an event already: neither is recorded a second time.
"""

from django.db import migrations

from audit.triggers import attach

TABLES = ("command", "commandstep", "controlevent")


def add(table: str) -> str:
    return (
        f"ALTER TABLE commands_{table} ADD CONSTRAINT {table}_organization_is_its_sites "
        "FOREIGN KEY (site_id, organization_id) REFERENCES sites_site (id, organization_id) "
        "ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED"
    )


def drop(table: str) -> str:
    return f"ALTER TABLE commands_{table} DROP CONSTRAINT {table}_organization_is_its_sites"


class Migration(migrations.Migration):
    dependencies = [("commands", "0001_initial"), ("sites", "0008_local_configuration"), ("audit", "0002_chain")]

    operations = [
        migrations.RunSQL([add(table) for table in TABLES], [drop(table) for table in TABLES]),
        attach("commands_command", "command", "point_key", noise=["entry", "answered"]),
    ]
