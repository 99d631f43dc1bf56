"""Organizations, memberships, invitations, people and the settings of the installation."""

from __future__ import annotations

from testing.matrix.grids import (
    ADD_TO_ORGANIZATION_BY_PLATFORM,
    ADD_TO_SITE,
    ADMINISTER_ORGANIZATION,
    ANY_CREDENTIAL,
    CHANGE_MEMBERSHIP,
    CHANGE_PERSON,
    END_MEMBERSHIP,
    ERASE_PERSON,
    INVITATION,
    LOGIN,
    PLATFORM,
    PLATFORM_ON_ORGANIZATION,
    PUBLIC,
    SECRET_OF_THE_LINK,
    VIEW_MEMBERSHIP,
    VIEW_ORGANIZATION,
    VIEW_PERSON,
)
from testing.matrix.row import Row

ROWS = (
    Row("organizations_list", ANY_CREDENTIAL),
    Row("organization_create", PLATFORM, body={"name": "Gamma"}),
    Row("organization", VIEW_ORGANIZATION),
    Row("organization_change", ADMINISTER_ORGANIZATION, body={"name": "Renamed"}),
    Row("organization_suspend", PLATFORM_ON_ORGANIZATION),
    Row("organization_resume", PLATFORM_ON_ORGANIZATION),
    Row("organization_deletion", PLATFORM_ON_ORGANIZATION, body={"dry_run": True}),
    Row("organization_deletion_cancel", PLATFORM_ON_ORGANIZATION),
    Row("organization_export", ADMINISTER_ORGANIZATION),
    Row("memberships_list", LOGIN),
    Row(
        "membership_create",
        ADD_TO_ORGANIZATION_BY_PLATFORM,
        body={"organization": "{organization}", "user": "{own.stranger}"},
    ),
    Row("membership", VIEW_MEMBERSHIP),
    Row("membership_change", CHANGE_MEMBERSHIP, body={"role": "member"}),
    Row("membership_delete", END_MEMBERSHIP),
    Row("users_list", LOGIN),
    Row("user", VIEW_PERSON),
    Row("user_change", CHANGE_PERSON, body={"name": "Renamed"}),
    Row("user_erase", ERASE_PERSON, body={"email": "{email}"}),
    Row("invitations_list", LOGIN),
    Row(
        "invitation_create",
        ADD_TO_SITE,
        body={
            "organization": "{organization}",
            "email": "new@example.com",
            "role": "member",
            "sites": [{"site": "{site}", "role": "viewer"}],
        },
    ),
    Row("invitation", INVITATION),
    Row("invitation_delete", INVITATION),
    Row("invitation_resend", INVITATION),
    Row("invitation_look", PUBLIC, body={"token": "{own.invitation_token}"}),
    Row(
        "invitation_accept",
        SECRET_OF_THE_LINK,
        body={"token": "{own.invitation_token}", "name": "New", "password": "{own.password}"},
    ),
    Row("settings", PLATFORM),
    Row("settings_change", PLATFORM, body={"invitation_days": 5}),
)
