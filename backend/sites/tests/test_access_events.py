"""Every change of access raises the user's epoch and is published, after the commit and only then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import msgspec
import pytest
import redis
from django.db import transaction
from django.db.models import Model
from pytest_django import DjangoCaptureOnCommitCallbacks
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts import tokens
from accounts.models import Membership, User
from ems_contract import keys
from ems_contract.access import AccessEvent
from sites.models import Device, SiteAccess
from testing.cast import Cast, edge_kit

Watch = Callable[[], AbstractContextManager[list[int]]]
NOWHERE = redis.Redis(port=1, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))


def epoch(connection: redis.Redis, user: int) -> int:
    return int(connection.get(keys.user_epoch(user)) or 0)


@pytest.fixture
def events(
    cast: Cast, clean_redis: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Watch:
    """`with events() as seen:` commits what happens inside; `seen` then lists the users whose events came."""

    @contextmanager
    def watch() -> Iterator[list[int]]:
        seen: list[int] = []
        with clean_redis.pubsub() as subscription:
            subscription.psubscribe(keys.USERS_PATTERN)
            subscription.get_message(timeout=2)
            with django_capture_on_commit_callbacks(execute=True):
                yield seen
            clean_redis.publish("user:1:events", b"end")
            while (message := subscription.get_message(timeout=2)) and message["data"] != b"end":
                event = msgspec.json.decode(message["data"], type=AccessEvent)
                assert message["channel"].decode() == keys.permission_changed_channel(event.user)
                assert event.epoch <= epoch(clean_redis, event.user)
                seen.append(event.user)

    return watch


CHANGES: dict[str, tuple[Callable[[Cast], object], set[str]]] = {
    "a role is granted": (
        lambda cast: SiteAccess.objects.create(user=cast.bob, site=cast.other, role="viewer"),
        {"bob"},
    ),
    "a role is changed": (lambda cast: _save(cast.bob.site_accesses.get(), role="operator"), {"bob"}),
    "a role is taken": (lambda cast: cast.bob.site_accesses.get().delete(), {"bob"}),
    "roles are taken in bulk": (lambda cast: SiteAccess.objects.all().delete(), {"bob", "olga", "max"}),
    "a role is handed over": (lambda cast: _save(cast.bob.site_accesses.get(), user=cast.dev), {"bob", "dev"}),
    "a membership begins": (lambda cast: Membership.objects.create(user=cast.dev, organization=cast.beta), {"dev"}),
    "a membership is changed": (lambda cast: _save(cast.bob.memberships.get(), role="org_admin"), {"bob"}),
    "a membership ends": (lambda cast: cast.bob.memberships.get().delete(), {"bob"}),
    "an account is disabled": (lambda cast: _save(cast.bob, is_active=False), {"bob"}),
    "a platform admin is made": (lambda cast: _save(cast.bob, is_superuser=True), {"bob"}),
    "a password is changed": (lambda cast: _save(cast.bob, password="!"), {"bob"}),
    "an account is deleted": (lambda cast: cast.bob.delete(), {"bob"}),
    "operators are allowed": (
        lambda cast: _save(cast.own, operators_may_control=True),
        {"alice", "bob", "olga", "max", "root"},
    ),
    "a site moves": (
        lambda cast: _save(cast.other, organization=cast.beta),
        {"alice", "charlie", "root"},
    ),
    "a site is deleted": (lambda cast: cast.own.delete(), {"alice", "bob", "olga", "max", "root"}),
}


def _save(row: Model, **values: object) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_announced_to_whom_it_concerns(cast: Cast, events: Watch, change: str) -> None:
    act, concerned = CHANGES[change]
    ids = {name: user.pk for name, user in cast.everyone().items()}
    with events() as seen:
        act(cast)
    assert set(seen) == {ids[name] for name in concerned}


def test_the_end_of_a_session_is_announced(cast: Cast, events: Watch) -> None:
    issued = tokens.start(cast.bob)
    with events() as seen:
        tokens.end(str(issued.refresh))
    assert seen == [cast.bob.pk]


def test_a_login_and_a_change_of_nothing_are_not(cast: Cast, events: Watch) -> None:
    with events() as seen:
        tokens.start(cast.bob)
        User.objects.get(pk=cast.bob.pk).save()
        cast.own.save()
    assert seen == []


def test_nothing_is_announced_that_was_rolled_back(cast: Cast, events: Watch) -> None:
    with events() as seen, transaction.atomic():
        cast.bob.site_accesses.get().delete()
        transaction.set_rollback(True)
    assert seen == []


@pytest.mark.django_db(transaction=True)
def test_without_a_transaction_the_row_is_there_when_the_event_comes(clean_redis: redis.Redis) -> None:
    from testing.cast import make_cast

    cast = make_cast()
    before = epoch(clean_redis, cast.bob.pk)
    cast.bob.is_active = False
    cast.bob.save()
    assert epoch(clean_redis, cast.bob.pk) > before


def test_a_change_holds_though_redis_is_away(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sites.events.client", lambda: NOWHERE)
    with django_capture_on_commit_callbacks(execute=True):
        cast.bob.site_accesses.get().delete()
    assert not SiteAccess.objects.filter(user=cast.bob).exists()


def test_a_full_redis_refuses_the_epoch_but_open_sockets_still_hear(
    cast: Cast, clean_redis: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with clean_redis.pubsub() as subscription:
        subscription.subscribe(keys.permission_changed_channel(cast.bob.pk))
        subscription.get_message(timeout=2)
        clean_redis.config_set("maxmemory", "1")
        try:
            with django_capture_on_commit_callbacks(execute=True):
                cast.bob.site_accesses.get().delete()
        finally:
            clean_redis.config_set("maxmemory", "0")
        assert subscription.get_message(timeout=2) is not None


def test_an_edge_hears_of_a_change_of_its_devices(
    cast: Cast, clean_redis: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    kit = edge_kit(cast.own)
    with clean_redis.pubsub() as subscription:
        subscription.subscribe(keys.config_changed_channel(kit.edge.pk))
        subscription.get_message(timeout=2)
        with django_capture_on_commit_callbacks(execute=True):
            kit.device.poll_interval = 2.0
            kit.device.save()
        assert subscription.get_message(timeout=2) is not None
        with django_capture_on_commit_callbacks(execute=True):
            Device.objects.all().delete()
        assert subscription.get_message(timeout=2) is not None
