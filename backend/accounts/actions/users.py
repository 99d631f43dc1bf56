"""Accounts of people: renamed, disabled, given platform roles, and erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework.exceptions import PermissionDenied, ValidationError

import audit
from accounts.access import Access
from accounts.models import Membership, PasswordReset, User
from accounts.rules import keep_a_platform_admin, keep_an_org_admin
from config.problems import Conflict

ERASED_NAME = "Erased person"
NOT_ONESELF = "Nobody changes this of their own account. Ask another platform admin."

person_erased = Signal()
"""Sent in the transaction with `email`: whoever else keeps the address forgets it now."""


class AlreadyErased(Conflict):
    """Nothing of this person is left to erase."""

    default_code = "already_erased"


def check_change(access: Access, person: User, fields: Mapping[str, Any]) -> None:
    """Raises PermissionDenied: who may change this account at all, and who nobody may change alone."""
    if not access.platform_admin:
        _check_their_org_admin(access, person)
    if person.is_service:
        raise PermissionDenied("This is the service account of an access token. Revoke the token instead.")
    if person.erased is not None:
        raise PermissionDenied("This person was erased. Nothing can be changed any more.")
    if person.pk == access.user.pk and fields.keys() & {"is_active", "is_superuser"}:
        raise PermissionDenied(NOT_ONESELF)


def _check_their_org_admin(access: Access, person: User) -> None:
    """An account that another organization shares, and that of a platform admin, is not one org admin's to change."""
    organizations = set(
        Membership.objects.opened("only whether all are administered")
        .filter(user=person)
        .values_list("organization_id", flat=True)
    )
    if person.is_superuser or not organizations or not organizations <= access.administered:
        raise PermissionDenied("Only people who belong to no other organization can be changed by its org admin.")


def do_change(person: User, fields: Mapping[str, Any]) -> User:
    """`fields`: name, is_active, is_superuser, is_developer. Raises LastAdmin."""
    with transaction.atomic():
        if fields.get("is_active") is False:
            _stop_administering(person)
        elif fields.get("is_superuser") is False:
            keep_a_platform_admin(person)
        row = _locked(person)
        for name, value in fields.items():
            setattr(row, name, value)
        row.save(update_fields=list(fields))
    return row


def _stop_administering(person: User) -> None:
    if person.is_superuser:
        keep_a_platform_admin(person)
    administered = person.memberships.filter(role=Membership.Role.ORG_ADMIN)
    keep_an_org_admin(person, administered.values_list("organization_id", flat=True))


def _locked(person: User) -> User:
    return User.objects.opened("the door was opened").select_for_update().get(pk=person.pk)


# Erasure ------------------------------------------------------------------------------------------------------------


def check_erase(access: Access, person: User, typed: str) -> None:
    """Raises ValidationError unless the address was typed, PermissionDenied for oneself, AlreadyErased."""
    if person.pk == access.user.pk:
        raise PermissionDenied("Nobody erases their own account. Ask another platform admin.")
    if person.erased is not None:
        raise AlreadyErased("This person was erased before.")
    if typed.strip().lower() != person.email:
        raise ValidationError({"email": "Type the person's e-mail address exactly as it is written."})


def do_erase(person: User) -> User:
    """Replace the person by a pseudonym: what they did stays in the audit log, who they were does not.

    Raises LastAdmin.
    """
    with transaction.atomic():
        _stop_administering(person)
        row = _locked(person)
        email = row.email
        _forget_access(row)
        PasswordReset.objects.filter(email=email).delete()
        row.email, row.name = f"erased-{row.pk}@erased.invalid", ERASED_NAME
        row.is_active = row.is_superuser = row.is_developer = False
        row.erased = timezone.now()
        row.set_unusable_password()
        row.save()
        LogEntry.objects.filter(object_repr__icontains=email).update(object_repr=row.email)
        person_erased.send(sender=User, email=email)
        audit.erase_person(row.pk, email)
    return row


def _forget_access(person: User) -> None:
    """Roles and credentials. Database triggers end the open sockets."""
    for rows in (person.memberships, person.site_accesses, person.access_tokens, person.login_sessions):
        rows.all().delete()
    for device in (TOTPDevice, StaticDevice):
        device.objects.filter(user=person).delete()
