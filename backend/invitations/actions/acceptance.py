"""An invitation accepted: by a new account, or by the one that has the address."""

from __future__ import annotations

import structlog
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as WeakPassword
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.exceptions import NotAuthenticated, PermissionDenied, ValidationError

from accounts import policy
from accounts.access import Access
from accounts.models import Membership, User
from accounts.policy import Role
from config.secret_hash import hash_secret
from invitations.actions.invitations import site_roles
from invitations.models import Invitation
from invitations.rules import check_may_invite
from sites.models import SiteAccess


class BadInvitation(PermissionDenied):
    """Ask for a new one; retrying does not help."""

    default_code = "bad_invitation"
    default_detail = "This invitation is not valid any more. Ask whoever invited you for a new one."


class LogInFirst(NotAuthenticated):
    """Log in with the invited address, then accept again."""

    default_code = "log_in_first"
    default_detail = "There is an account with this address. Log in with it, then open the link again."


class OtherAccount(PermissionDenied):
    """Log in with the invited address, then accept again."""

    default_code = "other_account"
    default_detail = "The invitation is for another e-mail address. Log in with that one, then open the link again."


class AccountDisabled(PermissionDenied):
    """Somebody must enable the account first."""

    default_code = "account_disabled"
    default_detail = "The account with this address is disabled. Ask an administrator to enable it."


def find(token: str, lock: bool = False) -> Invitation:
    """The valid one of this token. Unknown, expired, withdrawn and used ones are refused alike: raises BadInvitation.

    So is one whose sender could not make it any more, and one to an organization that is suspended.
    """
    rows = Invitation.objects.opened("the token").select_related("organization", "invited_by").pending()
    if lock:
        rows = rows.select_for_update(of=("self",))
    found = rows.filter(token_hash=hash_secret(token), organization__suspended=None).first()
    if found is None or found.invited_by is None:
        raise BadInvitation
    try:
        check_may_invite(Access.of(found.invited_by), found.organization, found.role, site_roles(found))
    except (PermissionDenied, ValidationError) as reason:
        raise BadInvitation from reason
    return found


def account_of(invitation: Invitation) -> User | None:
    """Who has the invited address."""
    return User.objects.opened("the invited address").filter(email=invitation.email).first()


def check_caller(account: User, caller: Access | None) -> None:
    """An account's invitation is accepted by that account. Raises LogInFirst, OtherAccount or AccountDisabled."""
    if not account.is_active:
        raise AccountDisabled
    if caller is None:
        raise LogInFirst
    if caller.user.pk != account.pk or caller.token is not None:
        raise OtherAccount


def check_new(invitation: Invitation, name: str, password: str) -> None:
    """Raises ValidationError naming `name` or `password`."""
    missing = {field: "This field is required." for field, text in (("name", name), ("password", password)) if not text}
    if missing:
        raise ValidationError(missing)
    try:
        validate_password(password, User(email=invitation.email, name=name))
    except WeakPassword as weak:
        raise ValidationError({"password": weak.messages}) from weak


def do_accept_new(token: str, name: str, password: str) -> User:
    """Make the account. Raises BadInvitation if the link was used meanwhile, LogInFirst if the address is taken."""
    with transaction.atomic():
        invitation = find(token, lock=True)
        try:
            with transaction.atomic():
                user = User.objects.create_user(invitation.email, password, name=name)
        except IntegrityError as taken:
            raise LogInFirst from taken
        with structlog.contextvars.bound_contextvars(user=user.pk):  # from here on somebody acts
            _enter(invitation, user)
    return user


def do_accept(token: str, user: User) -> None:
    """Raises BadInvitation if somebody used the link meanwhile."""
    with transaction.atomic():
        _enter(find(token, lock=True), user)


def _enter(invitation: Invitation, user: User) -> None:
    """Whoever has more already keeps it: an invitation takes nothing away."""
    membership, created = Membership.objects.opened("the invited person's").get_or_create(
        user=user, organization=invitation.organization, defaults={"role": invitation.role}
    )
    if not created and invitation.role == Membership.Role.ORG_ADMIN != membership.role:
        membership.role = invitation.role
        membership.save(update_fields=["role"])
    for site, role in site_roles(invitation):
        access, created = SiteAccess.objects.opened("the invited person's").get_or_create(
            user=user, site=site, defaults={"role": role}
        )
        if not created and policy.strongest([Role(access.role), Role(role)]) != access.role:
            access.role = role
            access.save(update_fields=["role"])
    invitation.accepted, invitation.accepted_by, invitation.token_hash = timezone.now(), user, None
    invitation.save(update_fields=["accepted", "accepted_by", "token_hash"])
