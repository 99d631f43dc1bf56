"""An edge key's Redis user: made at each session, removed at revocation.

The password is derived, so it is stored nowhere and applying it again gives the same one. Redis is told only its
SHA-256, and an ACL file keeps the user over a restart. Removing a user also ends its open connections.
"""

from __future__ import annotations

import hashlib
import hmac

import redis
import structlog
from django.conf import settings

from config.redis import client
from ems_contract import keys
from ems_contract.provisioning import RedisAccess
from sites.models import EdgeKey

log = structlog.get_logger()

_NO_ACL_FILE = "not configured to use an ACL file"


def user_name(key: EdgeKey) -> str:
    return keys.edge_user(key.edge_id, key.prefix)


def password(key: EdgeKey) -> str:
    message = f"{key.pk}:{key.prefix}:{key.secret_hash}".encode()
    return hmac.digest(settings.EDGE_PASSWORD_KEY.encode(), message, hashlib.sha256).hex()


def apply(key: EdgeKey) -> RedisAccess:
    """Make or refresh the user. Raises redis.RedisError; then nobody is told a password that does not work."""
    connection = client()
    major = int(str(connection.info("server")["redis_version"]).split(".", maxsplit=1)[0])
    secret = password(key)
    rules = [*keys.edge_acl(key.site_id, key.edge_id, major), f"#{hashlib.sha256(secret.encode()).hexdigest()}"]
    connection.execute_command("ACL SETUSER", user_name(key), *rules)  # type: ignore[no-untyped-call]
    _save(connection)
    return RedisAccess(url=settings.EDGE_REDIS_URL, username=user_name(key), password=secret)


def remove(key: EdgeKey) -> None:
    """Raises redis.RedisError: a revocation that Redis has not heard of must not look done."""
    remove_user(user_name(key))


def remove_user(name: str) -> None:
    """As `remove`, where the key's row may be gone."""
    connection = client()
    connection.acl_deluser(name)
    _save(connection)


def forget_image(site_id: int, edge_id: int) -> None:
    """Of an edge that is no more: what it showed last is not shown to the next viewer. A stream is history's to read.

    Redis being away is logged only: the edge is gone whether or not its last picture is.
    """
    try:
        client().hdel(keys.telemetry_latest(site_id), keys.edge_name(edge_id))
        client().hdel(keys.edge_status(site_id), keys.edge_name(edge_id))
        for name in (keys.telemetry_acked, keys.commands_stream, keys.edge_events_stream):
            client().delete(name(site_id, edge_id))
    except redis.RedisError as error:
        log.error("the last image of a deleted edge stays", edge=edge_id, error=type(error).__name__)


def _save(connection: redis.Redis) -> None:
    """Keep the users over a restart. Without an ACL file each edge asks for a session again, which is enough."""
    try:
        connection.acl_save()
    except redis.ResponseError as error:
        if _NO_ACL_FILE not in str(error):
            raise
