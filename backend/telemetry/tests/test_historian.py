"""What the historian does with streams: reads, commits, forgets, tells; nothing that an edge sends stops it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from psycopg import Connection

from telemetry.historian import now_ms
from telemetry.rollups import DAY
from telemetry.samples import HOUR
from telemetry.streams import Streams, connect
from telemetry.tests.ledger import EDGE, SITE, Ledger, count, reading, stored
from telemetry.tests.player import Player, eventually
from telemetry.tests.running import EDGES, power, running


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
    lags: list[float] = []
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


@pytest.mark.parametrize("made_up", [f"{2**64 - 1}-{2**64 - 1}", f"{2**62}-0", f"{2**64 - 1}-5"])
def test_a_made_up_id_does_not_close_the_stream_for_ever(
    connection: Connection[Any], history_database: dict[str, Any], client: redis.Redis, url: str, made_up: str
) -> None:
    player = Player(client, Ledger())
    client.xadd(player.stream, {"batch": b"{}"}, id=made_up)
    with running(history_database, url, EDGES):
        eventually(lambda: not client.exists(player.stream), "the stream is begun anew")
        player.send(power(1.0))
        player.settle()
    assert stored(connection) == player.ledger.samples


def test_one_read_goes_past_what_is_no_stream(client: redis.Redis, url: str) -> None:
    player, neighbour = Player(client, Ledger()), Player(client, Ledger(edge=EDGE + 1))
    neighbour.send(power(1.0))
    client.hset(player.stream, "no", "stream")
    with contextlib.closing(Streams(connect(url))) as streams:
        streams.watch([*EDGES, (SITE, EDGE + 1)])
        assert [one.key for one in streams.read("stream")] == [neighbour.stream]
    assert not client.exists(player.stream)


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
