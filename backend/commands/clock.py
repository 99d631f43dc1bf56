"""What time it is where commands expire: in Redis, which every edge and every server asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import redis
from django.utils import timezone

from config.redis import client


def now() -> datetime:
    """Redis' time; this machine's own while Redis does not answer, and then nothing is sent either."""
    try:
        answer: Any = client().time()
    except redis.RedisError:
        return timezone.now()
    seconds, microseconds = answer
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
