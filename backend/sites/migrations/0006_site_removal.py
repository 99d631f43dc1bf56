"""The outbox of deleted sites, and the triggers that write it: whoever deletes a site, its history goes after it."""

import django.utils.timezone
from django.db import migrations, models

FORWARDS = """
CREATE FUNCTION edge_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sites_siteremoval (site_id, edge_id, at) SELECT site_id, id, now() FROM old_rows;
    RETURN NULL;
END $$;

CREATE FUNCTION site_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sites_siteremoval (site_id, edge_id, at) SELECT id, NULL, now() FROM old_rows;
    IF FOUND THEN
        PERFORM pg_notify('sites_removed', '');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER edge_removed AFTER DELETE ON sites_edge
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION edge_removed();
CREATE TRIGGER site_removed AFTER DELETE ON sites_site
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION site_removed();
"""
BACKWARDS = """
DROP TRIGGER site_removed ON sites_site;
DROP TRIGGER edge_removed ON sites_edge;
DROP FUNCTION site_removed, edge_removed;
"""


class Migration(migrations.Migration):
    dependencies = [("sites", "0005_point_overridden")]

    operations = [
        migrations.CreateModel(
            name="SiteRemoval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site_id", models.BigIntegerField()),
                ("edge_id", models.BigIntegerField(null=True)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={"ordering": ("id",)},
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
