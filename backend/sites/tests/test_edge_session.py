"""POST /api/edge/session"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.test import APIClient

from accounts import tokens
from audit.models import AuditEvent
from ems_contract import keys
from ems_contract.provisioning import RedisAccess, SessionAnswer
from sites.actions.edge_keys import do_create_key, do_revoke_key
from testing.cast import Cast, EdgeKit, edge_kit

URL = "/api/edge/session"


def post(key: str, body: object = None, scheme: str = "Bearer") -> Any:
    body = {"boot": str(uuid.uuid4()), "software": "ems-edge 0.1"} if body is None else body
    return APIClient().post(URL, body, format="json", HTTP_AUTHORIZATION=f"{scheme} {key}")


def session(kit: EdgeKit) -> SessionAnswer:
    answer = post(kit.text)
    assert answer.status_code == 200, answer.content
    return msgspec.json.decode(answer.content, type=SessionAnswer)


def connect(access: RedisAccess) -> redis.Redis:
    return redis.Redis.from_url(access.url, username=access.username, password=access.password)


@pytest.fixture
def kit(cast: Cast) -> EdgeKit:
    return edge_kit(cast.own)


def test_it_answers_with_configuration_and_redis_user(kit: EdgeKit, cast: Cast) -> None:
    answer = session(kit)
    assert (answer.edge, answer.site) == (f"edge_{kit.edge.pk}", f"site_{cast.own.pk}")
    assert (answer.edge_name, answer.site_name, answer.timezone) == ("Edge", "Own", "Europe/Berlin")
    assert answer.config.poll_interval == 5.0
    (device,) = answer.config.devices
    assert (device.key, device.driver, device.profile) == ("grid_meter", "modbus", "stl_meter")
    assert device.connection == {"host": "127.0.0.1", "port": 5020, "unit": 1}
    assert answer.redis.username == keys.edge_user(kit.edge.pk, kit.key.prefix)
    assert "@" not in answer.redis.url


def test_the_redis_user_opens_its_own_keys_and_nothing_else(kit: EdgeKit, cast: Cast) -> None:
    edge = connect(session(kit).redis)
    own, me = cast.own.pk, kit.edge.pk
    assert edge.xadd(keys.telemetry_stream(own, me), {"batch": "{}"})
    assert edge.xadd(keys.telemetry_stream(own, me, "backfill"), {"batch": "{}"})
    edge.hset(keys.telemetry_latest(own), f"edge_{me}", "{}")
    edge.publish(keys.telemetry_channel(own), "{}")
    assert edge.get(keys.telemetry_acked(own, me)) is None
    refused: list[Callable[[], object]] = [
        lambda: edge.set(keys.telemetry_acked(own, me), "1-900"),
        lambda: edge.xadd(keys.commands_stream(own, me), {"x": "y"}),
        lambda: edge.xadd(keys.telemetry_stream(own, me + 1), {"batch": "{}"}),
        lambda: edge.xadd(keys.telemetry_stream(cast.foreign.pk, me), {"batch": "{}"}),
        lambda: edge.publish(keys.telemetry_channel(cast.foreign.pk), "{}"),
        lambda: edge.publish(keys.permission_changed_channel(1), "{}"),
        lambda: edge.hgetall(keys.telemetry_latest(own)),
        lambda: edge.delete(keys.telemetry_stream(own, me)),
        lambda: edge.keys("*"),
        edge.flushdb,
        lambda: edge.execute_command("ACL WHOAMI"),
        lambda: edge.execute_command("PSUBSCRIBE", "*"),
        lambda: edge.execute_command("SUBSCRIBE", keys.telemetry_channel(cast.foreign.pk)),
    ]
    for attempt in refused:
        with pytest.raises(redis.exceptions.NoPermissionError):
            attempt()
    edge.close()


def test_the_password_stays_the_same_and_heals_a_redis_that_forgot(kit: EdgeKit, clean_redis: redis.Redis) -> None:
    first = session(kit).redis
    clean_redis.acl_deluser(first.username)
    with pytest.raises(redis.AuthenticationError):
        connect(first).ping()
    second = session(kit).redis
    assert second == first
    assert connect(second).ping()


def test_each_key_has_its_own_redis_user(kit: EdgeKit) -> None:
    _, other = do_create_key(kit.edge)
    answer = msgspec.json.decode(post(other).content, type=SessionAnswer)
    mine = session(kit).redis
    assert answer.redis.username != mine.username
    assert answer.redis.password != mine.password


def test_a_revoked_key_is_refused_and_its_open_connection_ends(kit: EdgeKit, cast: Cast) -> None:
    edge = connect(session(kit).redis)
    assert edge.ping()
    do_revoke_key(kit.key)
    with pytest.raises((redis.ConnectionError, redis.AuthenticationError)):
        edge.ping()
    assert post(kit.text).status_code == 401


def test_a_key_is_not_revoked_while_redis_cannot_hear_it(kit: EdgeKit, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = redis.Redis(port=1, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))
    with monkeypatch.context() as patch:
        patch.setattr("sites.edge_redis.client", lambda: nowhere)
        with pytest.raises(redis.ConnectionError):
            do_revoke_key(kit.key)
        answer = post(kit.text)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:ems:problem:unavailable")
    assert post(kit.text).status_code == 200


def bad_keys(kit: EdgeKit, cast: Cast) -> dict[str, str]:
    prefix = kit.key.prefix
    return {
        "empty": "",
        "another secret": f"ems_{prefix}_{'A' * 43}",
        "another prefix": kit.text.replace(prefix, "0" * 12),
        "no secret": f"ems_{prefix}_",
        "the hash": f"ems_{prefix}_{kit.key.secret_hash}",
        "a longer secret": f"{kit.text}A",
        "not ASCII": f"ems_{prefix}_{'é' * 43}",
        "a user's token": tokens.start(cast.root).access,
    }


def test_every_bad_key_is_refused_byte_for_byte_alike(kit: EdgeKit, cast: Cast) -> None:
    answers = {name: post(key) for name, key in bad_keys(kit, cast).items()}
    answers["another scheme"] = post(kit.text, scheme="Basic")
    answers["none"] = APIClient().post(URL, {}, format="json")
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert len({answer.content for answer in answers.values()}) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "request"),
        ({"boot": "x"}, "request"),
        ({"boot": 7, "software": "s"}, "boot"),
        ({"boot": "not a uuid", "software": "s"}, "boot"),
        ({"boot": str(uuid.UUID(int=1)), "software": "a\x00b"}, "software"),
        ({"boot": str(uuid.UUID(int=1)), "software": "x" * 101}, "software"),
        ([], "request"),
    ],
)
def test_a_bad_request_names_the_field(kit: EdgeKit, body: object, field: str) -> None:
    answer = post(kit.text, body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_junk_is_refused_in_words(kit: EdgeKit, body: bytes) -> None:
    answer = APIClient().post(URL, body, content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {kit.text}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_the_revision_changes_exactly_with_the_configuration(kit: EdgeKit) -> None:
    first = session(kit).config.revision
    kit.edge.name = "Renamed"
    kit.edge.save()
    assert session(kit).config.revision == first
    kit.device.connection["port"] = 5021
    kit.device.save()
    second = session(kit).config.revision
    assert second != first
    kit.edge.poll_interval = 1.0
    kit.edge.save()
    assert session(kit).config.revision not in (first, second)


def test_it_is_audited_and_the_key_is_in_no_row_log_or_repr(
    kit: EdgeKit, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = session(kit)
    event = AuditEvent.objects.get(action="edge.session_opened")
    assert (event.site_id, event.actor) == (kit.edge.site_id, f"edge_{kit.edge.pk}")
    kit.key.refresh_from_db()
    secret = kit.text.split("_", 2)[2]
    said = [repr(answer), repr(kit.key), str(kit.key), str(kit.key.__dict__), caplog.text, capsys.readouterr().err]
    said += [str(row) for row in AuditEvent.objects.values()]
    for text in said:
        assert secret not in text
        assert answer.redis.password not in text
    assert kit.key.last_used is not None


def test_the_log_tells_a_session_once_until_the_edge_its_place_or_its_software_is_another(kit: EdgeKit) -> None:
    body = {"boot": str(uuid.uuid4()), "software": "ems-edge 0.1"}
    for changes in ({}, {}, {"software": "ems-edge 0.2"}, {"software": "ems-edge 0.2"}, {"boot": str(uuid.uuid4())}):
        assert post(kit.text, body | changes).status_code == 200
    assert AuditEvent.objects.filter(action="edge.session_opened").count() == 3


def test_the_users_survive_in_the_acl_file_where_there_is_one(kit: EdgeKit, clean_redis: redis.Redis) -> None:
    name = session(kit).redis.username
    if clean_redis.config_get("aclfile")["aclfile"]:
        clean_redis.acl_load()
        clean_redis.connection_pool.disconnect()  # Redis may end connections of users that it has read anew
    assert name in clean_redis.acl_users()  # without a file the session was opened all the same
