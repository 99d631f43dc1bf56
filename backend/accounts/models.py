"""People and their organizations. Roles on single sites are in `sites.models.SiteAccess`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.password_resets import PasswordReset as PasswordReset  # noqa: PLC0414 - re-exported
from accounts.policy import DEFAULT_SCOPES, Scope
from accounts.system_settings import SystemSettings as SystemSettings  # noqa: PLC0414 - re-exported
from config.guard import GuardedModel, GuardedQuerySet

if TYPE_CHECKING:  # it is made of these models
    from accounts.access import Access


def _access(who: User | Access) -> Access:
    from accounts.access import access_of

    return access_of(who)


class UserQuerySet(GuardedQuerySet["User"]):
    def visible_to(self, who: User | Access) -> Self:
        """The caller, and the people of the organizations that the caller administers."""
        access = _access(who)
        if access.platform_admin:
            return self.opened("platform admin")
        own = Q(pk=access.user.pk) if access.user.is_active else Q(pk=None)
        if access.token is None:
            own |= Q(pk__in=Membership.objects.filter(organization__in=access.administered).values("user"))
        return self.opened("the caller and the people they administer").filter(own)


class OrganizationQuerySet(GuardedQuerySet["Organization"]):
    def visible_to(self, who: User | Access) -> Self:
        """The caller's organizations; a platform admin's are all."""
        access = _access(who)
        if access.platform_admin:
            return self.opened("platform admin")
        return self.opened("the caller's organizations").filter(pk__in=access.organizations)


class MembershipQuerySet(GuardedQuerySet["Membership"]):
    def visible_to(self, who: User | Access) -> Self:
        """The caller's own, and those of the organizations that the caller administers."""
        access = _access(who)
        if access.platform_admin:
            return self.opened("platform admin")
        own = Q(user=access.user.pk, organization__in=access.organizations)
        if access.token is None:
            own |= Q(organization__in=access.administered)
        return self.opened("the caller's organizations").filter(own)


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def opened(self, reason: str) -> UserQuerySet:
        return self.get_queryset().opened(reason)

    def visible_to(self, who: User | Access) -> UserQuerySet:
        return self.get_queryset().visible_to(who)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.opened("login").get(email=(username or "").strip().lower())


class User(AbstractBaseUser, GuardedModel):
    """Someone who logs in with an e-mail address, or a service account, which has no password and never logs in.

    `is_superuser` is the platform admin; `is_developer` stands beside the roles and opens no production data. An
    erased person keeps the row, under a pseudonym.
    """

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    is_superuser = models.BooleanField("platform admin", default=False)
    is_developer = models.BooleanField("developer", default=False)
    is_service = models.BooleanField("service account", default=False, editable=False)
    erased = models.DateTimeField(null=True, editable=False)
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


class Organization(GuardedModel):
    """A tenant. While it is suspended its people see nothing of it and its edges go on measuring.

    A sandbox holds test data only. `delete_after` ends the grace period of a deletion that was asked for.
    """

    name = models.CharField(max_length=200, unique=True)
    is_sandbox = models.BooleanField("sandbox", default=False, editable=False)
    suspended = models.DateTimeField(null=True, editable=False)
    delete_after = models.DateTimeField(null=True, editable=False)
    created = models.DateTimeField(default=timezone.now, editable=False)
    members = models.ManyToManyField(User, through="Membership", related_name="organizations")

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Membership(GuardedModel):
    """A user belongs to an organization. An org admin has every site of it; a member those of a SiteAccess."""

    class Role(models.TextChoices):
        ORG_ADMIN = "org_admin"
        MEMBER = "member"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.MEMBER)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ("organization__name", "user__email")
        constraints = (models.UniqueConstraint(fields=["user", "organization"], name="one_membership_each"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}: {self.role}"


class LoginSession(models.Model):
    """One login and the chain of refresh tokens that came from it (their family).

    Only the newest token of the chain may be used. Another one that was ours is a stolen or replayed token, and
    ends the whole family. No token is stored, only the ids (`jti`) of the newest and of the one before it.
    `address` and `user_agent` are those of the last rotation, `rotated`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_sessions")
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    current = models.UUIDField(default=uuid.uuid4)
    previous = models.UUIDField(null=True)
    rotated = models.DateTimeField(default=timezone.now)
    revoked = models.DateTimeField(null=True)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, default="")

    class Meta:
        ordering = ("-created",)

    def __str__(self) -> str:
        return f"session of {self.user} since {self.created:%Y-%m-%d %H:%M}"


def _default_scopes() -> list[str]:
    return [scope.value for scope in DEFAULT_SCOPES]


class AccessTokenQuerySet(GuardedQuerySet["AccessToken"]):
    def visible_to(self, who: User | Access) -> Self:
        """The caller's own personal ones, and those of the organizations that the caller administers."""
        access = _access(who)
        if access.token is not None:
            return self.opened("a token sees no tokens").none()
        if access.platform_admin:
            return self.opened("platform admin")
        own = Q(user=access.user.pk) | Q(organization__in=access.administered)
        return self.opened("the caller's and their organizations'").filter(own)


class AccessToken(GuardedModel):
    """An integrator's credential, `emt_<user>_<prefix>_<secret>`; only a hash of the secret is stored.

    It acts as `user`, narrowed to its scopes, to `sites` (ids; None: all of the user's) and, for an organization's
    token, to that organization. An organization's token acts as a service account of its own.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_tokens")
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="access_tokens"
    )
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=10, choices=[(s.value, s.value) for s in Scope]), default=_default_scopes
    )
    sites = ArrayField(models.BigIntegerField(), null=True, blank=True)
    created = models.DateTimeField(default=timezone.now, editable=False)
    expires = models.DateTimeField()
    last_used = models.DateTimeField(null=True, editable=False)
    revoked = models.DateTimeField(null=True, editable=False)

    objects = AccessTokenQuerySet.as_manager()

    class Meta:
        ordering = ("-created",)

    def __str__(self) -> str:
        return f"token {self.name} ({self.prefix})"

    def __repr__(self) -> str:
        return f"<AccessToken {self.pk} {self.prefix}>"


class AccessChange(models.Model):
    """The outbox: somebody's access changed. Written by database triggers, in the transaction of the change.

    The worker raises the user's epoch in Redis, announces it and deletes the row.
    """

    user_id = models.BigIntegerField()
    reason = models.CharField(max_length=100)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"access of user {self.user_id}: {self.reason}"


class SetupToken(models.Model):
    """The one-time link for the first platform admin. Only a hash of the token is stored."""

    token_hash = models.CharField(max_length=64, unique=True)
    expires = models.DateTimeField()
    created = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"setup link until {self.expires:%Y-%m-%d %H:%M}"
