"""What a platform admin decides for the whole installation: one row, typed, with defaults that are good as they are."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q


def days(default: int, most: int) -> models.PositiveSmallIntegerField[int, int]:
    """A number of days from 1 to `most`."""
    return models.PositiveSmallIntegerField(default=default, validators=[MinValueValidator(1), MaxValueValidator(most)])


class SystemSettings(models.Model):
    """Read it with `SystemSettings.load()`: one query by primary key, never stale."""

    require_two_factor = models.BooleanField(
        "platform admins need a second factor",
        default=False,
        help_text="A platform admin without one can log in only to set it up.",
    )
    support_email = models.EmailField(
        blank=True, default="", help_text="Where people are told to ask for help; in e-mails of the product."
    )
    invitation_days = days(default=7, most=30)
    deletion_grace_days = days(default=7, most=90)

    class Meta:
        verbose_name = verbose_name_plural = "system settings"
        constraints = (models.CheckConstraint(condition=Q(pk=1), name="one_row_of_system_settings"),)

    def __str__(self) -> str:
        return "System settings"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)

    @staticmethod
    def load() -> SystemSettings:
        """The settings; the defaults (not yet saved) where nobody has ever changed one."""
        return SystemSettings.objects.filter(pk=1).first() or SystemSettings(pk=1)
