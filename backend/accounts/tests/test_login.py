"""POST /api/auth/login"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent, Person
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
        "two_factor": False,
        "organizations": [{"id": cast.alpha.pk, "name": "Alpha", "role": "org_admin", "sandbox": False}],
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


def test_a_service_account_answers_like_an_unknown_address(cast: Cast) -> None:
    service = User.objects.create_user("token-1@service.invalid", cast.password, name="Service", is_service=True)
    unknown = login(APIClient(), "nobody@example.com", cast.password)
    answer = login(APIClient(), service.email, cast.password)
    assert (answer.status_code, answer.content) == (401, unknown.content)


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com", "bob@example.com"])
def test_a_password_is_hashed_for_every_address(cast: Cast, settings: Settings, email: str) -> None:
    """So that the time says nothing either. Counted, not measured: a hash is most of the work."""
    cast.bob.is_active = False
    cast.bob.save()
    settings.PASSWORD_HASHERS = ["accounts.tests.test_login.CountingHasher"]
    CountingHasher.hashed = 0
    assert login(APIClient(), email, "wrong").status_code == 401
    assert CountingHasher.hashed == 1


class CountingHasher(MD5PasswordHasher):
    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.hashed += 1
        return super().encode(password, salt)


def test_logins_and_failures_are_audited_without_the_password(cast: Cast) -> None:
    login(APIClient(), "alice@example.com", "a wrong password")
    login(APIClient(), "alice@example.com", cast.password)
    failed, succeeded = AuditEvent.objects.filter(action__startswith="login").order_by("id")
    assert (failed.action, failed.actor_name, failed.actor_id) == ("login.failed", "alice@example.com", None)
    assert (succeeded.action, succeeded.actor_id, succeeded.address) == ("login.succeeded", cast.alice.pk, "127.0.0.1")
    assert "password" not in json.dumps([failed.details, succeeded.details])


@pytest.mark.parametrize("typed", ["my-Pass-phrase-in-the-wrong-field", "p@ssw0rd", "command migrate", "edge_3"])
def test_what_is_no_address_is_not_kept_as_who_tried(cast: Cast, typed: str) -> None:
    login(APIClient(), typed, "a wrong password")
    failed = AuditEvent.objects.get(action="login.failed")
    assert (failed.actor_name, failed.address) == ("", "127.0.0.1")
    assert not Person.objects.filter(text__iexact=typed).exists()


def test_a_missing_field_is_named(cast: Cast) -> None:
    answer = APIClient().post(URL, {"email": "alice@example.com"}, format="json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"] == [{"field": "password", "message": "This field is required."}]


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
