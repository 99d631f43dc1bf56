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
from django.db.models import Model
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

import audit
from accounts import tokens
from accounts.models import LoginSession, Membership, User
from config.redis import client
from ems_contract import PROTOCOL_VERSION, keys
from ems_contract.access import AccessEvent
from sites import edge_redis
from sites.models import Device, Edge, EdgeKey, Site, SiteAccess

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
        epoch = int(client().incr(keys.user_epoch(user)))
    except redis.exceptions.OutOfMemoryError:
        log.error("redis is full: cached grants stay until they expire", user=user, reason=reason)
        epoch = 0  # unknown; publishing needs no memory, and open sockets ask the backend whatever it says
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


def people_of(site: Site, organizations: Iterable[int]) -> set[int]:
    """The users whose grant names this site, as it belongs to one of these organizations."""
    admins = Membership.objects.filter(organization__in=organizations, role=Membership.Role.ORG_ADMIN)
    return {
        *admins.values_list("user_id", flat=True),
        *SiteAccess.objects.filter(site=site).values_list("user_id", flat=True),
        *User.objects.filter(is_superuser=True).values_list("pk", flat=True),
    }


# What decides access ------------------------------------------------------------------------------------------------

_FIELDS: dict[type[Model], tuple[str, ...]] = {
    User: ("password", "is_active", "is_superuser", "is_developer", "email", "name"),
    Membership: ("user_id", "organization_id", "role"),
    SiteAccess: ("user_id", "site_id", "role"),
    Site: ("name", "organization_id", "operators_may_control"),
    Edge: ("poll_interval",),
    Device: ("edge_id",),
}
_BEFORE = "_fields_before_save"


def _remember(sender: type[Model], instance: Model, **_: Any) -> None:
    """Before a save: keep what the database holds. Acting must wait for `post_save`: only then is there a commit."""
    row = sender._base_manager.filter(pk=instance.pk).values(*_FIELDS[sender]).first()
    instance.__dict__[_BEFORE] = row or {}


def _before(instance: Model) -> dict[str, Any]:
    """The values before this save; empty for a new row."""
    before: dict[str, Any] = instance.__dict__.get(_BEFORE, {})
    return before


def _changes(instance: Model) -> list[str]:
    return sorted(name for name, value in _before(instance).items() if value != getattr(instance, name))


def _user_saved(sender: type[User], instance: User, **_: Any) -> None:
    changes = _changes(instance)
    if not changes:
        return
    if "password" in changes or not instance.is_active:
        tokens.revoke_all(instance)
    access_changed([instance.pk], f"user changed: {', '.join(changes)}")


def _user_deleted(sender: type[User], instance: User, **_: Any) -> None:
    access_changed([instance.pk], "user deleted")


def _role_saved(sender: type[Model], instance: Membership | SiteAccess, created: bool, **_: Any) -> None:
    """A row that is handed from one user to another changes the access of both."""
    before = _before(instance)
    access_changed({instance.user_id, before.get("user_id", instance.user_id)}, f"{sender._meta.model_name} changed")
    _record_role(sender, instance, "created" if created else "changed", before.get("role"), instance.role)
    if isinstance(instance, Membership) and before:
        was = (before["user_id"], before["organization_id"])
        if was != (instance.user_id, instance.organization_id):
            _drop_site_roles(*was)


def _role_deleted(sender: type[Model], instance: Membership | SiteAccess, **_: Any) -> None:
    access_changed([instance.user_id], f"{sender._meta.model_name} deleted")
    _record_role(sender, instance, "deleted", instance.role, None)
    if isinstance(instance, Membership):
        _drop_site_roles(instance.user_id, instance.organization_id)


def _drop_site_roles(user_id: int, organization_id: int) -> None:
    """Who leaves an organization leaves its sites, and does not find the old roles there when coming back."""
    for access in SiteAccess.objects.filter(user_id=user_id, organization_id=organization_id):
        access.delete()


def _record_role(
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


def _key_going(sender: type[EdgeKey], instance: EdgeKey, **_: Any) -> None:
    """Before the row goes, and in its transaction: a key that Redis still knows must not be forgotten."""
    edge_redis.remove(instance)


def _session_saved(sender: type[LoginSession], instance: LoginSession, **_: Any) -> None:
    if instance.revoked is not None:
        access_changed([instance.user_id], "session ended")


def _site_saved(sender: type[Site], instance: Site, created: bool, **_: Any) -> None:
    if created or _changes(instance):
        organizations = {instance.organization_id, _before(instance).get("organization_id", instance.organization_id)}
        access_changed(people_of(instance, organizations), "site changed")


def _site_going(sender: type[Site], instance: Site, **_: Any) -> None:
    access_changed(people_of(instance, [instance.organization_id]), "site deleted")


def _device_changed(sender: type[Device], instance: Device, **_: Any) -> None:
    for edge in {instance.edge_id, _before(instance).get("edge_id", instance.edge_id)}:
        config_changed(edge)


def _edge_saved(sender: type[Edge], instance: Edge, **_: Any) -> None:
    if _changes(instance):
        config_changed(instance.pk)


def connect() -> None:
    """Called once, when the apps are ready."""
    for model in _FIELDS:
        pre_save.connect(_remember, sender=model, dispatch_uid="access:remember")
    for signal, model, receiver in (
        (post_save, User, _user_saved),
        (post_delete, User, _user_deleted),
        (post_save, Membership, _role_saved),
        (post_delete, Membership, _role_deleted),
        (post_save, SiteAccess, _role_saved),
        (post_delete, SiteAccess, _role_deleted),
        (post_save, LoginSession, _session_saved),
        (post_save, Site, _site_saved),
        (pre_delete, Site, _site_going),
        (post_save, Device, _device_changed),
        (post_delete, Device, _device_changed),
        (post_save, Edge, _edge_saved),
        (pre_delete, EdgeKey, _key_going),
    ):
        signal.connect(receiver, sender=model, dispatch_uid="access:act")
