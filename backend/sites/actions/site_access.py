"""Roles on sites are given, changed and taken. Nobody gives or takes one that is not weaker than their own."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q
from rest_framework.exceptions import PermissionDenied, ValidationError

from accounts import policy
from accounts.access import Access
from accounts.models import Membership, User, UserQuerySet
from config.filters import ABSENT
from config.problems import Conflict
from ems_contract.access import Action
from sites.actions.changes import locked, save_changes, unique
from sites.grants import Roles
from sites.models import Site, SiteAccess


def check_grantable(access: Access, site: Site, roles: Iterable[str]) -> None:
    """Raises PermissionDenied unless the caller's role on the site is above each of these."""
    own = Roles(access).on(site)
    allowed = policy.grantable(own) if own is not None else []
    if any(role not in allowed for role in roles):
        weaker = ", ".join(allowed) or "none"
        raise PermissionDenied(f"You may give and take only roles that are weaker than your own here: {weaker}.")


def check_person(access: Access, site: Site, user: int | None, email: str | None) -> User:
    """A member of the site's organization. Raises ValidationError.

    An address of nobody and one of a stranger are refused in the same words, and an id finds only those whom the
    caller sees anyway: nobody learns here who has an account.
    """
    members = User.objects.opened("members of the site's organization").filter(
        memberships__organization=site.organization_id, erased=None, is_service=False
    )
    if email is not None:
        found = members.filter(email=email.strip().lower()).first()
        if found is None:
            raise ValidationError(
                {"email": f"Nobody with this address is a member of {site.organization.name}. Invite them first."}
            )
        return found
    found = members.filter(pk=user or 0).filter(pk__in=people_seen(access)).first()
    if found is None:
        raise ValidationError({"user": ABSENT})
    return found


def people_seen(access: Access) -> UserQuerySet:
    """The people whom the caller administers, and those on the sites whose users the caller manages."""
    there = SiteAccess.objects.visible_to(access, Action.ADD_SITE_USERS).values("user")
    people = User.objects.visible_to(access).values("pk")
    return User.objects.opened("seen by the caller").filter(Q(pk__in=there) | Q(pk__in=people))


def do_give_role(
    access: Access, site: Site, role: str, user: int | None = None, email: str | None = None
) -> SiteAccess:
    """Raises PermissionDenied, ValidationError, or Conflict if the person has a role there already."""
    check_grantable(access, site, [role])
    person = check_person(access, site, user, email)
    field = "user" if email is None else "email"
    with unique(Conflict(f"{person.name} has a role on this site already. Change that one.", code="has_role")):
        # Who leaves the organization at this moment waits, and then takes the new role along.
        membership = Membership.objects.opened("the person's own").filter(user=person, organization=site.organization)
        if not membership.select_for_update(no_key=True, of=("self",)).first():
            raise ValidationError({field: ABSENT})
        return SiteAccess.objects.create(site=site, user=person, role=role)


def do_change_role(access: Access, row: SiteAccess, role: str | None = None) -> SiteAccess:
    """Without a role nothing changes. Raises PermissionDenied if the old or the new one is not weaker than the own."""
    with transaction.atomic():
        old = locked(row).role
        check_grantable(access, row.site, [old, role or old])
        save_changes(row, {} if role is None else {"role": role})
    return row


def do_take_role(access: Access, row: SiteAccess) -> None:
    """Raises PermissionDenied if the role is not weaker than the caller's."""
    with transaction.atomic():
        going = locked(row)
        check_grantable(access, row.site, [going.role])
        going.delete()
