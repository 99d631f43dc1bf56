"""`up`, `down` and `reset` as a person calls them, with PostgreSQL, Redis and the schema (no other services)."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from ems_stack import daemon, postgres
from ems_stack.ports import free_ports
from ems_stack.postgres import Postgres
from ems_stack.processes import wait_until
from ems_stack.state import State

pytestmark = pytest.mark.stack


class Person:
    """Somebody at a terminal."""

    def __init__(self, state: State, port: int) -> None:
        self.state = state
        self.port = port

    def says(self, *words: str, answers: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EMS_")} | {
            "EMS_STATE_DIR": str(self.state.root),
            "EMS_SERVICES": "",
            "EMS_DEMO": "0",
            "EMS_PORT_REDIS": str(self.port),
            **variables,
        }
        command = [sys.executable, "-m", "ems_stack", *words]
        return subprocess.run(command, env=environment, input=answers, capture_output=True, text=True, check=False)

    def database(self) -> Postgres:
        home, account = postgres.place(self.state.data, self.state.name)
        return Postgres(home, self.state.sockets, self.state.secrets().postgres, account=account)


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    # The directory is private to us (0700), so as root PostgreSQL's account cannot reach it: the harder case.
    one = Person(State(tmp_path_factory.mktemp("up") / "state"), free_ports(1)[0])
    yield one
    one.says("reset", "--force")


def test_up_starts_everything_and_prints_the_addresses(person: Person) -> None:
    done = person.says("up")
    assert done.returncode == 0, done.stderr
    assert re.search(rf"Redis\s+redis://127\.0\.0\.1:{person.port}/0", done.stdout)
    with psycopg.connect(person.database().url("ems")) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM django_migrations").fetchone() == (True,)


def test_a_second_up_is_harmless_and_prints_the_same_addresses(person: Person) -> None:
    before = daemon.owner(person.state)
    done = person.says("up")
    assert done.returncode == 0
    assert "Already up" in done.stdout
    assert f"127.0.0.1:{person.port}" in done.stdout
    assert daemon.owner(person.state) == before is not None


def test_status_lists_what_runs(person: Person) -> None:
    assert "postgres" in person.says("status").stdout


def test_logs_show_what_services_said(person: Person) -> None:
    done = person.says("logs", "redis", "--no-follow")
    assert "Ready to accept connections" in done.stdout
    unknown = person.says("logs", "rediss", "--no-follow")
    assert unknown.returncode == 1
    assert "postgres, redis, stack" in unknown.stderr


def test_no_secret_is_in_a_log(person: Person) -> None:
    secrets = person.state.secrets()
    said = "".join(path.read_text() for path in person.state.logs.glob("*.log"))
    assert not [word for word in (secrets.postgres, secrets.django, *secrets.redis.values()) if word in said]


def test_a_killed_service_comes_back(person: Person) -> None:
    def redis_pid() -> int | None:
        return next((one.pid for one in daemon.read_status(person.state) if one.name == "redis"), None)

    assert wait_until(lambda: redis_pid() is not None, 5)
    first = redis_pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: redis_pid() not in {None, first}, 10)


def test_down_stops_all_and_leaves_the_data(person: Person) -> None:
    with psycopg.connect(person.database().url("ems"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    done = person.says("down")
    assert done.returncode == 0, done.stderr
    assert "Stopping redis" in done.stdout
    assert daemon.owner(person.state) is None
    assert person.says("down").stdout.strip() == "Nothing was up."
    assert person.says("status").returncode == 3


def test_a_taken_port_is_named_and_nothing_stays_behind(person: Person) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", person.port))
        holder.listen()
        done = person.says("up")
    assert done.returncode == 1
    assert f"port {person.port}" in done.stderr
    assert "EMS_PORT_REDIS" in done.stderr
    assert f"(process {os.getpid()})" in done.stderr
    assert wait_until(lambda: daemon.owner(person.state) is None, 5)


def test_what_a_killed_stack_left_running_is_ended_by_the_next(person: Person) -> None:
    assert person.says("up").returncode == 0
    owner = daemon.owner(person.state)
    assert owner is not None
    os.kill(owner, signal.SIGKILL)
    assert wait_until(lambda: daemon.owner(person.state) is None, 5)
    done = person.says("up")
    assert done.returncode == 0, done.stderr
    assert "left over" in done.stdout
    with psycopg.connect(person.database().url("ems")) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_wrong_variable_is_named_before_anything_starts(person: Person) -> None:
    done = person.says("up", EMS_DEMO="maybe")
    assert done.returncode == 1
    assert "EMS_DEMO" in done.stderr


def test_reset_deletes_only_after_the_typed_word(person: Person) -> None:
    refused = person.says("reset", answers="yes\n")
    assert refused.returncode == 1
    assert person.state.root.exists()
    home: Path = person.state.postgres_home
    done = person.says("reset", answers="reset\n")
    assert done.returncode == 0, done.stderr
    assert not person.state.root.exists()
    assert not home.exists()
    assert daemon.owner(person.state) is None
