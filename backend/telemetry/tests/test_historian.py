"""The historian's loop on a real Redis and a real PostgreSQL, while one of them fails."""

from __future__ import annotations

import contextlib
import itertools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import redis
from psycopg import Connection, sql

from ems_contract import keys
from ems_contract.telemetry import Reading
from telemetry import streams
from telemetry.compactor import Compactor
from telemetry.historian import Historian, now_ms
from telemetry.hot import Window
from telemetry.ingest import ingest
from telemetry.rollups import DAY
from telemetry.samples import HOUR
from telemetry.status import Status
from telemetry.tests.ledger import EDGE, SITE, Ledger, count, reading, stored
from telemetry.tests.player import Player, RedisProcess, eventually, own_redis

EDGES = [(SITE, EDGE)]


class Running:
    """A historian in a thread of its own, as `manage.py historian` runs it."""

    def __init__(
        self, database: dict[str, Any], url: str, edges: list[tuple[int, int]], compacts: bool = False
    ) -> None:
        self.status = Status()
        self.historian = Historian(
            streams.Streams(streams.connect(url)), database, lambda: list(edges), self.status, retention_days=400
        )
        self._thread = threading.Thread(target=self.historian.run)
        self._compactor = Compactor(self.historian, database, self.status, lambda *_: None) if compacts else None

    def start(self) -> None:
        self._thread.start()
        if self._compactor:
            self._compactor.start()

    def stop(self) -> None:
        self.historian.stopping.set()
        self._thread.join(10)
        if self._compactor:
            self._compactor.stop(10)
        assert not self._thread.is_alive()

    def missing(self) -> dict[str, str]:
        return dict(self.status.report().get("missing", {}))


@contextlib.contextmanager
def running(
    database: dict[str, Any], url: str, edges: list[tuple[int, int]] = EDGES, compacts: bool = False
) -> Iterator[Running]:
    one = Running(database, url, edges, compacts)
    one.start()
    try:
        yield one
    finally:
        one.stop()


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


clock = itertools.count(now_ms())
"""An edge never issues a time twice."""


def power(value: float) -> Reading:
    return reading(next(clock), {"meter.power": value, "meter.reads": value})


def test_a_batch_is_committed_forgotten_and_acknowledged(
    connection: Connection[Any], history_database: dict[str, Any], client: redis.Redis, url: str
) -> None:
    player = Player(client, Ledger())
    with running(history_database, url) as one:
        for n in range(20):
            player.send(power(n))
            player.settle(5)
        eventually(lambda: not one.missing(), "the historian is ready")
    assert stored(connection) == player.ledger.samples
    assert client.xlen(player.stream) == 0


def test_a_live_batch_is_committed_within_a_second_while_backfill_is_read(
    connection: Connection[Any], history_database: dict[str, Any], client: redis.Redis, url: str
) -> None:
    backfill = Player(client, Ledger(), "backfill")
    start = now_ms() - 20 * DAY
    for n in range(300):
        backfill.send(
            *(
                reading(start + (n * 40 + i) * 60_000, {f"meter.p{p}": float(p + i) for p in range(40)})
                for i in range(40)
            )
        )
    live = Player(client, Ledger())
    lags = []
    with running(history_database, url, compacts=True):
        eventually(lambda: count(connection, "batch"), "the backfill is being read")
        while len(lags) < 20:
            sent = time.monotonic()
            live.send(power(len(lags)))
            live.settle(5)
            lags.append(time.monotonic() - sent)
        backfill.settle()
    assert sorted(lags)[len(lags) // 2] < 1.0, lags


def test_a_new_edge_is_found_within_five_seconds(
    connection: Connection[Any], history_database: dict[str, Any], client: redis.Redis, url: str
) -> None:
    edges: list[tuple[int, int]] = []
    with running(history_database, url, edges) as one:
        eventually(lambda: not one.missing(), "the historian is ready")
        player = Player(client, Ledger(site=8, edge=12))
        edges.append((8, 12))
        player.send(power(1.0))
        player.settle(5)


def test_a_stream_whose_edge_is_gone_is_read_to_its_end(
    connection: Connection[Any], history_database: dict[str, Any], client: redis.Redis, url: str
) -> None:
    gone = Player(client, Ledger(edge=44))
    gone.send(power(1.0))
    with running(history_database, url):
        gone.settle()
    assert stored(connection) == gone.ledger.samples


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


def test_a_second_historian_stands_by_and_takes_over(
    connection: Connection[Any], history_database: dict[str, Any], client: redis.Redis, url: str
) -> None:
    player = Player(client, Ledger())
    with running(history_database, url) as first:
        eventually(lambda: first.historian.sites == [SITE], "the first owns the site")
        with running(history_database, url) as second:
            eventually(lambda: not second.missing(), "the second is ready")
            player.send(power(1.0))
            player.settle()
            assert (second.historian.sites, second.status.report()["standby"]) == ([], 1)
            first.historian.stopping.set()
            eventually(lambda: second.historian.sites == [SITE], "the second owns the site")
            player.send(power(2.0))
            player.settle()
    assert stored(connection) == player.ledger.samples


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


def garbage(client: redis.Redis, stream: str) -> None:
    client.xadd(stream, {"batch": b"\xff not a batch"})


def no_batch_field(client: redis.Redis, stream: str) -> None:
    client.xadd(stream, {"something": "else", "more": "of it"})


def last_possible_id(client: redis.Redis, stream: str) -> None:
    client.xadd(stream.replace(":stream", ":backfill"), {"batch": b"{}"}, id=f"{2**64 - 1}-{2**64 - 1}")


def a_hash_instead_of_a_stream(client: redis.Redis, stream: str) -> None:
    client.hset(stream.replace(":stream", ":backfill"), "no", "stream")


@pytest.mark.parametrize("spoil", [garbage, no_batch_field, last_possible_id, a_hash_instead_of_a_stream])
def test_nothing_that_an_edge_does_to_its_streams_stops_the_queue(
    connection: Connection[Any],
    history_database: dict[str, Any],
    client: redis.Redis,
    url: str,
    spoil: Callable[[redis.Redis, str], None],
) -> None:
    player, neighbour = Player(client, Ledger()), Player(client, Ledger(edge=EDGE + 1))
    spoil(client, player.stream)
    with running(history_database, url, [*EDGES, (SITE, EDGE + 1)]):
        for one in (player, neighbour):
            one.send(power(1.0))
            one.settle()
        spoil(client, player.stream.replace(":stream", ":other"))
        assert count(connection, "poison") == (0 if spoil is a_hash_instead_of_a_stream else 1)


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


def test_closed_hours_are_compacted_while_it_runs(
    connection: Connection[Any], history_database: dict[str, Any], client: redis.Redis, url: str
) -> None:
    player = Player(client, Ledger(), "backfill")
    start = now_ms() - 10 * HOUR
    with running(history_database, url, compacts=True) as one:
        for n in range(100):
            player.send(reading(start + n * 60_000, {"meter.power": float(n)}))
        player.settle()
        eventually(lambda: count(connection, "segment") and not count(connection, "batch"), "all is cold")
        assert one.status.report()["counters"]["compacted_samples"] == 100
    assert stored(connection) == player.ledger.samples
