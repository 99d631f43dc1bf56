"""The second factor: codes of an authenticator (TOTP), and recovery codes for when it is lost.

django-otp keeps both. A code is good once: the time step of the last one is remembered, a recovery code is deleted.
Recovery codes are stored as a keyed hash. Guesses are counted in `accounts.throttles`.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

import audit
from accounts.models import SystemSettings, User
from accounts.throttles import Guesses

_TOTP = re.compile(r"[0-9]{6}\Z")


class CodeNeeded(AuthenticationFailed):
    """The password is right. Send the same again, with a code."""

    default_code = "code_needed"
    default_detail = "Enter the code of your authenticator, or a recovery code."


class WrongCode(AuthenticationFailed):
    """Each code is good once; wait for the next one."""

    default_code = "wrong_code"
    default_detail = "This code is wrong, or it was used before. Wait for the next one."


class TwoFactorNeeded(PermissionDenied):
    """Set the second factor up first: POST /api/auth/two-factor."""

    default_code = "two_factor_needed"
    default_detail = "Platform admins need a second factor here. Set it up first."


def enabled(user: User) -> bool:
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def missing(user: User) -> bool:
    """True for a platform admin without one, where the system settings ask for it."""
    return user.is_superuser and SystemSettings.load().require_two_factor and not enabled(user)


def check_code(request: HttpRequest | Request, user: User, code: str) -> None:
    """Uses the code up. Raises WrongCode or TooManyGuesses."""
    guesses = Guesses(request, "code", user.email, user)
    guesses.check()
    if not _verify(user, code):
        guesses.failed()
        audit.denied("two_factor.failed", actor_id=user.pk, actor=user.email)
        raise WrongCode
    guesses.succeeded()


def recovery_hash(user: User, code: str) -> str:
    """Sixteen characters, as many as django-otp keeps."""
    text = f"{user.pk} {_plain(code)}".encode()
    return hmac.digest(settings.RECOVERY_CODE_KEY.encode(), text, hashlib.sha256).hex()[:16]


def recovery_codes_left(user: User) -> int:
    return sum(device.token_set.count() for device in StaticDevice.objects.filter(user=user))


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", code).lower()


def _verify(user: User, code: str) -> bool:
    """Locks the row, so that two requests with the same code are not both let in."""
    with transaction.atomic():
        if _TOTP.match(_plain(code)):
            totp = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
            return totp is not None and bool(totp.verify_token(_plain(code)))
        static = StaticDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
        return static is not None and bool(static.verify_token(recovery_hash(user, code)))
