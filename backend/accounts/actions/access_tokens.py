"""Access tokens of integrators: issued with an end, and revoked. What a token may be made for is checked in `sites`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from accounts import access_tokens
from accounts.models import AccessToken, Membership, Organization, User
from accounts.policy import Scope
from config.secret_hash import hash_secret
from ems_contract.tokens import format_access_token

LONGEST = timedelta(days=366)


def check_expires(expires: datetime) -> None:
    """Raises ValidationError unless it is ahead, and at most `LONGEST`."""
    ahead = expires - timezone.now()
    if not timedelta(0) < ahead <= LONGEST:
        raise ValidationError({"expires": f"Choose a time from now on, at most {LONGEST.days} days ahead."})


def do_issue(
    user: User,
    name: str,
    scopes: Collection[Scope],
    sites: Collection[int] | None,
    expires: datetime,
    organization: Organization | None = None,
    prefix: str | None = None,
) -> tuple[AccessToken, str]:
    """-> the row, and the token's text, which is shown once and kept nowhere."""
    parts = access_tokens.generate(user.pk, prefix)
    token = AccessToken.objects.create(
        user=user,
        organization=organization,
        name=name,
        prefix=parts.prefix,
        secret_hash=hash_secret(parts.secret),
        scopes=[scope.value for scope in Scope if scope in scopes],
        sites=sorted(set(sites)) if sites is not None else None,
        expires=expires,
    )
    return token, format_access_token(parts)


def do_make_service_account(organization: Organization, name: str, prefix: str) -> User:
    """Whom an organization's token acts as: a member that never logs in."""
    user = User.objects.create_user(f"token-{prefix}@service.invalid", None, name=name, is_service=True)
    Membership.objects.create(user=user, organization=organization)
    return user


def do_revoke(token: AccessToken) -> None:
    """At once, on every open socket too. The service account of an organization's token ends with it."""
    with transaction.atomic():
        if token.revoked is None:
            token.revoked = timezone.now()
            token.save(update_fields=["revoked"])
        if token.user.is_service and token.user.is_active:
            token.user.is_active = False
            token.user.save(update_fields=["is_active"])
            token.user.memberships.all().delete()
