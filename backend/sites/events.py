"""After a change of access: raise the user's epoch in Redis and say so, once the change is committed.

Every save and delete of the models that decide access comes through here, whoever made it: the API, the admin or
a command. An epoch raised makes every grant cached before it void; the event tells open sockets at once. If Redis
does not answer, the change still holds in Django and a cached grant ends with its TTL.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import redis
import structlog
from django.db import transaction
from django.db.models import Model, Q
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

from accounts import tokens
from accounts.models import LoginSession, Membership, User
from config.redis import client
from ems_contract import PROTOCOL_VERSION, keys
from ems_contract.access import AccessEvent
from sites.models import Device, Edge, Site, SiteAccess

log = structlog.get_logger()


def access_changed(users: Iterable[int], reason: str) -> None:
    """Call inside the transaction of the change; acts after its commit."""
    for user in sorted(set(users)):
        transaction.on_commit(lambda user=user: _raise_epoch(user, reason))  # type: ignore[misc]


def config_changed(edge_id: int) -> None:
    """The edge's devices changed: it opens its session again and takes the new configuration."""
    transaction.on_commit(lambda: _publish(keys.config_changed_channel(edge_id), b"{}"))


def _raise_epoch(user: int, reason: str) -> None:
    try:
        epoch = int(client().incr(keys.user_epoch(user)))  # type: ignore[arg-type]
    except redis.RedisError as error:
        log.error("a change of access is not announced", user=user, reason=reason, error=type(error).__name__)
        return
    event = AccessEvent(v=PROTOCOL_VERSION, user=user, epoch=epoch, reason=reason)
    _publish(keys.permission_changed_channel(user), msgspec.json.encode(event))


def _publish(channel: str, message: bytes) -> None:
    try:
        client().publish(channel, message)
    except redis.RedisError as error:
        log.error("an event is not published", channel=channel, error=type(error).__name__)


def people_of(site: Site) -> set[int]:
    """The users whose grant names this site."""
    admins = Membership.objects.filter(organization_id=site.organization_id, role=Membership.Role.ORG_ADMIN)
    return {
        *admins.values_list("user_id", flat=True),
        *SiteAccess.objects.filter(site=site).values_list("user_id", flat=True),
        *User.objects.filter(is_superuser=True).values_list("pk", flat=True),
    }


# What decides access ------------------------------------------------------------------------------------------------

_USER_FIELDS = ("password", "is_active", "is_superuser", "is_developer", "email", "name")
_SITE_FIELDS = ("name", "organization_id", "operators_may_control")


def _before(instance: Model, fields: tuple[str, ...]) -> dict[str, Any] | None:
    """The row as it is in the database; None for a new one."""
    return type(instance)._default_manager.filter(pk=instance.pk).values(*fields).first()


def _changed(instance: Model, fields: tuple[str, ...]) -> set[str]:
    before = _before(instance, fields)
    return set() if before is None else {name for name in fields if before[name] != getattr(instance, name)}


def _user_before_save(sender: type[User], instance: User, **_: Any) -> None:
    instance._access_changes = _changed(instance, _USER_FIELDS)  # type: ignore[attr-defined]


def _user_saved(sender: type[User], instance: User, **_: Any) -> None:
    changes: set[str] = getattr(instance, "_access_changes", set())
    if not changes:
        return
    if "password" in changes or not instance.is_active:
        tokens.revoke_all(instance)
    access_changed([instance.pk], f"user changed: {', '.join(sorted(changes))}")


def _own_row_changed(sender: type[Model], instance: Membership | SiteAccess, **_: Any) -> None:
    access_changed([instance.user_id], f"{sender._meta.verbose_name} changed")


def _user_deleted(sender: type[User], instance: User, **_: Any) -> None:
    access_changed([instance.pk], "user deleted")


def _session_saved(sender: type[LoginSession], instance: LoginSession, **_: Any) -> None:
    if instance.revoked is not None:
        access_changed([instance.user_id], "session ended")


def _row_before_save(sender: type[Model], instance: Membership | SiteAccess, **_: Any) -> None:
    """A row that is handed from one user to another changes the access of both."""
    before = _before(instance, ("user_id",))
    if before is not None and before["user_id"] != instance.user_id:
        access_changed([before["user_id"]], f"{sender._meta.verbose_name} changed")


def _site_before_save(sender: type[Site], instance: Site, **_: Any) -> None:
    changes = _changed(instance, _SITE_FIELDS)
    instance._access_changes = changes  # type: ignore[attr-defined]
    if "organization_id" in changes:
        access_changed(people_of(Site.objects.get(pk=instance.pk)), "site moved")


def _site_saved(sender: type[Site], instance: Site, created: bool, **_: Any) -> None:
    if created or getattr(instance, "_access_changes", set()):
        access_changed(people_of(instance), "site changed")


def _site_going(sender: type[Site], instance: Site, **_: Any) -> None:
    access_changed(people_of(instance), "site deleted")


def _devices_changed(sender: type[Device], instance: Device, **_: Any) -> None:
    config_changed(instance.edge_id)


def _device_before_save(sender: type[Device], instance: Device, **_: Any) -> None:
    before = _before(instance, ("edge_id",))
    if before is not None and before["edge_id"] != instance.edge_id:
        config_changed(before["edge_id"])


def _edge_before_save(sender: type[Edge], instance: Edge, **_: Any) -> None:
    if _changed(instance, ("poll_interval",)):
        config_changed(instance.pk)


def connect() -> None:
    """Called once, when the apps are ready."""
    for signal, model, receiver in (
        (pre_save, User, _user_before_save),
        (post_save, User, _user_saved),
        (post_delete, User, _user_deleted),
        (pre_save, Membership, _row_before_save),
        (post_save, Membership, _own_row_changed),
        (post_delete, Membership, _own_row_changed),
        (pre_save, SiteAccess, _row_before_save),
        (post_save, SiteAccess, _own_row_changed),
        (post_delete, SiteAccess, _own_row_changed),
        (post_save, LoginSession, _session_saved),
        (pre_save, Site, _site_before_save),
        (post_save, Site, _site_saved),
        (pre_delete, Site, _site_going),
        (pre_save, Device, _device_before_save),
        (post_save, Device, _devices_changed),
        (post_delete, Device, _devices_changed),
        (pre_save, Edge, _edge_before_save),
    ):
        signal.connect(receiver, sender=model, dispatch_uid=f"access:{receiver.__name__}:{model.__name__}")
