"""The hostile cases of tokens, one test each. What surrounds them is in the tests of each endpoint."""

from __future__ import annotations

import base64
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connections
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import AccessChange, LoginSession
from testing.cast import Cast, make_cast

ME = "/api/auth/me"
REFRESH = "/api/auth/refresh"
LOGIN = "/api/auth/login"
KEY = str(django_settings.SIMPLE_JWT["SIGNING_KEY"])
HOME, ATTACKER = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def issued(cast: Cast) -> tokens.Tokens:
    return tokens.start(cast.alice)


def status_with(access: str) -> int:
    return int(APIClient().get(ME, HTTP_AUTHORIZATION=f"Bearer {access}").status_code)


def refresh(cookie: str | None) -> Any:
    client = APIClient()
    client.cookies["ems_refresh"] = cookie or ""
    return client.post(REFRESH)


def login(email: str, password: str, address: str = HOME) -> Any:
    return APIClient(REMOTE_ADDR=address).post(LOGIN, {"email": email, "password": password}, format="json")


def claims_of(token: str | None) -> dict[str, Any]:
    return jwt.decode(token or "", options={"verify_signature": False})


def test_alg_none_is_refused(issued: tokens.Tokens) -> None:
    for algorithm in ("none", "None", "NONE", ""):
        header, claims, _ = jwt.encode(claims_of(issued.access), "", algorithm="none").split(".")
        assert status_with(f"{header}.{claims}.") == 401
        forged = jwt.utils.base64url_encode(f'{{"alg":"{algorithm}","typ":"JWT"}}'.encode()).decode()
        assert status_with(f"{forged}.{claims}.") == 401
        assert status_with(f"{forged}.{claims}.{issued.access.rpartition('.')[2]}") == 401


def test_algorithm_confusion_is_refused(issued: tokens.Tokens) -> None:
    """Neither another HMAC with the right key, nor another algorithm's name on the right signature, nor a key that the
    token brings along."""
    claims = claims_of(issued.access)
    own_key = {"jwk": {"kty": "oct", "k": "AAAA"}, "jku": "https://evil.example/jwks", "kid": "../../dev/null"}
    forgeries = [
        jwt.encode(claims, KEY, algorithm="HS384"),
        jwt.encode(claims, KEY, algorithm="HS512"),
        jwt.encode(claims, "A" * 64, algorithm="HS256", headers=own_key),
        *(labelled(algorithm, claims) for algorithm in ("RS256", "ES256", "PS256", "EdDSA", "hs256")),
    ]
    assert [status_with(forged) for forged in forgeries] == [401] * len(forgeries)
    assert status_with(labelled("HS256", claims)) == 200  # only the name was wrong


def labelled(algorithm: str, claims: dict[str, Any]) -> str:
    """Signed with the right key by HMAC-SHA256, whatever the header says."""
    parts = [json.dumps(part).encode() for part in ({"alg": algorithm, "typ": "JWT"}, claims)]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(hmac.digest(KEY.encode(), signed, "sha256")).rstrip(b"=")
    return b".".join((signed, signature)).decode()


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "elsewhere"},
        {"aud": None},
        {"aud": ["elsewhere"]},
        {"aud": []},
        {"iss": "elsewhere"},
        {"iss": None},
    ],
)
def test_a_wrong_audience_or_issuer_is_refused(issued: tokens.Tokens, change: dict[str, Any]) -> None:
    claims = {**claims_of(issued.access), **change}
    present = {name: value for name, value in claims.items() if value is not None}
    assert status_with(jwt.encode(present, KEY, algorithm="HS256")) == 401


@pytest.mark.parametrize("change", [{"exp": None}, {"exp": 0}, {"exp": "soon"}, {"exp": -1}, {"token_type": "sliding"}])
def test_a_token_without_an_end_or_of_another_type_is_refused(issued: tokens.Tokens, change: dict[str, Any]) -> None:
    claims = {**claims_of(issued.access), **change}
    present = {name: value for name, value in claims.items() if value is not None}
    assert status_with(jwt.encode(present, KEY, algorithm="HS256")) == 401


def test_a_refresh_token_used_as_access_is_refused(issued: tokens.Tokens) -> None:
    assert status_with(issued.refresh or "") == 401
    relabelled = jwt.encode({**claims_of(issued.refresh), "token_type": "access"}, "wrong key" * 8, algorithm="HS256")
    assert status_with(relabelled) == 401


def test_an_access_token_used_as_refresh_is_refused(issued: tokens.Tokens) -> None:
    assert refresh(issued.access).status_code == 401
    assert status_with(issued.access) == 200  # and is no replay that would end the session


def test_a_token_of_a_disabled_user_is_refused(issued: tokens.Tokens, cast: Cast) -> None:
    cast.alice.is_active = False
    cast.alice.save()
    assert status_with(issued.access) == 401
    assert refresh(issued.refresh).status_code == 401
    assert login("alice@example.com", cast.password).status_code == 401
    assert AccessChange.objects.filter(user_id=cast.alice.pk).exists()


