"""Fixtures: a Redis of our own, and everything on loopback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from edge_support.redis_process import RedisProcess


@pytest.fixture(scope="module")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    server = RedisProcess(tmp_path_factory.mktemp("redis"))
    yield server
    server.close()


@pytest.fixture
def redis_server(shared_redis: RedisProcess) -> RedisProcess:
    """An empty Redis that must not be killed."""
    shared_redis.admin.flushall()
    shared_redis.admin.config_set("maxmemory", "0")
    return shared_redis


@pytest.fixture
def mortal_redis(tmp_path: Path) -> Iterator[RedisProcess]:
    """A Redis to kill and to freeze."""
    home = tmp_path / "redis"
    home.mkdir()
    server = RedisProcess(home)
    yield server
    server.close()
