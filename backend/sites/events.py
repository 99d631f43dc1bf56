"""A role that begins, changes or ends is written into the audit log. (Announcing it is the outbox's work.)"""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete, post_save, pre_save

import audit
from accounts.models import Membership
from sites.models import SiteAccess

_BEFORE = "_role_before_save"


def _remember(sender: type[Model], instance: Membership | SiteAccess, **_: Any) -> None:
    row = sender._base_manager.filter(pk=instance.pk).values_list("role", flat=True).first()
    instance.__dict__[_BEFORE] = row


def _saved(sender: type[Model], instance: Membership | SiteAccess, created: bool, **_: Any) -> None:
    _record(sender, instance, "created" if created else "changed", instance.__dict__.get(_BEFORE), instance.role)


def _deleted(sender: type[Model], instance: Membership | SiteAccess, **_: Any) -> None:
    _record(sender, instance, "deleted", instance.role, None)


def _record(
    sender: type[Model], row: Membership | SiteAccess, verb: str, before: str | None, after: str | None
) -> None:
    audit.record(
        f"{sender._meta.model_name}.{verb}",
        organization_id=row.organization_id,
        site_id=row.site_id if isinstance(row, SiteAccess) else None,
        target=str(row.user),
        before=before,
        after=after,
    )


def connect() -> None:
    """Called once, when the apps are ready."""
    for model in (Membership, SiteAccess):
        pre_save.connect(_remember, sender=model, dispatch_uid="roles:remember")
        post_save.connect(_saved, sender=model, dispatch_uid="roles:saved")
        post_delete.connect(_deleted, sender=model, dispatch_uid="roles:deleted")
