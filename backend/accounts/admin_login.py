"""Log in to the Django admin: the same password check, limits and second factor as everywhere."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

import audit
from accounts import two_factor
from accounts.backends import unproven
from accounts.models import User
from accounts.throttles import TooManyGuesses


class AdminLoginForm(AdminAuthenticationForm):
    """`code` is asked of accounts with a second factor only, after the password was right."""

    code = forms.CharField(
        required=False,
        max_length=200,
        label="Code of your authenticator",
        help_text="Or a recovery code. Leave it empty if you have no second factor.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def clean(self) -> dict[str, Any]:
        name = str(self.cleaned_data.get("username", "")).strip().lower()
        try:
            cleaned: dict[str, Any] = super().clean()
        except TooManyGuesses as limit:
            audit.denied("access.limited", actor=unproven(name), target="the admin")
            raise ValidationError(str(limit.detail), code="throttled") from limit
        except ValidationError as refused:
            if getattr(refused, "code", None) == "invalid_login":
                audit.denied("login.failed", actor=unproven(name), target="the admin")
            raise
        if isinstance(self.user_cache, User):
            audit.record("login.succeeded", actor_id=self.user_cache.pk, actor=name, target="the admin")
        return cleaned

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if self.request is None:
            raise ValidationError("Log in with a browser.", code="invalid_login")
        if two_factor.missing(user):
            raise ValidationError("Platform admins need a second factor here. Set it up in the product first.")
        if not two_factor.enabled(user):
            return
        code = self.cleaned_data.get("code", "").strip()
        if not code:
            raise ValidationError({"code": str(two_factor.CodeNeeded.default_detail)}, code="code_needed")
        try:
            two_factor.check_code(self.request, user, code)
        except two_factor.WrongCode as wrong:
            raise ValidationError({"code": str(wrong.detail)}, code="wrong_code") from wrong
