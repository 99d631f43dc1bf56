"""A changed configuration reaches the edge, and a key that ended loses its Redis user, however the change was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import redis
from django.db import connection
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.retry import Retry

from ems_contract import keys
from sites import edge_redis, outbox
from sites.models import Device, Edge, EdgeChange, EdgeKey, Point
from testing.cast import Cast, EdgeKit, edge_kit

NOWHERE = redis.Redis(port=1, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))


@pytest.fixture
def kit(cast: Cast) -> EdgeKit:
    made = edge_kit(cast.own)
    edge_redis.apply(made.key)
    outbox.relay()
    return made


@pytest.fixture
def heard(clean_redis: redis.Redis, kit: EdgeKit) -> Iterator[PubSub]:
    with clean_redis.pubsub() as subscription:
        subscription.subscribe(keys.config_changed_channel(kit.edge.pk))
        subscription.get_message(timeout=2)
        yield subscription


CONFIGURED: dict[str, Callable[[EdgeKit], object]] = {
    "a device changes in bulk": lambda kit: Device.objects.update(poll_interval=2.0),
    "a connection changes in bulk": lambda kit: Device.objects.update(connection={"host": "10.0.0.1"}),
    "devices are deleted": lambda kit: Device.objects.all().delete(),
    "a device is made": lambda kit: Device.objects.create(edge=kit.edge, key="more", name="More", driver="modbus"),
    "the edge's interval changes": lambda kit: Edge.objects.update(poll_interval=9.0),
}


@pytest.mark.parametrize("change", CONFIGURED)
def test_the_edge_hears_of_a_change_of_its_configuration(kit: EdgeKit, heard: PubSub, change: str) -> None:
    CONFIGURED[change](kit)
    outbox.relay()
    assert heard.get_message(timeout=2) is not None
    assert heard.get_message(timeout=0.05) is None
    assert not EdgeChange.objects.exists()


def test_the_edge_hears_nothing_of_what_is_no_configuration(kit: EdgeKit, heard: PubSub) -> None:
    Edge.objects.update(last_session=timezone.now(), software="new")
    kit.device.save()
    EdgeKey.objects.update(last_used=timezone.now())
    assert not EdgeChange.objects.exists()


ENDED: dict[str, Callable[[EdgeKit], object]] = {
    "deleted": lambda kit: kit.key.delete(),
    "deleted in bulk": lambda kit: EdgeKey.objects.all().delete(),
    "revoked with update": lambda kit: EdgeKey.objects.update(revoked=timezone.now()),
    "deleted with its site": lambda kit: (Point.objects.all().delete(), kit.edge.site.delete()),
}


@pytest.mark.parametrize("change", ENDED)
def test_a_key_that_ended_loses_its_redis_user(kit: EdgeKit, clean_redis: redis.Redis, change: str) -> None:
    name = edge_redis.user_name(kit.key)
    assert name in clean_redis.acl_users()
    ENDED[change](kit)
    outbox.relay()
    assert name not in clean_redis.acl_users()


def test_a_key_that_is_deleted_while_redis_is_away_loses_its_redis_user_later(
    kit: EdgeKit, clean_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = edge_redis.user_name(kit.key)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sites_edgekey")
    with monkeypatch.context() as patch:
        patch.setattr("sites.edge_redis.client", lambda: NOWHERE)
        with pytest.raises(redis.ConnectionError):
            outbox.relay()
    assert name in clean_redis.acl_users()
    outbox.relay()
    assert name not in clean_redis.acl_users()
