"""An edge hears of everything new that its session tells: its own rules, setpoints that people decided, the time zone.

What an edge says of its configuration is no news for the audit log.
"""

from django.db import migrations

from audit.triggers import attach

FORWARDS = """
CREATE OR REPLACE FUNCTION edge_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM edges_changed(array_agg(n.id)) FROM new_rows n JOIN old_rows o ON o.id = n.id
    WHERE (n.poll_interval, n.derived, n.reporting, n.rules)
        IS DISTINCT FROM (o.poll_interval, o.derived, o.reporting, o.rules);
    RETURN NULL;
END $$;

CREATE FUNCTION point_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM edges_changed(array_agg(DISTINCT d.edge_id)) FROM (
        (SELECT device_id, key, minimum, maximum, "default", overridden ?| '{minimum,maximum,default}' FROM old_rows
            WHERE writable EXCEPT
         SELECT device_id, key, minimum, maximum, "default", overridden ?| '{minimum,maximum,default}' FROM new_rows
            WHERE writable)
        UNION ALL
        (SELECT device_id, key, minimum, maximum, "default", overridden ?| '{minimum,maximum,default}' FROM new_rows
            WHERE writable EXCEPT
         SELECT device_id, key, minimum, maximum, "default", overridden ?| '{minimum,maximum,default}' FROM old_rows
            WHERE writable)
    ) changed JOIN sites_device d ON d.id = changed.device_id;
    RETURN NULL;
END $$;

CREATE FUNCTION site_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM edges_changed(array_agg(e.id))
    FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN sites_edge e ON e.site_id = n.id
    WHERE n.timezone <> o.timezone;
    RETURN NULL;
END $$;

CREATE TRIGGER config_updated AFTER UPDATE ON sites_point
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION point_updated();
CREATE TRIGGER config_updated AFTER UPDATE ON sites_site
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION site_moved();
"""
BACKWARDS = """
DROP TRIGGER config_updated ON sites_site;
DROP TRIGGER config_updated ON sites_point;
DROP FUNCTION site_moved, point_updated;
CREATE OR REPLACE FUNCTION edge_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM edges_changed(array_agg(n.id)) FROM new_rows n JOIN old_rows o ON o.id = n.id
    WHERE n.poll_interval <> o.poll_interval;
    RETURN NULL;
END $$;
"""


def audited(*noise: str) -> migrations.RunSQL:
    return attach("sites_edge", "edge", "name", noise=["software", "last_session", *noise])


class Migration(migrations.Migration):
    dependencies = [("sites", "0008_local_configuration")]

    operations = [
        migrations.RunSQL("DROP TRIGGER audit_row ON sites_edge", audited().sql),
        audited("config_revision", "config_problem", "config_at"),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
