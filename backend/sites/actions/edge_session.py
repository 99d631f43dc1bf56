"""An edge opens its session: it gets its configuration and its Redis user."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Iterator

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError

import audit
from ems_contract.control import ControlRule
from ems_contract.processing import DerivedPoint, ReportPolicy
from ems_contract.provisioning import Device as DeviceConfig
from ems_contract.provisioning import EdgeConfig, SessionAnswer, SessionRequest, SetpointLimits
from sites import edge_redis
from sites.edge_authentication import InvalidEdgeKey
from sites.models import Edge, EdgeKey, Point

MAX_SOFTWARE_LENGTH = 100
_LIMITS = ("minimum", "maximum", "default")


def check_session(request: SessionRequest) -> None:
    if len(request.software) > MAX_SOFTWARE_LENGTH or not request.software.isprintable():
        raise ValidationError({"software": f"At most {MAX_SOFTWARE_LENGTH} printable characters: name and version."})
    try:
        uuid.UUID(request.boot)
    except ValueError as error:
        raise ValidationError({"boot": "Not a UUID; make one at each process start."}) from error


def config_of(edge: Edge) -> EdgeConfig:
    """The revision is a hash of everything else, so it changes exactly when the configuration does.

    A keyed one: people see it, and a password that is in it cannot be guessed with its help.
    """
    devices = [
        DeviceConfig(
            key=device.key,
            name=device.name,
            driver=device.driver,
            profile=device.profile,
            connection=device.connection,
            poll_interval=device.poll_interval,
        )
        for device in edge.devices.all()
    ]
    config = EdgeConfig(
        revision="",
        devices=devices,
        poll_interval=edge.poll_interval,
        setpoints=list(_setpoints(edge)),
        derived=msgspec.convert(edge.derived, list[DerivedPoint]),
        reporting=msgspec.convert(edge.reporting, list[ReportPolicy]),
        rules=msgspec.convert(edge.rules, list[ControlRule]),
    )
    content = b"revision " + msgspec.json.encode(config, order="sorted")
    revision = hmac.digest(settings.EDGE_PASSWORD_KEY.encode(), content, hashlib.sha256).hex()[:16]
    return msgspec.structs.replace(config, revision=revision)


def _setpoints(edge: Edge) -> Iterator[SetpointLimits]:
    """What people decided for the points that this edge can write."""
    for point in Point.objects.opened("of the edge's devices").filter(device__edge=edge, writable=True).order_by("key"):
        decided = {name: getattr(point, name) for name in _LIMITS if name in point.overridden}
        if decided:
            yield SetpointLimits(point=point.key, **decided)


def do_open_session(key: EdgeKey, request: SessionRequest, address: str | None) -> SessionAnswer:
    """Applies the Redis user again, so a Redis that forgot it is healed. Raises redis.RedisError."""
    with transaction.atomic():
        locked = (
            EdgeKey.objects.opened("this very key")
            .select_for_update(of=("self",))
            .select_related("edge", "site")
            .get(pk=key.pk)
        )
        if locked.revoked is not None:
            raise InvalidEdgeKey
        edge, site, now = locked.edge, locked.site, timezone.now()
        session = f"{request.boot} {address or ''} {request.software}"
        EdgeKey.objects.opened("this very key").filter(pk=locked.pk).update(last_used=now, last_session=session)
        Edge.objects.opened("the key's own edge").filter(pk=edge.pk).update(software=request.software, last_session=now)
        if session != locked.last_session:  # an edge asks again every minute; the log tells what is new
            audit.record(
                "edge.session_opened",
                actor=edge.wire_name,
                organization_id=locked.organization_id,
                site_id=site.pk,
                target=edge.wire_name,
                address=address,
                prefix=locked.prefix,
                software=request.software,
            )
        return SessionAnswer(
            edge=edge.wire_name,
            edge_name=edge.name,
            site=site.wire_name,
            site_name=site.name,
            timezone=site.timezone,
            redis=edge_redis.apply(locked),
            config=config_of(edge),
        )
