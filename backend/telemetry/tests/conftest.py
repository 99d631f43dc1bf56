"""A database of history's own, and rows in it. Needs EMS_TEST_DATABASE_URL; knows no Django."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict

from telemetry import store, streams
from telemetry.tests.player import RedisProcess, own_redis

SCHEMA = Path(__file__).parent.parent / "migrations" / "0001_history.sql"
TABLES = ("point", "receipt", "batch", "poison", "gap", "segment", "rollup_1m", "rollup_15m", "rollup_1h")


@pytest.fixture(scope="session")
def history_database() -> Iterator[dict[str, Any]]:
    """Connection parameters of an empty history database, dropped at the end."""
    url = os.environ.get("EMS_TEST_DATABASE_URL")
    if not url:
        pytest.fail("EMS_TEST_DATABASE_URL not set: run `python -m ems_stack services -- pytest ...`", pytrace=False)
    server = conninfo_to_dict(url)
    name = f"history_test_{secrets.token_hex(6)}"  # other rooms' tests make one of their own
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    parameters: dict[str, Any] = {**server, "dbname": name}
    with psycopg.connect(**parameters) as connection:
        connection.execute(SCHEMA.read_bytes())
    yield parameters
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def connection(history_database: dict[str, Any]) -> Iterator[Connection[Any]]:
    """A connection of the kind that the historian uses, to empty tables."""
    with store.connect(history_database) as opened:
        clear(opened)
        yield opened


def clear(connection: Connection[Any]) -> None:
    """Deleting a few rows is faster than truncating many tables."""
    statements = [*(f"DELETE FROM {table}" for table in TABLES), "SELECT setval('point_id_seq', 1, false)"]  # noqa: S608
    connection.execute("; ".join(statements))


@pytest.fixture(scope="module")
def redis_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    with own_redis(tmp_path_factory.mktemp("redis")) as process:
        yield process


@pytest.fixture
def client(redis_process: RedisProcess) -> Iterator[redis.Redis]:
    redis_process.start()
    with streams.connect(redis_process.url) as opened:
        opened.flushall()
        yield opened


@pytest.fixture
def url(redis_process: RedisProcess) -> str:
    return redis_process.url
