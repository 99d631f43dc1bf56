"""A PostgreSQL and a Redis for one command, gone when it ends: what the tests of every room run on."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from ems_stack import ports, redis_binary
from ems_stack.accounts import unprivileged
from ems_stack.postgres import DEFAULT_VERSION, Postgres
from ems_stack.redis_server import SERVICE_USERS, RedisServer

START_SECONDS = 30
_PREFIX = "ems-services-"


@contextmanager
def throwaway_services() -> Iterator[dict[str, str]]:
    """Yields the variables that point at the two servers."""
    _sweep()
    place = Path(tempfile.mkdtemp(prefix=_PREFIX))
    place.chmod(0o755)
    (place / "owner").write_text(f"{os.getpid()}\n")
    postgres = Postgres(
        home=place,
        sockets=place / "run",
        password=secrets.token_urlsafe(18),
        durable=False,
        version=int(os.environ.get("EMS_POSTGRES_VERSION", DEFAULT_VERSION)),
        account=unprivileged(),
    )
    redis_server = RedisServer(
        home=place / "redis",
        port=ports.free_ports(1)[0],
        passwords={user: secrets.token_urlsafe(18) for user in SERVICE_USERS},
        binary=redis_binary.find(),
        durable=False,
        admin_password=secrets.token_urlsafe(18),
    )
    started: list[subprocess.Popen[bytes]] = []
    try:
        postgres.prepare()
        redis_server.prepare()
        started.append(_start(place, "redis", redis_server.command(), {}))
        account = postgres.account.popen if postgres.account else {}
        started.append(_start(place, "postgres", postgres.command(), account))
        _wait(redis_server.is_ready, started[0], place / "redis.log")
        _wait(postgres.is_ready, started[1], place / "postgres.log")
        postgres.ensure_database("ems")
        database, admin = postgres.url("ems"), redis_server.url("admin")
        yield {
            "EMS_TEST_DATABASE_URL": database,
            "EMS_DATABASE_URL": database,
            "EMS_TEST_REDIS_URL": admin,
            "EMS_REDIS_URL": admin,
        }
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGINT)
        for process in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
        shutil.rmtree(place, ignore_errors=True)


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


def _start(place: Path, name: str, command: list[str], account: Mapping[str, object]) -> subprocess.Popen[bytes]:
    with (place / f"{name}.log").open("wb") as log:
        # A new session: the terminal's Ctrl-C must reach the command first, and the servers not at all.
        process = subprocess.Popen(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **account,  # type: ignore[call-overload]
        )
    with (place / "owner").open("a") as owner:
        owner.write(f"{process.pid} {psutil.Process(process.pid).create_time()}\n")
    return process  # type: ignore[no-any-return]


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{log.stem} did not start; its last words:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _sweep() -> None:
    """Remove what a killed run left behind: its servers and its directory."""
    for place in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            owner, *servers = (place / "owner").read_text().splitlines()
            if psutil.pid_exists(int(owner)):
                continue
            for line in servers:
                pid, created = line.split()
                with contextlib.suppress(psutil.NoSuchProcess):
                    process = psutil.Process(int(pid))
                    if abs(process.create_time() - float(created)) < 1:
                        process.kill()
            shutil.rmtree(place, ignore_errors=True)
