"""A second factor for tests: an authenticator in a few lines."""

from __future__ import annotations

import time

from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User


def give_second_factor(user: User) -> TOTPDevice:
    return TOTPDevice.objects.create(user=user, name="Authenticator", confirmed=True)


def code_of(user: User, steps_ahead: int = 0) -> str:
    """Of now, or of the 30 s after: both are good, each once."""
    device = TOTPDevice.objects.get(user=user)
    authenticator = TOTP(device.bin_key)
    authenticator.time = time.time() + 30 * steps_ahead
    return f"{authenticator.token():06}"
