"""The historian while Redis, PostgreSQL or another historian fails: 0 lost, 0 doubled, and it says what is wrong."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import redis
from psycopg import Connection, sql

from ems_contract import keys
from telemetry.compactor import Compactor
from telemetry.historian import now_ms
from telemetry.hot import Window
from telemetry.ingest import ingest
from telemetry.rollups import DAY
from telemetry.tests.ledger import EDGE, SITE, Ledger, count, stored
from telemetry.tests.player import Player, RedisProcess, eventually
from telemetry.tests.running import power, running


def test_killed_between_commit_and_acknowledgement_nothing_is_doubled(
    connection: Connection[Any], history_database: dict[str, Any], client: redis.Redis, url: str
) -> None:
    player = Player(client, Ledger())
    for n in range(50):
        player.send(power(n))
    window = Window.at(now_ms(), 400 * DAY)
    ingest(connection, list(player.unacked.values())[:30], window)  # what a historian did before it was killed
    with running(history_database, url) as one:
        player.settle()
    assert stored(connection) == player.ledger.samples
    assert count(connection, "batch") == 50
    assert one.status.report()["counters"]["duplicates"] == 30


def test_an_acknowledgement_that_was_lost_is_written_again(
    connection: Connection[Any], history_database: dict[str, Any], client: redis.Redis, url: str
) -> None:
    player = Player(client, Ledger())
    with running(history_database, url):
        for _ in range(3):
            player.send(power(1.0))
            eventually(lambda: client.exists(keys.telemetry_acked(SITE, EDGE)), "the receipt is written")
            client.delete(keys.telemetry_acked(SITE, EDGE))
            player.settle()
    assert stored(connection) == player.ledger.samples


def test_redis_wiped_while_batches_flow_loses_nothing(
    connection: Connection[Any], history_database: dict[str, Any], client: redis.Redis, url: str
) -> None:
    player = Player(client, Ledger())
    with running(history_database, url):
        for n in range(200):
            player.send(power(n))
            if n % 40 == 20:
                client.flushall()
        player.settle()
    assert stored(connection) == player.ledger.samples
    assert count(connection, "batch") == 200


def test_redis_killed_and_restarted_empty_loses_nothing(
    connection: Connection[Any],
    history_database: dict[str, Any],
    client: redis.Redis,
    url: str,
    redis_process: RedisProcess,
) -> None:
    player = Player(client, Ledger())
    with running(history_database, url) as one:
        for n in range(30):
            player.send(power(n))
        redis_process.kill()
        eventually(lambda: "redis" in one.missing(), "the historian says that Redis is away")
        for n in range(30):
            player.send(power(n))
        redis_process.start()
        player.settle(15)
        eventually(lambda: not one.missing(), "the historian is ready again")
    assert stored(connection) == player.ledger.samples
    assert count(connection, "batch") == 60


def test_a_frozen_redis_is_noticed_and_survived(
    connection: Connection[Any],
    history_database: dict[str, Any],
    client: redis.Redis,
    url: str,
    redis_process: RedisProcess,
) -> None:
    player = Player(client, Ledger())
    with running(history_database, url) as one:
        player.send(power(1.0))
        player.settle()
        redis_process.signal(signal.SIGSTOP)
        try:
            eventually(lambda: "redis" in one.missing(), "the historian says that Redis is away", 15)
        finally:
            redis_process.signal(signal.SIGCONT)
        player.send(power(2.0))
        player.settle()
        eventually(lambda: not one.missing(), "the historian is ready again")
    assert stored(connection) == player.ledger.samples


@contextlib.contextmanager
def refusing(admin: Connection[Any], name: str) -> Iterator[None]:
    """The database takes no connections, and those that there were are gone."""
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    admin.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
    try:
        yield
    finally:
        admin.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def test_postgresql_down_moves_no_receipt_and_loses_nothing(
    connection: Connection[Any], history_database: dict[str, Any], client: redis.Redis, url: str
) -> None:
    player = Player(client, Ledger())
    server = {**history_database, "dbname": "postgres"}
    with running(history_database, url, compacts=True) as one, psycopg.connect(**server, autocommit=True) as admin:
        player.send(power(0.0))
        player.settle()
        acknowledged = client.get(keys.telemetry_acked(SITE, EDGE))
        with refusing(admin, history_database["dbname"]):
            for n in range(30):
                player.send(power(n))
            eventually(lambda: "postgresql" in one.missing(), "the historian says that PostgreSQL is away")
            assert client.xlen(player.stream) == 30
            assert client.get(keys.telemetry_acked(SITE, EDGE)) == acknowledged
        player.settle(15)
        eventually(lambda: not one.missing(), "the historian is ready again")
    with psycopg.connect(**history_database) as fresh:
        assert stored(fresh) == player.ledger.samples
        assert count(fresh, "poison") == 0


def test_two_historians_on_one_site_store_each_batch_once(
    connection: Connection[Any],
    history_database: dict[str, Any],
    client: redis.Redis,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A lease that is lost unnoticed must not matter."""
    monkeypatch.setattr("telemetry.historian.Leases.keep", lambda self, sites: self.held.update(sites))
    player = Player(client, Ledger())
    with running(history_database, url), running(history_database, url):
        for n in range(300):
            player.send(power(n))
        player.settle()
    assert stored(connection) == player.ledger.samples
    assert count(connection, "batch") == 300


def test_a_receipt_that_a_full_redis_refused_is_written_later(
    connection: Connection[Any], history_database: dict[str, Any], client: redis.Redis, url: str
) -> None:
    player = Player(client, Ledger())
    player.send(power(1.0))
    try:
        client.config_set("maxmemory", 1)
        with running(history_database, url) as one:
            eventually(lambda: count(connection, "batch"), "the batch is committed")
            eventually(lambda: client.xlen(player.stream) == 0, "and forgotten")
            assert not client.exists(keys.telemetry_acked(SITE, EDGE))
            client.config_set("maxmemory", 0)
            eventually(lambda: client.exists(keys.telemetry_acked(SITE, EDGE)), "the receipt is written")
            assert not one.missing()
    finally:
        client.config_set("maxmemory", 0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_compactor_that_a_fault_has_ended_is_not_ready(history_database: dict[str, Any], url: str) -> None:
    def fault(*_: object) -> None:
        raise ZeroDivisionError

    with running(history_database, url) as one:
        compactor = Compactor(one.historian, history_database, one.status, fault)
        compactor.start()
        compactor.join(10)
        eventually(lambda: list(one.missing()) == ["compaction"], "it is said, and nothing else is")
