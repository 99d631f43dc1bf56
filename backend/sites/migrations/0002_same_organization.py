"""A tenant row can only name its own site's organization: the database checks the pair, whoever writes the row."""

from django.db import migrations

TABLES = ("siteaccess", "asset", "edge", "edgekey", "device", "point")


def add(table: str) -> str:
    return (
        f"ALTER TABLE sites_{table} ADD CONSTRAINT {table}_organization_is_its_sites "
        "FOREIGN KEY (site_id, organization_id) REFERENCES sites_site (id, organization_id) "
        "ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED"
    )


def drop(table: str) -> str:
    return f"ALTER TABLE sites_{table} DROP CONSTRAINT {table}_organization_is_its_sites"


class Migration(migrations.Migration):
    dependencies = [("sites", "0001_initial")]

    operations = [migrations.RunSQL([add(table) for table in TABLES], [drop(table) for table in TABLES])]
