"""POST /api/auth/refresh and POST /api/auth/logout"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import LoginSession
from audit.models import AuditEvent
from testing.cast import Cast

URL = "/api/auth/refresh"


def with_cookie(refresh: str) -> APIClient:
    client = APIClient()
    client.cookies["ems_refresh"] = refresh
    return client


def bearer(access: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


@pytest.fixture
def issued(cast: Cast) -> tokens.Tokens:
    return tokens.start(cast.alice)


def refresh_of(issued: tokens.Tokens) -> str:
    assert issued.refresh is not None
    return issued.refresh


def age(seconds: float) -> None:
    """Let this long pass since the last rotation."""
    LoginSession.objects.update(rotated=timezone.now() - timedelta(seconds=seconds))


def test_it_trades_the_cookie_for_new_tokens(issued: tokens.Tokens, cast: Cast) -> None:
    answer = with_cookie(refresh_of(issued)).post(URL)
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == cast.alice.pk
    assert answer.cookies["ems_refresh"].value != issued.refresh
    assert bearer(answer.json()["access"]).get("/api/auth/me").status_code == 200


def test_without_a_cookie_there_is_nothing_to_trade(cast: Cast) -> None:
    answer = APIClient().post(URL)
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:ems:problem:session_ended"


def test_two_tabs_at_once_are_no_false_alarm(issued: tokens.Tokens) -> None:
    first = with_cookie(refresh_of(issued)).post(URL)
    second = with_cookie(refresh_of(issued)).post(URL)
    assert (first.status_code, second.status_code) == (200, 200)
    assert "ems_refresh" not in second.cookies
    assert with_cookie(first.cookies["ems_refresh"].value).post(URL).status_code == 200


def test_a_reused_token_ends_the_whole_family(issued: tokens.Tokens) -> None:
    newest = with_cookie(refresh_of(issued)).post(URL)
    age(11)
    assert with_cookie(refresh_of(issued)).post(URL).status_code == 401
    assert with_cookie(newest.cookies["ems_refresh"].value).post(URL).status_code == 401
    assert bearer(newest.json()["access"]).get("/api/auth/me").status_code == 401
    assert AuditEvent.objects.get(action="session.refresh_reused").actor_name == "alice@example.com"


def test_a_token_of_two_rotations_ago_ends_the_family_even_at_once(issued: tokens.Tokens) -> None:
    second = with_cookie(refresh_of(issued)).post(URL).cookies["ems_refresh"].value
    third = with_cookie(second).post(URL).cookies["ems_refresh"].value
    assert with_cookie(refresh_of(issued)).post(URL).status_code == 401
    assert with_cookie(third).post(URL).status_code == 401


def test_one_family_does_not_end_another(issued: tokens.Tokens, cast: Cast) -> None:
    elsewhere = tokens.start(cast.alice)
    with_cookie(refresh_of(issued)).post(URL)
    age(11)
    with_cookie(refresh_of(issued)).post(URL)
    assert with_cookie(refresh_of(elsewhere)).post(URL).status_code == 200


def test_logout_ends_refresh_and_access_at_once(issued: tokens.Tokens) -> None:
    answer = with_cookie(refresh_of(issued)).post("/api/auth/logout")
    assert answer.status_code == 204
    assert answer.cookies["ems_refresh"].value == ""
    assert with_cookie(refresh_of(issued)).post(URL).status_code == 401
    assert bearer(issued.access).get("/api/auth/me").status_code == 401


def test_logout_without_a_session_is_harmless(cast: Cast) -> None:
    assert APIClient().post("/api/auth/logout").status_code == 204


def test_an_access_token_does_not_refresh(issued: tokens.Tokens) -> None:
    assert with_cookie(issued.access).post(URL).status_code == 401


def test_a_change_of_password_ends_every_session(issued: tokens.Tokens, cast: Cast) -> None:
    elsewhere = tokens.start(cast.alice)
    cast.alice.set_password("another long enough password")
    cast.alice.save()
    for each in (issued, elsewhere):
        assert with_cookie(refresh_of(each)).post(URL).status_code == 401
        assert bearer(each.access).get("/api/auth/me").status_code == 401


def test_a_disabled_user_is_out_and_does_not_come_back_with_an_old_session(issued: tokens.Tokens, cast: Cast) -> None:
    for active in (False, True):
        cast.alice.is_active = active
        cast.alice.save()
        assert with_cookie(refresh_of(issued)).post(URL).status_code == 401
        assert bearer(issued.access).get("/api/auth/me").status_code == 401


def test_an_expired_session_is_over(issued: tokens.Tokens) -> None:
    LoginSession.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert with_cookie(refresh_of(issued)).post(URL).status_code == 401


def test_no_token_is_in_the_database(issued: tokens.Tokens) -> None:
    row = str(LoginSession.objects.values().get())
    assert refresh_of(issued) not in row
    assert issued.access not in row


def test_no_token_is_in_a_repr(issued: tokens.Tokens) -> None:
    assert "eyJ" not in repr(issued)


def test_a_session_that_ended_long_ago_is_forgotten_and_a_live_one_is_not(issued: tokens.Tokens, cast: Cast) -> None:
    over = LoginSession.objects.create(user=cast.bob, expires=timezone.now() - timedelta(days=2))
    tokens.sweep()
    assert not LoginSession.objects.filter(pk=over.pk).exists()
    assert with_cookie(refresh_of(issued)).post(URL).status_code == 200
