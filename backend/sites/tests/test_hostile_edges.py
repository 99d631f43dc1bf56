"""Edges: every sentence of the hostile cases about a key and its Redis user, against a real Redis 7.

A connection here is one that a thief of the key could open: the credentials are those of the session's answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
import redis

from ems_contract import keys
from sites.tests.thief import (
    ABOUT_THE_SERVER,
    Command,
    Names,
    connect,
    reading,
    refuses,
    session,
    state,
    taken,
    writing,
)
from testing.cast import Cast, EdgeKit, edge_kit


@pytest.fixture
def kit(cast: Cast) -> EdgeKit:
    return edge_kit(cast.own)


@pytest.fixture
def other(cast: Cast) -> EdgeKit:
    """Another edge of the same site."""
    return edge_kit(cast.own, "battery")


@pytest.fixture
def thief(kit: EdgeKit) -> Iterator[redis.Redis]:
    with closing(connect(session(kit.text))) as connection:
        yield connection


@pytest.fixture
def names(cast: Cast, kit: EdgeKit, other: EdgeKit) -> Names:
    return Names(kit, other, cast.foreign.pk)


# The key of site A on site B, on users and on everybody --------------------------------------------------------------


def test_it_publishes_to_no_channel_but_its_sites(
    thief: redis.Redis, names: Names, cast: Cast, clean_redis: redis.Redis
) -> None:
    assert taken(thief, [("PUBLISH", channel, "{}") for channel in names.foreign_channels]) == []
    assert taken(thief, [("SPUBLISH", "telemetry:{site_1}", "{}")]) == []
    assert thief.publish(keys.telemetry_channel(cast.own.pk), "{}") == 0


def test_it_subscribes_to_no_channel_and_to_no_pattern(thief: redis.Redis, names: Names) -> None:
    subscriptions: list[Command] = [("SUBSCRIBE", channel) for channel in names.foreign_channels]
    subscriptions += [("SSUBSCRIBE", "telemetry:{site_1}"), ("MONITOR",)]
    for pattern in ("*", "telemetry:*", "telemetry:site_*", "user:*", "alerts:*", "__key*__:*", "edge:*"):
        subscriptions.append(("PSUBSCRIBE", pattern))
    assert taken(thief, subscriptions) == []


def test_its_own_site_is_heard_by_those_who_may_and_not_by_the_edge(thief: redis.Redis, kit: EdgeKit) -> None:
    """Besides its own configuration it may hear what it says itself; nothing of alerts, users or other sites."""
    with thief.pubsub() as subscription:
        subscription.subscribe(keys.config_changed_channel(kit.edge.pk))
        message = subscription.get_message(timeout=2)
        assert message is not None
        assert message["type"] == "subscribe"


def test_it_reads_no_key_that_is_not_its_own(thief: redis.Redis, names: Names, clean_redis: redis.Redis) -> None:
    for key in names.foreign_keys:
        assert taken(thief, reading(key)) == []


def test_it_writes_no_key_that_is_not_its_own(thief: redis.Redis, names: Names, clean_redis: redis.Redis) -> None:
    for key in names.foreign_keys:
        assert taken(thief, writing(key)) == []
    assert state(clean_redis) == {}


def test_one_foreign_key_among_its_own_spoils_the_command(thief: redis.Redis, names: Names) -> None:
    for foreign in names.foreign_keys:
        command: Command = ("XREAD", "COUNT", 1, "STREAMS", names.stream, foreign, "0", "0")
        assert refuses(thief, *command), foreign


# Its own names ------------------------------------------------------------------------------------------------------


def test_it_forges_neither_its_receipt_nor_a_command(
    thief: redis.Redis, names: Names, clean_redis: redis.Redis
) -> None:
    clean_redis.set(names.acked, "boot: 1-5")
    clean_redis.xadd(names.commands, {"command": "{}"})
    before = state(clean_redis)
    for key in (names.acked, names.commands):
        assert taken(thief, writing(key)) == []
    assert state(clean_redis) == before
    assert thief.get(names.acked) == b"boot: 1-5"
    assert thief.xrange(names.commands)


def test_it_can_neither_empty_nor_wedge_its_stream(thief: redis.Redis, names: Names, clean_redis: redis.Redis) -> None:
    """XTRIM, XDEL, DEL, XGROUP, SET, EXPIRE, RENAME and whatever else would harm the entries that are there."""
    streams = (names.stream, names.backfill, names.events)
    for key in streams:
        assert thief.xadd(key, {"batch": "{}"})
    before = state(clean_redis)
    for key in streams:
        commands = [command for command in writing(key) if command[0] != "XADD"]
        assert taken(thief, commands) == []
    assert state(clean_redis) == before


def test_it_makes_nothing_else_of_a_name_where_a_stream_belongs(
    thief: redis.Redis, names: Names, clean_redis: redis.Redis
) -> None:
    """Nobody has written there yet, so the type of the key would be the thief's choice."""
    for key in (names.stream, names.backfill, names.events):
        assert refuses(thief, "HSET", key, "no", "stream")
    for key in (names.latest, names.status):
        assert refuses(thief, "XADD", key, "*", "no", "hash")
    assert state(clean_redis) == {}


def test_it_reads_no_image_of_its_own_site_either(thief: redis.Redis, names: Names, clean_redis: redis.Redis) -> None:
    for key in (names.latest, names.status):
        clean_redis.hset(key, "edge_1", "{}")
        assert taken(thief, reading(key)) == []


def test_it_commands_nothing_that_is_about_the_server(thief: redis.Redis, clean_redis: redis.Redis) -> None:
    assert taken(thief, ABOUT_THE_SERVER) == []
    assert clean_redis.ping()
