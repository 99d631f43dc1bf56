"""Create and revoke the API keys of an edge."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from config.problems import Conflict
from sites import edge_keys, edge_redis
from sites.actions.changes import locked, save_changes
from sites.models import Edge, EdgeKey

MOST_LIVE = 2
"""Live keys of one edge: the one in use, and the next one while it is being brought to the edge."""


def do_create_key(edge: Edge) -> tuple[EdgeKey, str]:
    """The row, and the whole key. Show the text once: only its hash is kept. Raises Conflict."""
    new = edge_keys.generate()
    with transaction.atomic():
        if locked(edge).keys.filter(revoked=None).count() >= MOST_LIVE:
            raise Conflict(
                f"{edge.name} has {MOST_LIVE} live keys. Revoke the one that is not in use.", code="two_keys"
            )
        key = EdgeKey.objects.create(edge=edge, prefix=new.prefix, secret_hash=new.secret_hash)
    return key, new.text


def do_revoke_key(key: EdgeKey) -> None:
    """The key is refused from now on, and the edge's open Redis connections end. Raises redis.RedisError.

    The row is locked against a session that is being opened with the same key at this moment.
    """
    with transaction.atomic():
        now = locked(key)
        if now.revoked is None:
            save_changes(now, {"revoked": timezone.now()})
        edge_redis.remove(now)
