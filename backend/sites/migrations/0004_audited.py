"""Triggers that record every change of these tables in the audit log, with what it was before and is after."""

from __future__ import annotations

from typing import Any, ClassVar


from django.db import migrations

from audit.triggers import attach

# For events of tables that know their site only.
ORGANIZATION_OF = """
CREATE FUNCTION audit_organization_of(site bigint) RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT organization_id FROM sites_site WHERE id = site $$
"""


class Migration(migrations.Migration):
    dependencies: ClassVar[list[Any]] = [
        ("sites", "0003_access_outbox"),
        ("accounts", "0003_system_settings"),
        ("audit", "0002_chain"),
    ]

    operations: ClassVar[list[Any]] = [
        migrations.RunSQL(ORGANIZATION_OF, "DROP FUNCTION audit_organization_of"),
        attach("accounts_user", "user", "email", secret=["password"], noise=["last_login"], personal=["email", "name"]),
        attach("accounts_organization", "organization", "name"),
        attach("accounts_membership", "membership", "user_id"),
        attach("accounts_accesstoken", "access_token", "name", secret=["secret_hash"], noise=["last_used"]),
        attach("accounts_systemsettings", "settings", "id"),
        attach("sites_site", "site", "name"),
        attach("sites_siteaccess", "site_access", "user_id"),
        attach("sites_asset", "asset", "name"),
        attach("sites_edge", "edge", "name", noise=["software", "last_session"]),
        attach("sites_edgekey", "edge_key", "prefix", secret=["secret_hash"], noise=["last_used", "last_session"]),
        attach("sites_device", "device", "name"),
        attach("sites_point", "point", "key", by_people_only=True),
    ]
