"""Edge keys: revoked, rotated, wiped from Redis, and looked for wherever they must not be. Against a real Redis."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import redis
from rest_framework.test import APIClient

from ems_contract import keys
from sites import edge_keys, edge_redis
from sites.actions.edge_keys import do_create_key, do_revoke_key
from sites.models import EdgeKey
from sites.tests.asking import send
from sites.tests.thief import connect, refuses, session
from testing.cast import Cast, ClientOf, EdgeKit, edge_kit

ONE_SECOND = 1.0


@pytest.fixture
def kit(cast: Cast) -> EdgeKit:
    return edge_kit(cast.own)


@pytest.fixture
def stream(kit: EdgeKit) -> str:
    return keys.telemetry_stream(kit.edge.site_id, kit.edge.pk)


@pytest.fixture
def thief(kit: EdgeKit) -> Iterator[redis.Redis]:
    with closing(connect(session(kit.text))) as connection:
        yield connection


# A revoked key ------------------------------------------------------------------------------------------------------


def died(act: Callable[[], object]) -> float:
    """Seconds until `act` fails because the connection is gone; asserts that it is less than one."""
    started = time.monotonic()
    while time.monotonic() - started < ONE_SECOND:
        try:
            act()
        except (redis.ConnectionError, redis.AuthenticationError):
            return time.monotonic() - started
    raise AssertionError(f"the connection lives {ONE_SECOND} s after its key was revoked")


def test_a_revoked_key_on_an_open_connection_is_dead_within_a_second(
    kit: EdgeKit, thief: redis.Redis, stream: str
) -> None:
    assert thief.ping()
    do_revoke_key(kit.key)
    died(lambda: thief.xadd(stream, {"batch": "{}"}))


def test_a_revoked_key_on_a_connection_that_only_listens_is_dead_within_a_second(kit: EdgeKit) -> None:
    with closing(connect(session(kit.text))) as listener, listener.pubsub() as subscription:
        subscription.subscribe(keys.config_changed_channel(kit.edge.pk))
        assert subscription.get_message(timeout=2)
        do_revoke_key(kit.key)
        died(lambda: subscription.connection.read_response(timeout=ONE_SECOND))


def test_a_revoked_key_on_a_connection_that_waits_in_a_command_is_dead_within_a_second(
    kit: EdgeKit, stream: str
) -> None:
    with closing(connect(session(kit.text))) as waiting:
        connection = waiting.connection
        assert connection is not None
        connection.send_command("XREAD", "BLOCK", 0, "STREAMS", stream, "$")
        do_revoke_key(kit.key)
        died(lambda: connection.read_response(timeout=ONE_SECOND))


def test_a_revoked_key_opens_neither_a_session_nor_a_connection(kit: EdgeKit) -> None:
    access = session(kit.text)
    do_revoke_key(kit.key)
    with pytest.raises(redis.AuthenticationError):
        connect(access)
    answer = APIClient().post("/api/edge/session", {}, format="json", HTTP_AUTHORIZATION=f"Bearer {kit.text}")
    assert answer.status_code == 401


def test_revoking_over_the_api_ends_the_connection_before_it_answers(
    cast: Cast, client_of: ClientOf, kit: EdgeKit, thief: redis.Redis
) -> None:
    assert thief.ping()
    assert client_of(cast.max).delete(f"/api/edge-keys/{kit.key.pk}").status_code == 204
    with pytest.raises((redis.ConnectionError, redis.AuthenticationError)):
        thief.ping()


# Two keys, and a Redis that forgot ----------------------------------------------------------------------------------


def test_two_live_keys_work_side_by_side_and_one_revocation_spares_the_other(kit: EdgeKit, stream: str) -> None:
    _, text = do_create_key(kit.edge)
    with closing(connect(session(kit.text))) as first, closing(connect(session(text))) as second:
        assert first.xadd(stream, {"batch": "{}"})
        assert second.xadd(stream, {"batch": "{}"})
        do_revoke_key(kit.key)
        died(first.ping)
        assert second.xadd(stream, {"batch": "{}"})


def test_the_user_is_made_again_after_redis_was_wiped(kit: EdgeKit, stream: str, clean_redis: redis.Redis) -> None:
    first = session(kit.text)
    clean_redis.acl_deluser(first.username)
    clean_redis.flushall()
    with pytest.raises(redis.AuthenticationError):
        connect(first)
    again = session(kit.text)
    assert again == first
    with closing(connect(again)) as healed:
        assert healed.xadd(stream, {"batch": "{}"})
        assert refuses(healed, "SET", keys.telemetry_acked(kit.edge.site_id, kit.edge.pk), "1-9")


def test_rules_that_somebody_widened_are_narrow_again_after_the_next_session(
    kit: EdgeKit, clean_redis: redis.Redis
) -> None:
    access = session(kit.text)
    clean_redis.execute_command("ACL", "SETUSER", access.username, "~*", "&*", "+@all", ">another password")
    session(kit.text)
    with closing(connect(access)) as edge:
        assert refuses(edge, "KEYS", "*")
    (described,) = (line for line in map(str, clean_redis.acl_list()) if f"user {access.username} " in line)
    assert "~*" not in described
    assert described.count(" #") == 1


def test_a_key_of_a_wiped_database_row_cannot_be_guessed_from_its_redis_user(kit: EdgeKit) -> None:
    """The password of one key says nothing about that of another."""
    key, _ = do_create_key(kit.edge)
    first, second = edge_redis.password(kit.key), edge_redis.password(key)
    assert first != second
    assert kit.key.secret_hash not in first
    assert re.fullmatch(r"[0-9a-f]{64}", first)


# The key is nowhere -------------------------------------------------------------------------------------------------


def test_the_key_is_in_no_log_no_repr_and_no_get_answer(
    cast: Cast,
    client_of: ClientOf,
    kit: EdgeKit,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    client = client_of(cast.alice)
    made = send(client, "POST", f"/api/edges/{kit.edge.pk}/keys").json()
    access = session(made["key"])
    APIClient().post("/api/edge/session", b"{", content_type="text/plain", HTTP_AUTHORIZATION=f"Bearer {made['key']}")
    found = edge_keys.find(made["key"])
    said = [repr(found), str(found), repr(access), repr(edge_keys.generate()), repr(kit)]
    places = (f"edges/{kit.edge.pk}/keys", f"edge-keys/{made['id']}", f"edges/{kit.edge.pk}", "edges", "devices")
    said += [client.get(f"/api/{place}").content.decode() for place in places]
    said.append(client.delete(f"/api/edge-keys/{made['id']}").content.decode())
    said += [caplog.text, *capfd.readouterr()]
    secret = made["key"].split("_", 2)[2]
    row = EdgeKey.objects.get(pk=made["id"])
    for text in said:
        for hidden in (secret, access.password, row.secret_hash):
            assert hidden not in text
    assert secret not in str(EdgeKey.objects.filter(pk=row.pk).values().get())
