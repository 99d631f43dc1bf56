"""The embedded PostgreSQL and Redis: really started, really stopped, started again on the same data."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from ems_contract import keys
from ems_stack import leftovers, ports, redis_binary
from ems_stack.accounts import unprivileged
from ems_stack.postgres import Postgres
from ems_stack.redis_server import SERVICE_USERS, RedisServer
from ems_stack.state import State
from ems_stack.supervisor import Supervisor


@pytest.fixture(scope="module")
def place() -> Iterator[State]:
    state = State(leftovers.temporary_place("ems-servers-"))
    state.prepare()
    yield state
    state.remove()


@pytest.fixture(scope="module")
def servers(place: State) -> Iterator[Supervisor]:
    one = Supervisor(place.logs, place.run / "processes.json")
    yield one
    one.close()


@pytest.fixture(scope="module")
def database(place: State, servers: Supervisor) -> Postgres:
    postgres = Postgres(place.data, place.sockets, "a:pass/word@#", durable=False, account=unprivileged())
    postgres.prepare()
    servers.add(postgres.service())
    servers.start("postgres")
    postgres.ensure_database("ems")
    return postgres


@pytest.fixture(scope="module")
def cache(place: State, servers: Supervisor) -> RedisServer:
    passwords = {user: f"{user}-password" for user in SERVICE_USERS}
    server = RedisServer(place.data / "redis", ports.free_ports(1)[0], passwords, redis_binary.find())
    server.prepare()
    servers.add(server.service())
    servers.start("redis")
    return server


def as_user(server: RedisServer, name: str) -> redis.Redis:
    return redis.Redis.from_url(server.url(name))


def test_postgres_keeps_its_data_over_a_restart(database: Postgres, servers: Supervisor) -> None:
    with psycopg.connect(database.url("ems"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    servers.stop("postgres")
    assert not database.is_ready()
    database.prepare()
    servers.start("postgres")
    with psycopg.connect(database.url("ems")) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_postgres_survives_kill_9(database: Postgres, servers: Supervisor) -> None:
    servers.kill("postgres")
    servers.start("postgres")
    with psycopg.connect(database.url("ems")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_postgres_speaks_utf8_in_the_c_locale_and_utc(database: Postgres) -> None:
    with psycopg.connect(database.url("ems")) as connection:
        row = connection.execute(
            "SELECT current_setting('server_encoding'), current_setting('timezone'), coalesce(datlocale, datcollate) "
            "FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row == ("UTF8", "UTC", "C.UTF-8")


def test_postgres_listens_on_no_port(database: Postgres, servers: Supervisor) -> None:
    pid = next(one.pid for one in servers.status() if one.name == "postgres")
    assert [c for c in psutil.Process(pid).net_connections(kind="tcp") if c.status == psutil.CONN_LISTEN] == []


def test_postgres_asks_for_the_password(database: Postgres) -> None:
    stranger = replace(database, password="guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(stranger.url("ems"))


def test_a_socket_path_that_is_too_long_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="EMS_RUN_DIR"):
        Postgres(tmp_path, tmp_path / ("x" * 100), "pw").prepare()


def test_no_password_is_on_a_command_line(database: Postgres, cache: RedisServer, servers: Supervisor) -> None:
    for status in servers.status():
        line = " ".join(psutil.Process(status.pid).cmdline())
        assert database.password not in line
        assert "password" not in line


def test_redis_has_no_open_default_user(cache: RedisServer) -> None:
    with redis.Redis(port=cache.port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_redis_files_are_private_and_hold_no_password(cache: RedisServer) -> None:
    assert stat.S_IMODE(cache.home.stat().st_mode) == 0o700
    for path in (cache.acl_file, cache.home / "redis.conf"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "-password" not in path.read_text()


def test_redis_never_evicts_and_writes_ahead(cache: RedisServer) -> None:
    with as_user(cache, "stack") as stack:
        settings = {name: stack.config_get(name)[name] for name in ("maxmemory-policy", "appendonly", "bind")}
    assert settings == {"maxmemory-policy": "noeviction", "appendonly": "yes", "bind": "127.0.0.1"}


def test_realtime_may_read_and_listen_but_not_write_telemetry(cache: RedisServer) -> None:
    with as_user(cache, "stack") as stack:
        stack.hset(keys.telemetry_latest(7), keys.edge_name(3), b"{}")
    with as_user(cache, "realtime") as realtime:
        assert realtime.hgetall(keys.telemetry_latest(7)) == {b"edge_3": b"{}"}
        realtime.get(keys.user_epoch(5))
        realtime.set(keys.grant("ab" * 32), b"{}", ex=300)
        with realtime.pubsub() as listener:
            listener.psubscribe(keys.ALERTS_PATTERN, keys.USERS_PATTERN)
            listener.subscribe(keys.telemetry_channel(7))
            assert listener.get_message(timeout=5)
        for refused in (
            lambda: realtime.hset(keys.telemetry_latest(7), "edge_3", b"x"),
            lambda: realtime.xadd(keys.telemetry_stream(7, 3), {"batch": b"{}"}),
            lambda: realtime.incr(keys.user_epoch(5)),
            realtime.flushall,
            lambda: realtime.execute_command("ACL", "LIST"),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                refused()


def test_the_historian_commits_streams_but_changes_no_user(cache: RedisServer) -> None:
    stream = keys.telemetry_stream(7, 3)
    with as_user(cache, "historian") as historian:
        entry = historian.xadd(stream, {"batch": b"{}"})
        assert list(historian.scan_iter("telemetry:*"))
        assert historian.xrange(stream)
        historian.xtrim(stream, minid=entry)
        historian.xdel(stream, entry)
        historian.set(keys.telemetry_acked(7, 3), "")
        for refused in (
            lambda: historian.set(keys.grant("ab" * 32), b"{}"),
            lambda: historian.execute_command("ACL", "SETUSER", "me", "on", "+@all"),
            lambda: historian.config_set("maxmemory", "1"),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                refused()


def test_an_edges_user_outlives_a_restart_and_keeps_to_its_keys(cache: RedisServer, servers: Supervisor) -> None:
    user = keys.edge_user(3, "abcd")
    with as_user(cache, "backend") as backend:
        backend.execute_command("ACL", "SETUSER", user, *keys.edge_acl(7, 3), ">edge-password")
        backend.execute_command("ACL", "SAVE")
    servers.stop("redis")
    cache.prepare()
    servers.start("redis")
    with redis.Redis(port=cache.port, username=user, password="edge-password") as edge:
        edge.xadd(keys.telemetry_stream(7, 3), {"batch": b"{}"})
        with pytest.raises(redis.exceptions.NoPermissionError):
            edge.xadd(keys.telemetry_stream(7, 4), {"batch": b"{}"})
        with pytest.raises(redis.exceptions.NoPermissionError):
            edge.set(keys.telemetry_acked(7, 3), "forged")


def test_wiping_redis_loses_data_and_edges_but_not_the_services(cache: RedisServer, servers: Supervisor) -> None:
    servers.kill("redis")
    cache.wipe()
    cache.prepare()
    servers.start("redis")
    with as_user(cache, "stack") as stack:
        assert stack.dbsize() == 0
        users = stack.acl_users()
    assert sorted(user.decode() if isinstance(user, bytes) else user for user in users) == sorted(
        ["default", *SERVICE_USERS]
    )


def test_an_older_redis_is_used_with_a_plain_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = tmp_path / "redis-server"
    older.write_text("#!/bin/sh\necho 'Redis server v=6.2.14 sha=00000000:0 malloc=jemalloc-5.1.0 bits=64'\n")
    older.chmod(0o755)
    monkeypatch.setenv("EMS_REDIS_SERVER", str(older))
    binary = redis_binary.find()
    assert binary.version == (6, 2, 14)
    assert binary.warning is not None
    assert "isolation is coarser" in binary.warning
    server = RedisServer(tmp_path / "redis", 1, dict.fromkeys(SERVICE_USERS, "pw"), binary)
    server.prepare()
    assert "%R~" not in server.acl_file.read_text()


def test_an_older_redis_on_the_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = tmp_path / "redis-server"
    older.write_text("#!/bin/sh\necho 'Redis server v=5.0.3 sha=0'\n")
    older.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    from ems_stack.redis_server import on_path

    assert on_path() is None


def test_redis_7_has_no_warning() -> None:
    found = shutil.which("redis-server")
    assert found is not None
    assert redis_binary.find().warning is None


def test_nobody_can_send_redis_a_value_of_any_size(cache: RedisServer) -> None:
    with as_user(cache, "stack") as client, pytest.raises(redis.RedisError):
        client.set("too-large", b"x" * 9_000_000)
