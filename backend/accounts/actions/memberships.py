"""Who belongs to an organization, and as what."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.http import Http404
from rest_framework.exceptions import PermissionDenied, ValidationError

from accounts.access import Access
from accounts.models import Membership, Organization, User
from accounts.rules import check_may_grant, keep_an_org_admin
from config.problems import Conflict


class AlreadyMember(Conflict):
    """There is nothing to do, or another change is meant."""

    default_code = "already_member"


def check_create(user: User) -> None:
    """Raises ValidationError naming `user`."""
    if user.is_service or not user.is_active:
        raise ValidationError({"user": "Only an active person can become a member."})


def do_create(user: User, organization: Organization, role: str) -> Membership:
    """Raises AlreadyMember."""
    try:
        with transaction.atomic():
            return Membership.objects.create(user=user, organization=organization, role=role)
    except IntegrityError as taken:
        raise AlreadyMember("This person is a member already. Change the role of that membership instead.") from taken


def check_change(access: Access, membership: Membership, role: str | None = None) -> None:
    """Raises PermissionDenied unless the caller administers the organization and may grant `role`."""
    if not access.administers(membership.organization_id):
        raise PermissionDenied
    _check_of_a_person(membership)
    if role is not None:
        check_may_grant(access, membership.organization_id, role)


def check_delete(access: Access, membership: Membership) -> None:
    """Org admins remove members, and everyone may leave. Raises PermissionDenied."""
    if membership.user_id != access.user.pk and not access.administers(membership.organization_id):
        raise PermissionDenied
    _check_of_a_person(membership)


def _check_of_a_person(membership: Membership) -> None:
    if membership.user.is_service:
        raise PermissionDenied("This is the service account of an access token. Revoke the token instead.")


def do_change_role(membership: Membership, role: str) -> Membership:
    """Raises LastAdmin."""
    with transaction.atomic():
        row = _locked(membership, ends=role != Membership.Role.ORG_ADMIN)
        row.role = role
        row.save(update_fields=["role"])
    return row


def do_delete(membership: Membership) -> None:
    """The roles on the organization's sites go with it. Raises LastAdmin."""
    with transaction.atomic():
        _locked(membership, ends=True).delete()


def _locked(membership: Membership, ends: bool) -> Membership:
    """The row as it is now. `ends`: whoever administers through it will not any more."""
    if ends:
        keep_an_org_admin(membership.user, [membership.organization_id])
    rows = Membership.objects.opened("the door was opened").select_related("user", "organization")
    row = rows.select_for_update(of=("self",)).filter(pk=membership.pk).first()
    if row is None:
        raise Http404  # somebody else was faster
    return row
