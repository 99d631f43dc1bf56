"""Set the second factor up, and take it away."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field

import segno
from django.db import transaction
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

import audit
from accounts import two_factor
from accounts.backends import right_password
from accounts.models import User
from accounts.throttles import Guesses
from config.problems import Conflict

RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is taken for something else on paper


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator needs: the secret in base32 to type, or the same as an address and as a picture (SVG)."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    qr: str = field(repr=False)


def do_start(user: User) -> Enrolment:
    """A new secret, not asked for until it is confirmed; an older unconfirmed one is void. Raises Conflict."""
    with transaction.atomic():
        _lock(user)
        if two_factor.enabled(user):
            raise Conflict("The second factor is on already. Turn it off first to set it up anew.", code="enabled")
        TOTPDevice.objects.filter(user=user, confirmed=False).delete()
        device = TOTPDevice.objects.create(user=user, name="Authenticator", confirmed=False)
    secret = base64.b32encode(device.bin_key).decode()
    picture = segno.make(device.config_url, micro=False, error="m")
    return Enrolment(secret, device.config_url, picture.svg_inline(scale=5, border=2))


def check_confirm(request: HttpRequest | Request, user: User, password: str) -> None:
    """The password proves the owner: whoever only holds a session must not lock the owner out with a factor of theirs.

    Raises Conflict, ValidationError or TooManyGuesses.
    """
    if not TOTPDevice.objects.filter(user=user, confirmed=False).exists():
        raise _not_started()
    check_owner(request, user, password)


def do_confirm(request: HttpRequest | Request, user: User, code: str) -> list[str]:
    """Turns it on, once the first code has shown that the authenticator works. -> the recovery codes, shown once.

    Raises ValidationError, Conflict or TooManyGuesses.
    """
    guesses = Guesses(request, "code", user.email, user)
    guesses.check()
    with transaction.atomic():
        _lock(user)
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        if device is None:
            raise _not_started()
        right = device.verify_token("".join(code.split()))
        if right:
            device.confirmed = True
            device.save(update_fields=["confirmed"])
            codes = _new_recovery_codes(user)
            audit.record("two_factor.enabled", target=user.email)
    if not right:
        guesses.failed()
        raise ValidationError({"code": "This code is wrong. Check the clock of your device and enter the next one."})
    guesses.succeeded()
    return codes


def check_disable(request: HttpRequest | Request, user: User, password: str, code: str) -> None:
    """Either proves it is the owner. Raises ValidationError, WrongCode or TooManyGuesses."""
    if code:
        two_factor.check_code(request, user, code)
        return
    if not password:
        raise ValidationError({"password": "Enter your password, or a code of your authenticator as `code`."})
    check_owner(request, user, password)


def check_owner(request: HttpRequest | Request, user: User, password: str) -> None:
    """Raises ValidationError or TooManyGuesses."""
    guesses = Guesses(request, "password", user.email, user)
    guesses.check()
    if not right_password(user, password):
        guesses.failed()
        audit.denied("password.failed", actor_id=user.pk, actor=user.email)
        raise ValidationError({"password": "This is not your password."})
    guesses.succeeded()


def do_disable(user: User) -> None:
    """Takes the authenticator and the recovery codes away; harmless where there are none."""
    with transaction.atomic():
        _lock(user)
        deleted, _ = TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
        if deleted:
            audit.record("two_factor.disabled", target=user.email)


def _not_started() -> Conflict:
    return Conflict("There is nothing to confirm. Start the set-up first.", code="not_started")


def _lock(user: User) -> None:
    """One change of a user's second factor at a time."""
    User.objects.opened("the caller").select_for_update(of=("self",)).get(pk=user.pk)


def _new_recovery_codes(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="Recovery codes")
    codes = [f"{_random(5)}-{_random(5)}" for _ in range(RECOVERY_CODES)]
    for code in codes:
        device.token_set.create(token=two_factor.recovery_hash(user, code))
    return codes


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
