"""Who may do what on a site, and why, in words: for the people who give and take roles there.

It decides nothing. The role comes from the same function as every grant; the words are found beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q

from accounts import policy
from accounts.models import Membership, User, UserQuerySet
from accounts.policy import Role
from ems_contract.access import Action
from sites.grants import role_on_site
from sites.models import Site, SiteAccess

NAMES = {
    Role.VIEWER: "Viewer",
    Role.OPERATOR: "Operator",
    Role.SITE_MANAGER: "Site manager",
    Role.ORG_ADMIN: "Org admin",
    Role.PLATFORM_ADMIN: "Platform admin",
}


@dataclass(frozen=True)
class Explained:
    user: User
    role: Role | None
    actions: list[Action]
    because: list[str]


def people_of(site: Site, platform_admins: bool) -> UserQuerySet:
    """The org admins of the site's organization and everyone with a role on the site; platform admins if wanted."""
    admins = Q(memberships__organization=site.organization_id, memberships__role=Membership.Role.ORG_ADMIN)
    given = Q(pk__in=SiteAccess.objects.filter(site=site).values("user"))
    outside = Q(is_superuser=True) if platform_admins else Q()
    found = User.objects.opened("who may see one site").filter(admins | given | outside)
    return found.distinct().order_by("name", "pk")


def explain(site: Site, users: list[User]) -> list[Explained]:
    """Two queries, however many they are."""
    of_organization = site.organization.memberships.filter(user__in=users)
    memberships = dict(of_organization.values_list("user_id", "role"))
    accesses = dict(site.accesses.filter(user__in=users).values_list("user_id", "role"))
    return [_explained(site, user, memberships.get(user.pk), accesses.get(user.pk)) for user in users]


def _explained(site: Site, user: User, membership: str | None, site_access: str | None) -> Explained:
    counts = user.is_active and site.organization.suspended is None
    role = role_on_site(
        user.is_active and user.is_superuser, membership if counts else None, site_access if counts else None
    )
    actions = policy.actions(role, site.operators_may_control) if role else []
    return Explained(user, role, actions, list(_reasons(site, user, role, membership, site_access)))


def _reasons(
    site: Site, user: User, role: Role | None, membership: str | None, site_access: str | None
) -> Iterator[str]:
    organization = site.organization
    if user.is_superuser:
        yield "Platform admin."
    if membership == Membership.Role.ORG_ADMIN:
        yield f"Org admin of {organization.name}."
    elif membership is not None:
        yield f"Member of {organization.name}."
    if site_access is not None:
        yield f"{NAMES[Role(site_access)]} of this site."
    if membership is not None and membership != Membership.Role.ORG_ADMIN and site_access is None:
        yield "No role on this site, so the membership alone opens nothing here."
    if membership is None and site_access is not None:
        yield f"Not a member of {organization.name}, so the role on this site does not count."
    if membership is None and site_access is None and not user.is_superuser:
        yield f"Not a member of {organization.name}."
    if not user.is_active:
        yield "The account is deactivated, so nothing of this counts."
    elif organization.suspended is not None and (membership or site_access):
        yield f"{organization.name} is suspended, so its own people see nothing of it."
    if role is not None and role in policy.WHERE_THE_SITE_ALLOWS:
        yield (
            "This site lets operators control devices."
            if site.operators_may_control
            else "This site does not let operators control devices."
        )
