"""POST /api/auth/login"""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

from accounts.throttles import LoginByAccount, LoginByAddress
from audit.models import AuditEvent
from testing.cast import Cast

URL = "/api/auth/login"


def login(client: APIClient, email: str, password: str, **headers: str) -> Any:
    return client.post(URL, {"email": email, "password": password}, format="json", headers=headers)


def test_it_answers_with_an_access_token_and_a_refresh_cookie(cast: Cast) -> None:
    answer = APIClient().post(URL, {"email": " ALICE@example.com", "password": cast.password}, format="json")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access", "expires", "user"}
    assert body["user"] == {
        "id": cast.alice.pk,
        "email": "alice@example.com",
        "name": "Alice",
        "platform_admin": False,
        "developer": False,
        "organizations": [{"id": cast.alpha.pk, "name": "Alpha", "role": "org_admin"}],
    }
    cookie = answer.cookies["ems_refresh"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/api/auth")
    assert cookie.value not in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"


def test_the_cookie_is_secure_where_people_use_https(cast: Cast, settings: Settings) -> None:
    settings.REFRESH_COOKIE_SECURE = True
    answer = APIClient().post(URL, {"email": "alice@example.com", "password": cast.password}, format="json")
    assert answer.cookies["ems_refresh"]["secure"] is True


def test_a_wrong_password_an_unknown_and_a_disabled_account_answer_byte_for_byte_alike(cast: Cast) -> None:
    cast.bob.is_active = False
    cast.bob.save()
    attempts = [
        ("alice@example.com", "wrong"),
        ("nobody@example.com", "wrong"),
        ("bob@example.com", cast.password),
        ("bob@example.com", "wrong"),
    ]
    answers = [login(APIClient(), email, password) for email, password in attempts]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert all("ems_refresh" not in answer.cookies for answer in answers)


def test_logins_and_failures_are_audited_without_the_password(cast: Cast) -> None:
    login(APIClient(), "alice@example.com", "a wrong password")
    login(APIClient(), "alice@example.com", cast.password)
    failed, succeeded = AuditEvent.objects.filter(action__startswith="login").order_by("id")
    assert (failed.action, failed.actor, failed.actor_id) == ("login.failed", "alice@example.com", None)
    assert (succeeded.action, succeeded.actor_id, succeeded.address) == ("login.succeeded", cast.alice.pk, "127.0.0.1")
    assert "password" not in json.dumps([failed.details, succeeded.details])


def test_a_missing_field_is_named(cast: Cast) -> None:
    answer = APIClient().post(URL, {"email": "alice@example.com"}, format="json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"] == [{"field": "password", "message": "This field is required."}]


def test_guessing_is_stopped_and_the_victim_at_another_address_is_not(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoginByAccount, "THROTTLE_RATES", {"login_account": "3/min", "login_address": "60/min"})
    attacker, victim = APIClient(REMOTE_ADDR="203.0.113.9"), APIClient(REMOTE_ADDR="198.51.100.7")
    for _ in range(3):
        assert login(attacker, "alice@example.com", "guess").status_code == 401
    refused = login(attacker, "alice@example.com", cast.password)
    assert refused.status_code == 429
    assert refused.json()["type"] == "urn:ems:problem:throttled"
    assert int(refused["Retry-After"]) > 0
    assert login(attacker, "bob@example.com", cast.password).status_code == 200
    assert login(victim, "alice@example.com", cast.password).status_code == 200


def test_an_address_that_tries_many_accounts_is_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LoginByAccount, "THROTTLE_RATES", {"login_account": "9/min", "login_address": "3/min"})
    monkeypatch.setattr(
        "accounts.throttles.LoginByAddress.THROTTLE_RATES", {"login_account": "9/min", "login_address": "3/min"}
    )
    client = APIClient(REMOTE_ADDR="203.0.113.10")
    for index in range(3):
        assert login(client, f"user{index}@example.com", "guess").status_code == 401
    assert login(client, "alice@example.com", cast.password).status_code == 429


def test_guesses_that_come_together_are_all_counted(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LoginByAddress, "THROTTLE_RATES", {"login_account": "9/min", "login_address": "2/min"})
    request = Request(APIRequestFactory().post(URL))
    first, second, third = (LoginByAddress() for _ in range(3))
    assert first.allow_request(request, APIView())
    assert second.allow_request(request, APIView())
    first.failed()
    second.failed()
    assert not third.allow_request(request, APIView())


def test_many_successful_logins_are_not_guessing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LoginByAccount, "THROTTLE_RATES", {"login_account": "3/min", "login_address": "60/min"})
    for _ in range(5):
        assert login(APIClient(), "alice@example.com", cast.password).status_code == 200


def test_a_forwarded_address_is_not_believed_from_an_untrusted_sender(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoginByAccount, "THROTTLE_RATES", {"login_account": "2/min", "login_address": "60/min"})
    answers = [
        APIClient().post(
            URL,
            {"email": "alice@example.com", "password": "guess"},
            format="json",
            HTTP_X_FORWARDED_FOR=f"203.0.113.{index}",
        )
        for index in range(3)
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


@pytest.mark.parametrize("forwarded", ["junk", "203.0.113.7:5555", "1.2.3.4, <script>", "%eth0"])
def test_a_proxy_that_forwards_junk_for_an_address_keeps_nobody_out(
    cast: Cast, settings: Settings, forwarded: str
) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    answer = login(APIClient(), "alice@example.com", cast.password, **{"X-Forwarded-For": forwarded})
    assert answer.status_code == 200
    assert AuditEvent.objects.get(action="login.succeeded").address is None


@pytest.mark.parametrize(("forwarded", "kept"), [("203.0.113.7", "203.0.113.7"), ("x, fe80::1%eth0", "fe80::1")])
def test_an_address_that_a_trusted_proxy_names_is_audited(
    cast: Cast, settings: Settings, forwarded: str, kept: str
) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    login(APIClient(), "alice@example.com", cast.password, **{"X-Forwarded-For": forwarded})
    assert AuditEvent.objects.get(action="login.succeeded").address == kept


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"text"',
        b"\xff",
        b'{"email": {"a": 1}, "password": []}',
        b'{"email": "a\\u0000", "password": "b"}',
    ],
)
def test_junk_is_refused_in_words(cast: Cast, body: bytes) -> None:
    answer = APIClient().post(URL, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["status"] == 400
