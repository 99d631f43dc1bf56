"""Fixtures: the real service with a real Redis and a backend, all on loopback, and programs that follow it."""

from __future__ import annotations

import random
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))
sys.path.insert(0, str(Path(__file__).parents[2] / "realtime" / "tests" / "support"))

from client_support.people import ALICE
from client_support.program import Program
from client_support.relay import Relay
from ems_client import LiveClient
from ems_contract import keys
from ems_realtime.settings import Settings
from realtime_support.backend import Backend
from realtime_support.batches import batch, grant
from realtime_support.redis_process import RedisProcess
from realtime_support.running import ORIGIN, Running

hypothesis.settings.register_profile("client", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("client")


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    server = RedisProcess(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def redis(shared_redis: RedisProcess) -> RedisProcess:
    shared_redis.admin.flushall()
    return shared_redis


@pytest.fixture
def mortal_redis(tmp_path: Path) -> Iterator[RedisProcess]:
    """A Redis to kill."""
    server = RedisProcess(tmp_path)
    yield server
    server.kill()


@pytest.fixture(scope="session")
def shared_backend() -> Iterator[Backend]:
    server = Backend()
    yield server
    server.stop()


@pytest.fixture
def backend(shared_backend: Backend) -> Backend:
    """It knows Alice's token and nobody else's."""
    shared_backend.answers = {ALICE: grant(1, [7, 8])}
    return shared_backend


def settings(redis: RedisProcess, backend: Backend, **changes: Any) -> Settings:
    usual = {"redis_url": redis.url, "backend_url": backend.url, "origins": frozenset({ORIGIN}), "drain": 0.0}
    return Settings(**{**usual, **changes})


@pytest.fixture(scope="session")
def shared_service(shared_redis: RedisProcess, shared_backend: Backend) -> Iterator[Running]:
    running = Running(settings(shared_redis, shared_backend))
    yield running
    running.stop()


@pytest.fixture
def service(shared_service: Running, redis: RedisProcess, backend: Backend) -> Running:
    """One that must not be stopped; nobody is there."""
    return shared_service


@pytest.fixture
def start(redis: RedisProcess, backend: Backend) -> Iterator[Callable[..., Running]]:
    """Start a service of one's own; it is stopped at the end of the test."""
    running: list[Running] = []

    def begin(**changes: Any) -> Running:
        running.append(Running(settings(redis, backend, **changes)))
        return running[-1]

    yield begin
    for service in running:
        service.stop()


@pytest.fixture
async def relay(service: Running) -> AsyncIterator[Relay]:
    async with Relay(service.port) as network:
        yield network


@pytest.fixture
async def follow(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Any]]:
    """Start a program that follows the service at this URL. It is lucky: its waits are short."""
    monkeypatch.setattr(random, "random", lambda: 0.02)
    async with AsyncExitStack() as programs:

        async def begin(url: str, *sites: str, interval: int = 0, **options: Any) -> Program:
            given = {"token": ALICE, "origin": ORIGIN, "proxy": None, **options}
            program = await programs.enter_async_context(Program(LiveClient(url, **given)))
            if sites:
                await program.live.subscribe(*sites, interval=interval)
            return program

        yield begin


@pytest.fixture
def publish(redis: RedisProcess) -> Callable[..., None]:
    """As an edge does: the latest image first, then the batch."""

    def once(site: int, seq: int, **options: Any) -> None:
        payload = batch(seq, **options)
        pipeline = redis.admin.pipeline(transaction=False)
        pipeline.hset(keys.telemetry_latest(site), options.get("edge", "edge_1"), payload)
        pipeline.publish(keys.telemetry_channel(site), payload)
        pipeline.execute()

    return once
