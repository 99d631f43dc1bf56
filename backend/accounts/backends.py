"""Passwords are checked here only, for the API and for the Django admin alike, so no way in forgets the limits."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest

from accounts import two_factor
from accounts.models import User
from accounts.throttles import Guesses


class PasswordBackend(ModelBackend):
    """E-mail and password -> User.

    An unknown address, a wrong password, a disabled and a service account answer alike, in words and in time: a
    password is hashed for each.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """None if it is wrong. Raises TooManyGuesses. Without a request there is no one to count."""
        if username is None or password is None:
            return None
        email = username.strip().lower()
        user = User.objects.opened("login").filter(email=email).first()
        guesses = Guesses(request, "password", email, user) if request is not None else None
        if guesses is not None:
            guesses.check()
        if right_password(user, password) and user is not None and self.user_can_authenticate(user):
            if guesses is not None:
                guesses.succeeded()
            return user
        if guesses is not None:
            guesses.failed()
        return None

    def user_can_authenticate(self, user: AbstractBaseUser | AnonymousUser | None) -> bool:
        """Asked at a login, and at every request with a session of the admin."""
        return isinstance(user, User) and user.is_active and not user.is_service

    def get_user(self, user_id: int) -> User | None:
        """Of a session of the admin, which ends when a second factor is asked for and there is none."""
        user = super().get_user(user_id)
        return None if user is None or two_factor.missing(user) else user


def right_password(user: User | None, password: str) -> bool:
    """Hashes the password for nobody too."""
    if user is None:
        User().set_password(password)
        return False
    return user.check_password(password)


def unproven(name: str) -> str:
    """What the audit log may keep of a name that somebody typed at a login: an e-mail address. Anything else may be a
    password in the wrong field, or pass for an edge or a command in the log."""
    try:
        validate_email(name)
    except ValidationError:
        return ""
    return name
