"""Relays the outbox of edges: an edge whose configuration changed is told so, the Redis user of a key that ended goes.

As with access changes (`accounts.outbox`): triggers write the rows, a NOTIFY on `CHANNEL` wakes the worker, and a row
is deleted only after Redis took it. So a key that is deleted in bulk, with its site or while Redis is away still loses
its Redis user, and with it every connection that is open.
"""

from __future__ import annotations

from config.redis import client
from ems_contract import keys
from sites import edge_redis
from sites.models import EdgeChange

CHANNEL = "edges_changed"
AT_ONCE = 1_000


def relay() -> None:
    """One turn of the worker's job. Raises redis.RedisError while Redis does not take it; the rows stay."""
    while rows := list(EdgeChange.objects.order_by("id")[:AT_ONCE]):
        for edge, prefix in dict.fromkeys((row.edge_id, row.ended_key) for row in rows):
            if prefix:
                edge_redis.remove_user(keys.edge_user(edge, prefix))
            else:
                client().publish(keys.config_changed_channel(edge), b"{}")
        EdgeChange.objects.filter(pk__in=[row.pk for row in rows]).delete()
