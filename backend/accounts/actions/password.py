"""Passwords: changed by who knows the old one, or set anew by who reads the account's e-mail.

A change of password ends every session and socket of the account: a database trigger sees to that, whoever makes it.
"""

from __future__ import annotations

import secrets
import smtplib
from datetime import timedelta

import structlog
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as WeakPassword
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request

import audit
from accounts import tokens
from accounts.backends import right_password
from accounts.models import AccessToken, PasswordReset, SystemSettings, User
from accounts.throttles import Guesses
from config.addresses import Origin
from config.secret_hash import hash_secret

LIFETIME = timedelta(hours=1)
LIVE_LINKS = 3
"""Of one account at a time, so that nobody's mailbox is flooded."""
CHANNEL = "password_resets"
"""A NOTIFY on it tells the worker that an e-mail is due."""
_AT_ONCE = 100

log = structlog.get_logger()


class BadResetLink(PermissionDenied):
    """Ask for a new link; retrying does not help."""

    default_code = "bad_reset_link"
    default_detail = "This link is not valid any more. Ask for a new one."


def check_new_password(field: str, password: str, user: User) -> None:
    """Raises ValidationError with every weakness, in words."""
    try:
        validate_password(password, user)
    except WeakPassword as weak:
        raise ValidationError({field: weak.messages}) from weak


# Changed by who knows the old one ------------------------------------------------------------------------------------


def check_change(request: HttpRequest | Request, user: User, current: str, new: str) -> None:
    """Raises ValidationError or TooManyGuesses."""
    guesses = Guesses(request, "password", user.email, user)
    guesses.check()
    if not right_password(user, current):
        guesses.failed()
        audit.denied("password.failed", actor_id=user.pk, actor=user.email)
        raise ValidationError({"current": "This is not your password."})
    guesses.succeeded()
    if new == current:
        raise ValidationError({"new": "This is the password that you have. Choose another."})
    check_new_password("new", new, user)


def do_change(user: User, new: str, origin: Origin) -> tokens.Tokens:
    """-> a new session, the only one that is left."""
    with transaction.atomic():
        _set(user, new)
        audit.record("password.changed", actor_id=user.pk, actor=user.email, address=origin.address)
        return tokens.start(user, origin)


# Forgotten -----------------------------------------------------------------------------------------------------------


def do_forget(email: str) -> None:
    """Notes that a link is wanted, without a look at who that is: the answer and its time say nothing."""
    with transaction.atomic(), connection.cursor() as cursor:
        PasswordReset.objects.create(email=email)
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def send_links() -> None:
    """The worker's job. A link that cannot be sent now is tried again for as long as it would have been good."""
    PasswordReset.objects.filter(created__lt=timezone.now() - 2 * LIFETIME).delete()
    waiting = PasswordReset.objects.filter(token_hash=None, created__gt=timezone.now() - LIFETIME)
    for pk in waiting.values_list("pk", flat=True)[:_AT_ONCE]:
        try:
            _send(pk)
        except (smtplib.SMTPException, OSError) as error:
            log.error("an e-mail is not sent", kind="password reset", error=type(error).__name__)
            return


def _send(pk: int) -> None:
    """One at a time: what was sent is committed before the next, and another worker's is left alone."""
    with transaction.atomic():
        request = PasswordReset.objects.select_for_update(skip_locked=True).filter(pk=pk, token_hash=None).first()
        if request is None:
            return
        user = User.objects.filter(email=request.email, is_active=True, is_service=False).first()
        if user is None or _live(user) >= LIVE_LINKS:
            request.delete()
            return
        token = secrets.token_urlsafe(32)
        try:
            _message(user, token).send()
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError, ValueError) as error:  # this one alone
            log.warning("an address cannot be written to", user=user.pk, error=type(error).__name__)
            request.delete()
            return
        request.user, request.token_hash = user, hash_secret(token)
        request.expires = timezone.now() + LIFETIME
        request.save(update_fields=["user", "token_hash", "expires"])
    log.info("password reset sent", user=user.pk)


def _live(user: User) -> int:
    return PasswordReset.objects.filter(user=user, expires__gt=timezone.now()).count()


def _message(user: User, token: str) -> EmailMessage:
    """Without the person's name, which others may choose: no sentence of theirs goes out as ours."""
    help_at = SystemSettings.load().support_email
    text = f"""Hello,

somebody, probably you, asked for a new password for {user.email}. Set it here within an hour:

{settings.PUBLIC_URL}/reset-password#token={token}

If it was not you, do nothing: without this link nothing changes.{f" Questions: {help_at}" if help_at else ""}

SimTestLab EMS, {settings.PUBLIC_URL}
"""
    return EmailMessage("Set a new password", text, to=[user.email])


def check_reset(token: str, new: str) -> None:
    """Raises BadResetLink, or ValidationError for a weak password, which leaves the link good."""
    check_new_password("new", new, _valid(token))


def do_reset(token: str, new: str, origin: Origin) -> User:
    """Ends every session. The link, and every other one of this account, is used up."""
    with transaction.atomic():
        user = _valid(token)
        locked = User.objects.opened("the link's").select_for_update(of=("self",)).get(pk=user.pk)
        _valid(token)  # again, now that nobody else can use it meanwhile
        _set(locked, new)
        audit.record("password.reset", actor_id=user.pk, actor=user.email, address=origin.address)
    return user


def _valid(token: str) -> User:
    found = PasswordReset.objects.select_related("user").filter(token_hash=hash_secret(token)).first()
    if found is None or found.user is None or found.expires is None or found.expires <= timezone.now():
        raise BadResetLink
    if not found.user.is_active or found.user.email != found.email:
        raise BadResetLink
    return found.user


def _set(user: User, password: str) -> None:
    """Links to set another one are void with it, and so are the account's own access tokens.

    Whoever learned the old password may have made some. An organization's tokens are no person's.
    """
    user.set_password(password)
    user.save(update_fields=["password"])
    own = AccessToken.objects.opened("the account's own").filter(user=user, organization=None, revoked=None)
    own.update(revoked=timezone.now())
    PasswordReset.objects.filter(user=user).delete()