def test_a_reused_refresh_token_revokes_the_family(issued: tokens.Tokens, cast: Cast) -> None:
    newest = refresh(issued.refresh)
    LoginSession.objects.update(rotated=timezone.now() - tokens.GRACE - timedelta(seconds=1))
    AccessChange.objects.all().delete()
    assert refresh(issued.refresh).status_code == 401
    assert refresh(newest.cookies["ems_refresh"].value).status_code == 401
    assert status_with(newest.json()["access"]) == 401
    assert AccessChange.objects.get().user_id == cast.alice.pk  # its sockets are told


def test_refresh_after_logout_is_refused(issued: tokens.Tokens) -> None:
    client = APIClient()
    client.cookies["ems_refresh"] = issued.refresh or ""
    assert client.post("/api/auth/logout").status_code == 204
    assert refresh(issued.refresh).status_code == 401
    assert status_with(issued.access) == 401


@pytest.mark.django_db(transaction=True)
def test_two_tabs_refreshing_at_once_are_no_false_alarm(clean_redis: object) -> None:
    """Really at once: in threads, each with a connection of its own. One renews the cookie, all go on."""
    issued = tokens.start(make_cast().alice)

    def tab(_: int) -> tuple[int, str | None]:
        try:
            answer = refresh(issued.refresh)
            cookie = answer.cookies.get("ems_refresh")
            return answer.status_code, cookie.value if cookie else None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(tab, range(6)))
    assert [status for status, _ in answers] == [200] * 6
    (renewed,) = [cookie for _, cookie in answers if cookie is not None]
    assert refresh(renewed).status_code == 200


def test_a_password_change_ends_sessions_and_sockets(issued: tokens.Tokens, cast: Cast) -> None:
    AccessChange.objects.all().delete()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issued.access}")
    body = {"current": cast.password, "new": "a much better pass phrase"}
    assert client.post("/api/auth/password", body, format="json").status_code == 200
    assert status_with(issued.access) == 401
    assert refresh(issued.refresh).status_code == 401
    assert set(AccessChange.objects.values_list("user_id", flat=True)) == {cast.alice.pk}


def test_logins_are_limited_per_account(cast: Cast, settings: Settings) -> None:
    settings.GUESSES = {**settings.GUESSES, "pair": (3, 900)}
    assert [login("alice@example.com", "guess").status_code for _ in range(4)] == [401, 401, 401, 429]
    assert login("bob@example.com", cast.password).status_code == 200


def test_logins_are_limited_per_address(cast: Cast, settings: Settings) -> None:
    settings.GUESSES = {**settings.GUESSES, "address": (3, 900)}
    answers = [login(f"user{index}@example.com", "guess", ATTACKER).status_code for index in range(4)]
    assert answers == [401, 401, 401, 429]
    assert login("bob@example.com", cast.password).status_code == 200


def test_a_victim_is_not_locked_out_for_ever(cast: Cast, settings: Settings) -> None:
    """Not from home, whatever others do; and from anywhere else only until the window of the first guess ends."""
    settings.GUESSES = {**settings.GUESSES, "pair": (3, 900), "account": (6, 900)}
    assert login("alice@example.com", cast.password).status_code == 200
    for index in range(12):
        login("alice@example.com", "guess", f"203.0.113.{index % 6}")
    assert login("alice@example.com", cast.password).status_code == 200
    waits = [int(login("alice@example.com", cast.password, "192.0.2.1")["Retry-After"]) for _ in range(3)]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] <= 900


def test_there_is_no_user_enumeration_by_text(cast: Cast) -> None:
    cast.bob.is_active = False
    cast.bob.save()
    cast.olga.is_service = True
    cast.olga.save()
    attempts = [
        ("alice@example.com", "wrong"),
        ("nobody@example.com", "wrong"),
        ("bob@example.com", cast.password),
        ("olga@example.com", cast.password),
    ]
    answers = [login(*attempt) for attempt in attempts]
    told = {(answer.status_code, answer.content, answer["Content-Type"]) for answer in answers}
    assert len(told) == 1
    forgotten = [
        APIClient().post("/api/auth/password/forgot", {"email": email}, format="json") for email, _ in attempts
    ]
    assert {(answer.status_code, answer.content) for answer in forgotten} == {(204, b"")}


class Hasher(PBKDF2PasswordHasher):
    """The product's own, made quicker."""

    iterations = 150_000


def test_there_is_no_user_enumeration_by_timing(cast: Cast, settings: Settings) -> None:
    """With the real hash, which is most of a login's work: where it was missing the time would be a fraction."""
    settings.PASSWORD_HASHERS = ["accounts.tests.test_hostile_tokens.Hasher"]
    settings.GUESSES = dict.fromkeys(settings.GUESSES, (1000, 900))
    cast.alice.set_password(cast.password)
    cast.alice.save()
    cast.bob.set_password(cast.password)
    cast.bob.is_active = False
    cast.bob.save()

    def seconds(email: str, password: str) -> float:
        started = time.process_time()  # of this process only, so other work on the machine does not count
        assert login(email, password).status_code == 401
        return time.process_time() - started

    attempts = [("alice@example.com", "wrong"), ("nobody@example.com", "wrong"), ("bob@example.com", cast.password)]
    # Taken in turns, and the least of each: a core that is slow for a while slows all three, never one of them.
    rounds = [[seconds(*attempt) for attempt in attempts] for _ in range(7)]
    least = [min(times) for times in zip(*rounds, strict=True)]
    assert max(least) < 1.5 * min(least)
