"""A PostgreSQL and a Redis for one command, gone when it ends: what the tests of every room run on."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from ems_stack import leftovers, ports, redis_binary
from ems_stack.accounts import unprivileged
from ems_stack.postgres import DEFAULT_VERSION, Postgres
from ems_stack.processes import Service
from ems_stack.redis_server import SERVICE_USERS, RedisServer
from ems_stack.state import State
from ems_stack.supervisor import Supervisor

_PREFIX = "ems-services-"


@contextmanager
def throwaway_services() -> Iterator[dict[str, str]]:
    """Yields the variables that point at the two servers."""
    state = State(leftovers.temporary_place(_PREFIX))
    state.prepare()
    postgres = Postgres(
        home=state.data,
        sockets=state.sockets,
        password=secrets.token_urlsafe(18),
        durable=False,
        version=int(os.environ.get("EMS_POSTGRES_VERSION") or DEFAULT_VERSION),
        account=unprivileged(),
    )
    redis_server = RedisServer(
        home=state.data / "redis",
        port=ports.free_ports(1)[0],
        passwords={user: secrets.token_urlsafe(18) for user in SERVICE_USERS},
        binary=redis_binary.find(),
        durable=False,
        admin_password=secrets.token_urlsafe(18),
    )
    supervisor = Supervisor(state.logs, state.run / "processes.json")
    try:
        postgres.prepare()
        redis_server.prepare()
        both: list[Service] = [postgres.service(), redis_server.service()]
        for service in both:
            supervisor.add(service)
            supervisor.start(service.name, wait=False)
        for service in both:
            supervisor.wait_ready(service.name)
        postgres.ensure_database("ems")
        database, admin = postgres.url("ems"), redis_server.url("admin")
        yield {
            "EMS_TEST_DATABASE_URL": database,
            "EMS_DATABASE_URL": database,
            "EMS_TEST_REDIS_URL": admin,
            "EMS_REDIS_URL": admin,
        }
    finally:
        supervisor.close()
        state.remove()


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a command with the two servers beside it; returns its exit code (128 + n for signal n)."""
    with throwaway_services() as variables:
        child = subprocess.Popen(command, env={**os.environ, **(environment or {}), **variables})
        with _forwarding(child):
            code = child.wait()
        return code if code >= 0 else 128 - code


@contextmanager
def _forwarding(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """SIGTERM goes to the child; Ctrl-C reaches it from the terminal anyway, so we only must not die of it."""
    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: child.terminate()),
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
