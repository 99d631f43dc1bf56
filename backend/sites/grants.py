"""A user's grant: which sites, and what on each. The answer of `GET /api/validate-token`."""

from __future__ import annotations

from collections.abc import Iterable

from accounts import policy
from accounts.models import Membership, User
from accounts.policy import Role
from ems_contract.access import Action, Grant, GrantUser, SiteGrant
from sites.models import Site, SiteAccess, is_platform_admin


class Roles:
    """A user's roles, read once with two queries and then asked per site."""

    def __init__(self, user: User) -> None:
        self.platform_admin = is_platform_admin(user)
        self.memberships = dict(Membership.objects.filter(user=user).values_list("organization_id", "role"))
        self.accesses = dict(SiteAccess.objects.filter(user=user).values_list("site_id", "role"))

    def on(self, site: Site) -> Role | None:
        """The strongest role on this site; None for a stranger."""
        roles = [Role.PLATFORM_ADMIN] if self.platform_admin else []
        membership = self.memberships.get(site.organization_id)
        if membership == Membership.Role.ORG_ADMIN:
            roles.append(Role.ORG_ADMIN)
        if membership is not None and site.pk in self.accesses:
            roles.append(Role(self.accesses[site.pk]))
        return policy.strongest(roles) if roles else None

    def actions_on(self, site: Site) -> list[Action]:
        role = self.on(site)
        return policy.actions(role, site.operators_may_control) if role else []


def site_grants(user: User, sites: Iterable[Site]) -> list[SiteGrant]:
    roles = Roles(user)
    grants = []
    for site in sites:
        role = roles.on(site)
        if role is not None:
            allowed = policy.actions(role, site.operators_may_control)
            grants.append(SiteGrant(site.wire_name, site.name, site.organization_id, role.value, allowed))
    return grants


def resolve(user: User, expires: int) -> Grant:
    """`expires`: when the presented token ends, ms since the epoch."""
    who = GrantUser(user.pk, user.email, user.name, is_platform_admin(user), user.is_developer)
    return Grant(who, site_grants(user, Site.objects.visible_to(user)), expires)
