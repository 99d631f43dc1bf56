"""The first platform admin of an empty installation: a one-time link, then one account and one organization."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as WeakPassword
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied, ValidationError

import audit
from accounts.models import Membership, Organization, SetupToken, User
from config.secret_hash import hash_secret

LIFETIME = timedelta(hours=24)
_LOCK = 0x53455455  # an advisory lock, so that two posts at once cannot both be the first


class AlreadySetUp(Exception):
    """There is a user already; further ones are made in the product."""


class BadSetupLink(PermissionDenied):
    """Make a new link; retrying does not help."""

    default_code = "bad_setup_link"
    default_detail = "This link is not valid any more. Make a new one with `manage.py first_admin`."


def do_make_link() -> str:
    """A new link; older ones stop working. The token is in the fragment, which browsers never send to a server."""
    if User.objects.opened("whether there is anyone").exists():
        raise AlreadySetUp
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        SetupToken.objects.all().delete()
        SetupToken.objects.create(token_hash=hash_secret(token), expires=timezone.now() + LIFETIME)
    return f"{settings.PUBLIC_URL}/setup#token={token}"


def _valid_token(token: str) -> SetupToken:
    found = SetupToken.objects.filter(token_hash=hash_secret(token), expires__gt=timezone.now()).first()
    if found is None or User.objects.opened("whether there is anyone").exists():
        raise BadSetupLink
    return found


def check_setup(token: str, email: str, name: str, password: str) -> None:
    """Raises BadSetupLink, or ValidationError for a weak password."""
    _valid_token(token)
    try:
        validate_password(password, User(email=email, name=name))
    except WeakPassword as weak:
        raise ValidationError({"password": weak.messages}) from weak


def do_setup(token: str, email: str, name: str, password: str, organization: str, address: str | None = None) -> User:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        _valid_token(token)
        user = User.objects.create_superuser(email, password, name=name)
        first = Organization.objects.create(name=organization)
        Membership.objects.create(user=user, organization=first, role=Membership.Role.ORG_ADMIN)
        SetupToken.objects.all().delete()
        audit.record(
            "platform.set_up",
            actor_id=user.pk,
            actor=user.email,
            organization_id=first.pk,
            target=first.name,
            address=address,
        )
    return user
