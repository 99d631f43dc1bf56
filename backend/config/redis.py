"""This process's Redis client. Values are bytes, as on the wire."""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings


@cache
def client() -> redis.Redis:
    """One connection pool per process. Without a connection in 2 s or an answer in 5 s: `redis.RedisError`."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=2.0, socket_timeout=5.0, health_check_interval=30
    )
