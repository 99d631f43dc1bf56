"""People and their organizations. Roles on single sites are in `sites.models.SiteAccess`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """Someone who logs in with an e-mail address.

    `is_superuser` is the platform admin; `is_developer` stands beside the roles and opens no production data.
    """

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    is_superuser = models.BooleanField("platform admin", default=False)
    is_developer = models.BooleanField("developer", default=False)
    created = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        ordering = ("email",)
        constraints = (
            models.UniqueConstraint(Lower("email"), name="user_email_ignores_case"),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_is_lower_case"),
        )

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        self.email = self.email.strip().lower()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.clean()
        with transaction.atomic():  # what a change of password or state entails belongs to the change
            super().save(*args, **kwargs)

    # The Django admin asks these; only a platform admin may enter it.

    @property
    def is_staff(self) -> bool:
        return self.is_superuser

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_active and self.is_superuser

    def has_perms(self, perms: Iterable[str], obj: object = None) -> bool:
        return self.is_active and self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_superuser


class Organization(models.Model):
    name = models.CharField(max_length=200, unique=True)
    created = models.DateTimeField(default=timezone.now, editable=False)
    members = models.ManyToManyField(User, through="Membership", related_name="organizations")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user belongs to an organization. An org admin has every site of it; a member those of a SiteAccess."""

    class Role(models.TextChoices):
        ORG_ADMIN = "org_admin"
        MEMBER = "member"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.MEMBER)

    class Meta:
        ordering = ("organization__name", "user__email")
        constraints = (models.UniqueConstraint(fields=["user", "organization"], name="one_membership_each"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}: {self.role}"


class LoginSession(models.Model):
    """One login and the chain of refresh tokens that came from it (their family).

    Only the newest token of the chain may be used. Another one that was ours is a stolen or replayed token, and
    ends the whole family. No token is stored, only the ids (`jti`) of the newest and of the one before it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_sessions")
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    current = models.UUIDField(default=uuid.uuid4)
    previous = models.UUIDField(null=True)
    rotated = models.DateTimeField(default=timezone.now)
    revoked = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created",)

    def __str__(self) -> str:
        return f"session of {self.user} since {self.created:%Y-%m-%d %H:%M}"


class SetupToken(models.Model):
    """The one-time link for the first platform admin. Only a hash of the token is stored."""

    token_hash = models.CharField(max_length=64, unique=True)
    expires = models.DateTimeField()
    created = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"setup link until {self.expires:%Y-%m-%d %H:%M}"
