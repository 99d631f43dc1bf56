"""POST /api/auth/password"""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import AccessChange, LoginSession, PasswordReset
from testing.cast import Cast, ClientOf

URL = "/api/auth/password"
NEW = "a much better pass phrase"


def change(client: APIClient, current: str, new: str) -> Any:
    return client.post(URL, {"current": current, "new": new}, format="json")


def bearer(access: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


def login_status(password: str) -> int:
    body = {"email": "alice@example.com", "password": password}
    return int(APIClient().post("/api/auth/login", body, format="json").status_code)


def test_it_answers_with_a_new_session_and_the_old_password_is_void(cast: Cast, client_of: ClientOf) -> None:
    answer = change(client_of(cast.alice), cast.password, NEW)
    assert answer.status_code == 200
    assert answer.cookies["ems_refresh"]["httponly"] is True
    assert bearer(answer.json()["access"]).get("/api/auth/me").status_code == 200
    assert (login_status(cast.password), login_status(NEW)) == (401, 200)


def test_every_other_session_ends_and_its_sockets_are_told(cast: Cast, client_of: ClientOf) -> None:
    elsewhere, here = tokens.start(cast.alice), client_of(cast.alice)
    AccessChange.objects.all().delete()
    answer = change(here, cast.password, NEW)
    assert bearer(elsewhere.access).get("/api/auth/me").status_code == 401
    assert here.get("/api/auth/me").status_code == 401
    assert LoginSession.objects.filter(user=cast.alice, revoked=None).count() == 1
    assert set(AccessChange.objects.values_list("user_id", flat=True)) == {cast.alice.pk}
    assert bearer(answer.json()["access"]).get("/api/auth/sessions").json()["count"] == 1


def test_a_link_for_a_forgotten_password_is_void_with_it(cast: Cast, client_of: ClientOf) -> None:
    PasswordReset.objects.create(email=cast.alice.email, user=cast.alice, token_hash="x" * 64)
    change(client_of(cast.alice), cast.password, NEW)
    assert not PasswordReset.objects.exists()


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("not it", NEW, "current"),
        ("{right}", "short", "new"),
        ("{right}", "password1234", "new"),
        ("{right}", "alice@example.com", "new"),
        ("{right}", "{right}", "new"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(
    cast: Cast, client_of: ClientOf, current: str, new: str, field: str
) -> None:
    client = client_of(cast.alice)
    answer = change(client, current.replace("{right}", cast.password), new.replace("{right}", cast.password))
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == {field}
    assert client.get("/api/auth/me").status_code == 200
    assert login_status(cast.password) == 200


def test_guessing_the_current_password_is_stopped(cast: Cast, client_of: ClientOf, settings: Settings) -> None:
    settings.GUESSES = {**settings.GUESSES, "pair": (2, 900)}
    client = client_of(cast.alice)
    answers = [change(client, guess, NEW).status_code for guess in ("a", "b", cast.password)]
    assert answers == [400, 400, 429]
