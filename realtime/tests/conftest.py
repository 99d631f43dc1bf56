"""Fixtures: a Redis, a backend and a running service, all real, all on loopback."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from ems_realtime import inbound
from ems_realtime.settings import Settings
from realtime_support.backend import Backend
from realtime_support.batches import grant, token
from realtime_support.echo import EchoServer
from realtime_support.house import House
from realtime_support.redis_process import RedisProcess
from realtime_support.running import Running, make_settings

# On a busy machine an example may take long; that is no fault of the code under test.
hypothesis.settings.register_profile("realtime", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("realtime")


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    server = RedisProcess(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def redis(shared_redis: RedisProcess) -> RedisProcess:
    """An empty Redis that must not be killed."""
    shared_redis.admin.flushall()
    return shared_redis


@pytest.fixture
def mortal_redis(tmp_path: Path) -> Iterator[RedisProcess]:
    """A Redis to kill and to freeze."""
    server = RedisProcess(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def backend() -> Iterator[Backend]:
    server = Backend()
    yield server
    server.gate.set()
    server.stop()


@pytest.fixture
def settings(backend: Backend) -> Callable[..., Settings]:
    def make(redis: RedisProcess, **changes: Any) -> Settings:
        return make_settings(redis, backend, **changes)

    return make


@pytest.fixture
def start(settings: Callable[..., Settings]) -> Iterator[Callable[..., Running]]:
    """Start the service; it is stopped at the end of the test."""
    running: list[Running] = []

    def begin(redis: RedisProcess, **changes: Any) -> Running:
        service = Running(settings(redis, **changes))
        running.append(service)
        return service

    yield begin
    for service in running:
        service.stop()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    """For the conformance suite, which may send more frames than a client of the service."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbound, "FRAMES_AT_ONCE", 1_000_000)
        server = EchoServer()
        yield server
        server.stop()


@pytest.fixture(scope="module")
def standing(shared_redis: RedisProcess) -> Iterator[Running]:
    """One service for all tests of a file that only knock at its doors. Its backend grants `token(1)` site 7."""
    backend = Backend()
    backend.answers[token(1)] = grant(1, [7])
    service = Running(make_settings(shared_redis, backend))
    yield service
    service.stop()
    backend.stop()
