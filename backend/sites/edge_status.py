"""How an edge says that it is doing: the newest word that it left in Redis."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from config.redis import client
from ems_contract import keys
from ems_contract.edge_events import EdgeStatus
from sites.models import Edge

LARGEST = 1 << 20
"""Bytes. An edge with a thousand devices says 200 kB."""
FRESH = timedelta(seconds=30)
"""An edge says it every 10 s."""


@dataclass(frozen=True)
class Known:
    """`seen` is when it was said, by Redis' clock or earlier; both are None if it never was, or is not readable."""

    status: EdgeStatus | None = None
    seen: datetime | None = None
    stale: bool = True


def read(edge: Edge) -> Known:
    """Raises redis.RedisError. What is not an EdgeStatus is none: whoever has the edge's key could write anything."""
    name, field = keys.edge_status(edge.site_id), edge.wire_name
    pipeline = client().pipeline(transaction=False)
    pipeline.hstrlen(name, field)
    pipeline.time()
    size, (seconds, _) = pipeline.execute()
    if not 0 < int(size) <= LARGEST:
        return Known()
    told: Any = client().hget(name, field)
    try:
        status = msgspec.json.decode(told or b"", type=EdgeStatus)
        seen = datetime.fromtimestamp(status.ts / 1000, UTC)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, OverflowError, OSError, RecursionError):
        return Known()
    now = datetime.fromtimestamp(seconds, UTC)
    return Known(status, min(seen, now), abs(now - seen) > FRESH)
