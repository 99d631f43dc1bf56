"""The role matrix, and nothing else: who may do what. Pure data; no other file decides it.

Viewer, operator and site manager are granted per site. An org admin has every site of the organization, a
platform admin every site there is. Developer is a flag beside the roles and appears in no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from ems_contract.access import Action


class Role(StrEnum):
    """Ordered: each role may do what the one before it may, and more."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SITE_MANAGER = "site_manager"
    ORG_ADMIN = "org_admin"
    PLATFORM_ADMIN = "platform_admin"


class PlatformAction(StrEnum):
    """What is not about one site."""

    ACCESS_OTHER_ORGS = "access_other_orgs"
    DJANGO_ADMIN = "django_admin"


class Scope(StrEnum):
    """What an access token was made for. None of them reaches people, keys of others or the platform."""

    READ = "read"
    REPORTS = "reports"
    ALERTS = "alerts"
    CONTROL = "control"
    MANAGE = "manage"


SITE_ROLES = (Role.VIEWER, Role.OPERATOR, Role.SITE_MANAGER)
"""The roles that a SiteAccess may carry."""

_VIEWER = frozenset({Action.VIEW})
_OPERATOR = _VIEWER | {Action.EXPORT_REPORTS, Action.ACKNOWLEDGE_ALERTS}
_SITE_MANAGER = _OPERATOR | {Action.CONTROL_DEVICES, Action.MANAGE_SITE, Action.ADD_SITE_USERS}
_ORG_ADMIN = _SITE_MANAGER | {Action.MANAGE_ORG_USERS}

MATRIX: Mapping[Role, frozenset[Action]] = MappingProxyType(
    {
        Role.VIEWER: _VIEWER,
        Role.OPERATOR: _OPERATOR,
        Role.SITE_MANAGER: _SITE_MANAGER,
        Role.ORG_ADMIN: _ORG_ADMIN,
        Role.PLATFORM_ADMIN: _ORG_ADMIN,
    }
)

WHERE_THE_SITE_ALLOWS: Mapping[Role, frozenset[Action]] = MappingProxyType(
    {Role.OPERATOR: frozenset({Action.CONTROL_DEVICES})}
)
"""Actions that a role has only on a site with `operators_may_control`."""

PLATFORM: Mapping[Role, frozenset[PlatformAction]] = MappingProxyType(
    {role: frozenset(PlatformAction) if role is Role.PLATFORM_ADMIN else frozenset() for role in Role}
)

SCOPES: Mapping[Scope, frozenset[Action]] = MappingProxyType(
    {
        Scope.READ: frozenset({Action.VIEW}),
        Scope.REPORTS: frozenset({Action.VIEW, Action.EXPORT_REPORTS}),
        Scope.ALERTS: frozenset({Action.VIEW, Action.ACKNOWLEDGE_ALERTS}),
        Scope.CONTROL: frozenset({Action.VIEW, Action.CONTROL_DEVICES}),
        Scope.MANAGE: frozenset({Action.VIEW, Action.MANAGE_SITE}),
    }
)
"""What a token may do at most; its user's role must allow the same."""

DEFAULT_SCOPES = (Scope.READ,)

_RANK = {role: rank for rank, role in enumerate(Role)}


def actions(role: Role, operators_may_control: bool) -> list[Action]:
    """What `role` may do on a site, in the order of `Action`."""
    allowed = MATRIX[role]
    if operators_may_control:
        allowed = allowed | WHERE_THE_SITE_ALLOWS.get(role, frozenset())
    return [action for action in Action if action in allowed]


class SiteRoles(NamedTuple):
    """`everywhere`: on every site; `where_allowed`: only on sites with `operators_may_control`."""

    everywhere: list[Role]
    where_allowed: list[Role]


def site_roles(action: Action) -> SiteRoles:
    """The roles of a SiteAccess that allow `action`."""
    everywhere = [role for role in SITE_ROLES if action in MATRIX[role]]
    sometimes = [role for role in SITE_ROLES if action in WHERE_THE_SITE_ALLOWS.get(role, ())]
    return SiteRoles(everywhere, [role for role in sometimes if role not in everywhere])


def strongest(roles: list[Role]) -> Role:
    """The role that allows most. `roles` is not empty."""
    return max(roles, key=_RANK.__getitem__)


def grantable(role: Role) -> list[Role]:
    """The site roles that a holder of `role` may give to others, always weaker than the own."""
    if Action.ADD_SITE_USERS not in MATRIX[role]:
        return []
    return [other for other in SITE_ROLES if _RANK[other] < _RANK[role]]


def scope_actions(scopes: Iterable[Scope]) -> frozenset[Action]:
    """All that a token with these scopes may do."""
    return frozenset[Action]().union(*(SCOPES[scope] for scope in scopes))
