"""Grants and access events. Django resolves a user to a grant; everyone else only tests membership in it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec


class Action(StrEnum):
    """What a role may allow on a site; the matrix itself is in the backend's `accounts/policy.py`."""

    VIEW = "view"
    EXPORT_REPORTS = "export_reports"
    ACKNOWLEDGE_ALERTS = "acknowledge_alerts"
    CONTROL_DEVICES = "control_devices"
    MANAGE_SITE = "manage_site"
    ADD_SITE_USERS = "add_site_users"
    MANAGE_ORG_USERS = "manage_org_users"


class SiteGrant(msgspec.Struct, frozen=True):
    """What is allowed on one site, as values of `Action`. `site` is the site's name on the wire, `site_7`.

    An action that the reader does not know yet allows it nothing, and does not make the grant unreadable.
    """

    site: str
    name: str
    organization: int
    role: str
    actions: Sequence[str]


class GrantUser(msgspec.Struct, frozen=True):
    id: int
    email: str
    name: str
    platform_admin: bool = False
    developer: bool = False


class Grant(msgspec.Struct, frozen=True):
    """The answer of `GET /api/validate-token`. `expires`: when the presented token ends, ms since the epoch."""

    user: GrantUser
    sites: list[SiteGrant]
    expires: int


class AccessEvent(msgspec.Struct, frozen=True):
    """On `user:<id>:permission_changed`: the user's access changed; every grant of an older epoch is void."""

    v: int
    user: int
    epoch: int
    reason: str
