"""Organizations: made, suspended, resumed, and deleted after a grace period in which that can be cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta

import django.db
import redis
import structlog
from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from accounts import belongings
from accounts.belongings import NotYet
from accounts.models import Organization, User
from accounts.system_settings import SystemSettings
from config.problems import Conflict

log = structlog.get_logger()


class DeletionUnderWay(Conflict):
    """It is being deleted already, or the deletion cannot be cancelled any more."""

    default_code = "deletion_under_way"


def check_name(name: str, but: Organization | None = None) -> None:
    """Raises ValidationError naming `name`: organizations are told apart by their names."""
    others = Organization.objects.opened("whether a name is taken").filter(name=name)
    if (others if but is None else others.exclude(pk=but.pk)).exists():
        raise ValidationError({"name": "Another organization has this name; choose a different one."})


def do_create(name: str) -> Organization:
    """Without people: its first org admin is invited."""
    return Organization.objects.create(name=name)


def do_rename(organization: Organization, name: str) -> None:
    organization.name = name
    organization.save(update_fields=["name"])


def do_suspend(organization: Organization) -> None:
    """Its people see nothing of it from now on; its edges go on. Nothing happens if it is suspended."""
    if organization.suspended is None:
        organization.suspended = timezone.now()
        organization.save(update_fields=["suspended"])


def do_resume(organization: Organization) -> None:
    if organization.suspended is not None:
        organization.suspended = None
        organization.save(update_fields=["suspended"])


# Deletion -----------------------------------------------------------------------------------------------------------


def grace_end() -> datetime:
    """When an organization goes whose deletion is asked for now."""
    return timezone.now() + timedelta(days=SystemSettings.load().deletion_grace_days)


def check_deletion(organization: Organization, typed: str) -> None:
    """Raises ValidationError unless the name was typed exactly, DeletionUnderWay if it was asked for before."""
    if typed != organization.name:
        raise ValidationError({"name": "Type the organization's name exactly as it is written."})
    if organization.delete_after is not None:
        raise DeletionUnderWay("Its deletion was asked for before. Cancel that first to begin a new grace period.")


def do_schedule_deletion(organization: Organization) -> None:
    organization.delete_after = grace_end()
    organization.save(update_fields=["delete_after"])


def do_cancel_deletion(organization: Organization) -> None:
    """Raises DeletionUnderWay once the grace period is over."""
    with transaction.atomic():
        row = Organization.objects.opened("the door was opened").select_for_update().get(pk=organization.pk)
        if row.delete_after is not None and row.delete_after <= timezone.now():
            raise DeletionUnderWay("The grace period is over: the organization is being deleted.")
        organization.delete_after = row.delete_after = None
        row.save(update_fields=["delete_after"])


def delete_due() -> None:
    """The worker's job: delete every organization whose grace period is over. Killed anywhere, the next run goes on."""
    failures: list[Exception] = []
    for organization in Organization.objects.filter(delete_after__lte=timezone.now()).order_by("delete_after"):
        try:
            do_delete(organization)
        except NotYet as reason:
            log.info("an organization is not deleted yet", organization=organization.pk, reason=str(reason))
        except (django.db.Error, redis.RedisError) as failure:
            log.error("an organization cannot be deleted", organization=organization.pk, error=type(failure).__name__)
            failures.append(failure)  # the others need not wait for this one
        else:
            log.info("an organization is deleted", organization=organization.pk)
    if failures:
        raise failures[0]


def do_delete(organization: Organization) -> None:
    """With everything that belongs to it; the audit log stays. Raises NotYet, and what the databases raise."""
    do_suspend(organization)  # nobody sees it half deleted
    for app in belongings.upwards():
        app.stop(organization)
    for app in belongings.downwards():
        app.remove(organization)


def only_here(organization: Organization) -> list[User]:
    """The people who lose their last organization with it: nothing would be left to log in for.

    Platform admins and developers have something.
    """
    people = User.objects.opened("of one organization").filter(memberships__organization=organization)
    elsewhere = Organization.objects.opened("all others").exclude(pk=organization.pk)
    return list(
        people.filter(is_active=True, is_superuser=False, is_developer=False).exclude(
            memberships__organization__in=elsewhere
        )
    )
