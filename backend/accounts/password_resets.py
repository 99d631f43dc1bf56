"""What is kept of a forgotten password: who asked, and a hash of the secret of the link that was sent."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class PasswordReset(models.Model):
    """One request. It is the same row whether or not anybody has the address, so the answer takes as long.

    The worker looks the address up, sends the link and fills in `user`, `token_hash` and `expires`, or deletes the
    row. A used link is deleted, with all others of its user.
    """

    email = models.CharField(max_length=254)
    created = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="password_resets"
    )
    token_hash = models.CharField(max_length=64, null=True, unique=True)
    expires = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"password reset {self.pk}"
