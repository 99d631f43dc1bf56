"""A site's history is removed for good, in both stores, and no other site's."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from psycopg import Connection

from ems_contract import keys
from telemetry import removal, store
from telemetry.compaction import compact
from telemetry.hot import Entry
from telemetry.ingest import ingest
from telemetry.rollups import DAY
from telemetry.tests.conftest import TABLES
from telemetry.tests.ledger import EDGE, NOON, SITE, WINDOW, Ledger, count, reading, stored
from telemetry.tests.player import eventually

OTHER = 8


@pytest.fixture
def two_sites(connection: Connection[Any]) -> dict[str, Ledger]:
    """Hot and cold history of two sites, and what was set aside."""
    ledgers = {"own": Ledger(), "other": Ledger(site=OTHER, edge=4)}
    for ledger in ledgers.values():
        old = [reading(NOON - 5 * DAY + n * 60_000, {"meter.power": float(n), "meter.x": 1.0}) for n in range(90)]
        new = [reading(NOON - 60_000 + n * 1_000, {"meter.power": float(n)}) for n in range(10)]
        poison = Entry(ledger.site, ledger.edge, b"junk")
        ingest(connection, [ledger.batch(*old), ledger.batch(*new), poison], WINDOW)
        compact(connection, ledger.site, NOON)
    return ledgers


def test_nothing_is_left_of_it_and_everything_of_others(
    connection: Connection[Any], client: redis.Redis, two_sites: dict[str, Ledger]
) -> None:
    for ledger in two_sites.values():
        client.xadd(keys.telemetry_stream(ledger.site, ledger.edge, "backfill"), {"batch": b"x"})
        client.set(keys.telemetry_acked(ledger.site, ledger.edge), "x")
    before = {table: count(connection, table) for table in TABLES}
    assert all(before[table] for table in TABLES if table != "gap"), before
    assert removal.remove(connection, client, SITE, [EDGE])
    assert stored(connection) == {}
    assert stored(connection, OTHER) == two_sites["other"].samples
    assert {table: count(connection, table) * 2 for table in TABLES} == before
    assert {keys.parse_stream(name.decode())[0] for name in client.scan_iter("telemetry:*:backfill")} == {OTHER}
    assert client.exists(keys.telemetry_acked(OTHER, 4))
    assert not client.exists(keys.telemetry_acked(SITE, EDGE))


def test_doing_it_again_does_no_harm(
    connection: Connection[Any], client: redis.Redis, two_sites: dict[str, Ledger]
) -> None:
    assert removal.remove(connection, client, SITE, [EDGE])
    assert removal.remove(connection, client, SITE, [EDGE])
    assert stored(connection, OTHER) == two_sites["other"].samples


def test_it_waits_while_a_historian_owns_the_site(
    connection: Connection[Any], history_database: dict[str, Any], client: redis.Redis, two_sites: dict[str, Ledger]
) -> None:
    with store.connect(history_database) as historian:
        historian.execute("SELECT pg_advisory_lock(hashtextextended('ems.lease.' || %s::bigint, 0))", (SITE,))
        assert not removal.remove(connection, client, SITE, [EDGE])
        assert stored(connection) == two_sites["own"].samples
    eventually(lambda: removal.remove(connection, client, SITE, [EDGE]), "the site is free")


def test_samples_are_counted_in_both_stores(connection: Connection[Any], two_sites: dict[str, Ledger]) -> None:
    assert removal.count_samples(connection, [SITE]) == len(two_sites["own"].samples)
    assert removal.count_samples(connection, [SITE, OTHER]) == 2 * len(two_sites["own"].samples)
    assert removal.count_samples(connection, []) == 0
