"""An edge opens its session: it gets its configuration and its Redis user."""

from __future__ import annotations

import hashlib
import uuid

import msgspec
from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError

import audit
from ems_contract.provisioning import Device as DeviceConfig
from ems_contract.provisioning import EdgeConfig, SessionAnswer, SessionRequest
from sites import edge_redis
from sites.edge_authentication import InvalidEdgeKey
from sites.models import Edge, EdgeKey

MAX_SOFTWARE_LENGTH = 100


def check_session(request: SessionRequest) -> None:
    if len(request.software) > MAX_SOFTWARE_LENGTH or not request.software.isprintable():
        raise ValidationError({"software": f"At most {MAX_SOFTWARE_LENGTH} printable characters: name and version."})
    try:
        uuid.UUID(request.boot)
    except ValueError as error:
        raise ValidationError({"boot": "Not a UUID; make one at each process start."}) from error


def config_of(edge: Edge) -> EdgeConfig:
    """The revision is a hash of everything else, so it changes exactly when the configuration does."""
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
    content = msgspec.json.encode((edge.poll_interval, devices), order="sorted")
    revision = hashlib.sha256(content).hexdigest()[:16]
    return EdgeConfig(revision=revision, devices=devices, poll_interval=edge.poll_interval)


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
