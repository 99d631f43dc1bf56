"""Fixtures: a Redis of our own, and everything on loopback."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent / "support"))

from edge_support.devices import Endpoint, endpoint, meter
from edge_support.edge_process import EdgeProcess, Edges
from edge_support.redis_process import RedisProcess
from ems_contract import keys
from ems_contract.telemetry import decode_batch

settings.register_profile("busy_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy_machine")


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


@pytest.fixture
def published(redis_server: RedisProcess) -> Iterator[Callable[[], list[int]]]:
    """Reads what viewers got since the fixture was made."""
    subscription = redis_server.admin.pubsub(ignore_subscribe_messages=True)
    subscription.subscribe(keys.telemetry_channel(1))
    subscription.get_message(timeout=1)
    got: list[int] = []

    def read() -> list[int]:
        while message := subscription.get_message(timeout=0.01):
            got.append(decode_batch(message["data"]).seq)
        return got

    yield read
    subscription.close()


@pytest.fixture
async def devices() -> AsyncIterator[Endpoint]:
    async with endpoint({1: meter(), 4: meter(99.0)}) as served:
        yield served


@pytest.fixture
async def edges() -> AsyncIterator[Edges]:
    """Makes edge processes; whatever a failed test leaves running is killed."""
    made: list[EdgeProcess] = []

    def make(bootstrap: Path) -> EdgeProcess:
        made.append(EdgeProcess(bootstrap))
        return made[-1]

    yield make
    for edge in made:
        if edge.running:
            await edge.kill()
