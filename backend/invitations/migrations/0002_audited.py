"""Invitations and the roles that come with them, in the audit log."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations

from audit.triggers import attach


class Migration(migrations.Migration):
    dependencies: ClassVar[list[Any]] = [("invitations", "0001_initial"), ("sites", "0004_audited")]

    operations: ClassVar[list[Any]] = [
        attach(
            "invitations_invitation",
            "invitation",
            "email",
            secret=["token_hash"],
            noise=["sent", "refused"],
            personal=["email"],
        ),
        attach("invitations_invitedsite", "invited_role", "role"),
    ]
