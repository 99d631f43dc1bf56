"""Invitations by e-mail: whom, to which organization, as what, and with which roles on its sites."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.access import Access, access_of
from accounts.models import Membership, Organization, User
from accounts.policy import SITE_ROLES
from config.guard import GuardedModel, GuardedQuerySet
from sites.models import TenantRow


class State(models.TextChoices):
    """Of an invitation, as people see it."""

    PENDING = "pending"
    EXPIRED = "expired"
    ACCEPTED = "accepted"


class Delivery(models.TextChoices):
    """Of its e-mail. `refused`: the mail server does not take this address; correct it with a new invitation."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"


class InvitationQuerySet(GuardedQuerySet["Invitation"]):
    def visible_to(self, who: User | Access) -> Self:
        """Those of the organizations that the caller administers, and the caller's own."""
        access = access_of(who)
        if access.token is not None:
            return self.opened("a token sees no invitations").none()
        if access.platform_admin:
            return self.opened("platform admin")
        own = Q(invited_by=access.user.pk, organization__in=access.organizations)
        return self.opened("the caller's").filter(own | Q(organization__in=access.administered))

    def pending(self) -> Self:
        return self.filter(accepted=None, expires__gt=timezone.now())

    def expired(self) -> Self:
        return self.filter(accepted=None, expires__lte=timezone.now())


class Invitation(GuardedModel):
    """Good once, for one address, until `expires`. Only a hash of the token in its link is stored.

    The worker makes the token when it sends the e-mail: while `token_hash` is null no link is good.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=20, choices=Membership.Role.choices, default=Membership.Role.MEMBER)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    token_hash = models.CharField(max_length=64, null=True, unique=True, editable=False)
    created = models.DateTimeField(default=timezone.now, editable=False)
    expires = models.DateTimeField()
    sent = models.DateTimeField(null=True, editable=False)
    refused = models.DateTimeField(null=True, editable=False)
    accepted = models.DateTimeField(null=True, editable=False)
    accepted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "email"], condition=Q(accepted=None), name="one_open_invitation_each"
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="invitation_email_is_lower_case"),
        )

    def __str__(self) -> str:
        return f"invitation {self.pk} to {self.organization}"

    @property
    def state(self) -> State:
        if self.accepted is not None:
            return State.ACCEPTED
        return State.EXPIRED if self.expires <= timezone.now() else State.PENDING

    @property
    def delivery(self) -> Delivery:
        if self.refused is not None:
            return Delivery.REFUSED
        return Delivery.WAITING if self.sent is None else Delivery.SENT


class InvitedSite(TenantRow):
    """A role on a site that comes with the invitation."""

    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="sites")
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in SITE_ROLES])

    class Meta:
        ordering = ("site_id",)
        constraints = (models.UniqueConstraint(fields=["invitation", "site"], name="one_invited_role_per_site"),)

    def __str__(self) -> str:
        return f"{self.invitation}: {self.role} of {self.site}"
