"""The relay of access changes: Redis is told first, the row is forgotten afterwards, and nothing is lost in between."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import redis
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.retry import Retry

from accounts.models import AccessChange
from accounts.outbox import AT_ONCE, Relay
from ems_contract import keys
from ems_contract.access import AccessEvent

pytestmark = pytest.mark.django_db
NOWHERE = redis.Redis(port=1, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))


@pytest.fixture
def heard(clean_redis: redis.Redis) -> Iterator[PubSub]:
    with clean_redis.pubsub() as subscription:
        subscription.psubscribe(keys.USERS_PATTERN)
        subscription.get_message(timeout=2)
        yield subscription


def events(heard: PubSub) -> list[AccessEvent]:
    found = []
    while message := heard.get_message(timeout=0.05):
        event = msgspec.json.decode(message["data"], type=AccessEvent)
        assert message["channel"].decode() == keys.permission_changed_channel(event.user)
        found.append(event)
    return found


def changed(*users: int) -> None:
    AccessChange.objects.bulk_create(AccessChange(user_id=user, reason="a test") for user in users)


def epoch(clean_redis: redis.Redis, user: int) -> int:
    return int(clean_redis.get(keys.user_epoch(user)) or 0)


def test_the_epoch_is_raised_the_event_is_told_and_the_row_forgotten(clean_redis: redis.Redis, heard: PubSub) -> None:
    changed(7)
    Relay().run()
    assert events(heard) == [AccessEvent(1, 7, epoch(clean_redis, 7), "a test")]
    assert not AccessChange.objects.exists()
    before = epoch(clean_redis, 7)
    changed(7)
    Relay().run()
    assert epoch(clean_redis, 7) == before + 1


def test_several_changes_of_one_user_are_one_event(clean_redis: redis.Redis, heard: PubSub) -> None:
    changed(7, 8, 7, 7, 8)
    Relay().run()
    assert sorted(event.user for event in events(heard)) == [7, 8]


def test_however_many_there_are_all_are_told_in_one_turn(clean_redis: redis.Redis) -> None:
    changed(*range(1, AT_ONCE * 2 + 2))
    Relay().run()
    assert len(clean_redis.keys("user:*:epoch")) == AT_ONCE * 2 + 1
    assert not AccessChange.objects.exists()


def test_while_redis_is_away_the_rows_stay(
    clean_redis: redis.Redis, heard: PubSub, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(7)
    with monkeypatch.context() as patch:
        patch.setattr("accounts.outbox.client", lambda: NOWHERE)
        with pytest.raises(redis.ConnectionError):
            Relay().run()
    assert AccessChange.objects.count() == 1
    Relay().run()
    assert [event.user for event in events(heard)] == [7]


def test_a_full_redis_is_told_once_and_takes_the_epoch_when_there_is_room(
    clean_redis: redis.Redis, heard: PubSub
) -> None:
    changed(7)
    relay = Relay()
    clean_redis.config_set("maxmemory", "1")
    try:
        for _ in range(3):
            with pytest.raises(redis.exceptions.OutOfMemoryError):
                relay.run()
    finally:
        clean_redis.config_set("maxmemory", "0")
    assert [event.user for event in events(heard)] == [7]
    assert AccessChange.objects.count() == 1
    relay.run()
    assert epoch(clean_redis, 7) > 0
    assert not AccessChange.objects.exists()


def test_no_epoch_comes_twice_though_redis_lost_its_data(clean_redis: redis.Redis) -> None:
    changed(7)
    Relay().run()
    before = epoch(clean_redis, 7)
    clean_redis.flushdb()
    assert epoch(clean_redis, 7) == 0  # also an inequality: every grant of before is void
    changed(7)
    Relay().run()
    assert epoch(clean_redis, 7) > before
