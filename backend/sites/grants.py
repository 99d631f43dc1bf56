"""A user's grant: which sites, and what on each. The answer of `GET /api/validate-token`."""

from __future__ import annotations

from collections.abc import Iterable

from accounts import policy
from accounts.access import Access, access_of
from accounts.models import Membership, User
from accounts.policy import Role
from ems_contract.access import Action, Grant, GrantUser, SiteGrant
from sites.models import Site, SiteAccess


def role_on_site(platform_admin: bool, membership: str | None, site_access: str | None) -> Role | None:
    """The strongest of them. A role on the site counts only with a membership in its organization."""
    roles = [Role.PLATFORM_ADMIN] if platform_admin else []
    if membership == Membership.Role.ORG_ADMIN:
        roles.append(Role.ORG_ADMIN)
    if membership is not None and site_access is not None:
        roles.append(Role(site_access))
    return policy.strongest(roles) if roles else None


class Roles:
    """A caller's roles on sites, read once with one query and then asked per site."""

    def __init__(self, who: User | Access) -> None:
        self.access = access_of(who)
        rows = SiteAccess.objects.opened("the caller's own").filter(user=self.access.user.pk)
        self.accesses = dict(rows.values_list("site_id", "role"))

    def on(self, site: Site) -> Role | None:
        """The strongest role on this site; None for a stranger."""
        membership = self.access.memberships.get(site.organization_id)
        return role_on_site(self.access.platform_admin, membership, self.accesses.get(site.pk))

    def actions_on(self, site: Site) -> list[Action]:
        role = self.on(site)
        if role is None:
            return []
        allowed = policy.actions(role, site.operators_may_control)
        return [action for action in allowed if self.access.within(action)]


def site_grants(who: User | Access, sites: Iterable[Site]) -> list[SiteGrant]:
    roles = Roles(who)
    grants = []
    for site in sites:
        role = roles.on(site)
        if role is not None:
            actions = roles.actions_on(site)
            grants.append(SiteGrant(site.wire_name, site.name, site.organization_id, role.value, actions))
    return grants


def resolve(who: User | Access, expires: int) -> Grant:
    """`expires`: when the presented token ends, ms since the epoch."""
    access = access_of(who)
    user = access.user
    described = GrantUser(user.pk, user.email, user.name, access.platform_admin, access.developer)
    return Grant(described, site_grants(access, Site.objects.visible_to(access)), expires)
