"""Two rules that every change of people's roles obeys, wherever it is asked for.

Nobody grants above themselves: here for an organization, `policy.grantable` for a site.
Nobody locks the last admin out: neither the last org admin of an organization nor the last platform admin.
"""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.exceptions import PermissionDenied

from accounts.access import Access
from accounts.models import Membership, Organization, User
from config.problems import Conflict


class LastAdmin(Conflict):
    """Make somebody else an admin first; then the same request succeeds."""

    default_code = "last_admin"


def check_may_grant(access: Access, organization_id: int, role: str) -> None:
    """Org admins are made by org admins of the organization and by platform admins. Raises PermissionDenied."""
    if role == Membership.Role.ORG_ADMIN and not access.administers(organization_id):
        raise PermissionDenied("Only an org admin can make somebody an org admin.")


def org_admins(organization_id: int) -> list[int]:
    """The ids of the people who can really administer it: active ones."""
    admins = Membership.objects.opened("who administers one organization").filter(
        organization=organization_id, role=Membership.Role.ORG_ADMIN, user__is_active=True, user__is_service=False
    )
    return list(admins.values_list("user_id", flat=True))


def keep_an_org_admin(user: User, organization_ids: Iterable[int]) -> None:
    """Call in the transaction in which `user` stops administering these organizations, before the change.

    Locks them until its end, so of two admins who remove each other at once the second one is refused.
    Raises LastAdmin.
    """
    rows = Organization.objects.opened("locked, in one order").filter(pk__in=set(organization_ids)).order_by("pk")
    for organization in rows.select_for_update(no_key=True):
        if org_admins(organization.pk) == [user.pk]:
            raise LastAdmin(
                f"{user.name} is the last org admin of {organization.name}. Make somebody else its org admin first."
            )


def keep_a_platform_admin(user: User) -> None:
    """Call in the transaction in which `user` stops being a platform admin, before the change. Raises LastAdmin."""
    admins = User.objects.opened("locked, in one order").filter(is_superuser=True, is_active=True).order_by("pk")
    if [admin.pk for admin in admins.select_for_update(no_key=True)] == [user.pk]:
        raise LastAdmin(f"{user.name} is the last platform admin. Make somebody else a platform admin first.")
