"""`manage.py first_admin` and POST /api/auth/setup"""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Membership, SetupToken, User
from testing.cast import Cast

URL = "/api/auth/setup"


@pytest.fixture
def token(db: None, clean_redis: redis.Redis) -> str:
    return link().partition("#token=")[2]


def link() -> str:
    out = StringIO()
    call_command("first_admin", stdout=out)
    return out.getvalue().strip()


def form(token: str, **changes: str) -> dict[str, str]:
    return {
        "token": token,
        "email": "First@Example.com",
        "name": "First",
        "password": "a long enough phrase",
        "organization": "Alpha",
        **changes,
    }


def post(body: dict[str, str]) -> Any:
    return APIClient().post(URL, body, format="json")


def test_the_link_carries_the_token_in_the_fragment_only(db: None) -> None:
    assert link().startswith("http://localhost:3000/setup#token=")
    stored = SetupToken.objects.get().token_hash
    assert stored not in link()


def test_it_makes_the_first_platform_admin_and_organization_and_logs_in(token: str) -> None:
    answer = post(form(token))
    assert answer.status_code == 201
    assert answer.json()["user"]["platform_admin"] is True
    assert "ems_refresh" in answer.cookies
    user = User.objects.get()
    assert (user.email, user.is_superuser) == ("first@example.com", True)
    assert Membership.objects.get().organization.name == "Alpha"


def test_the_link_works_once(token: str) -> None:
    assert post(form(token)).status_code == 201
    again = post(form(token, email="second@example.com"))
    assert again.status_code == 403
    assert again.json()["type"] == "urn:ems:problem:bad_setup_link"
    assert User.objects.count() == 1


def test_an_expired_and_a_wrong_token_answer_alike(token: str) -> None:
    wrong = post(form("nonsense"))
    SetupToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    expired = post(form(token))
    assert (wrong.status_code, wrong.content) == (403, expired.content)


def test_a_newer_link_replaces_the_older(token: str) -> None:
    newer = link().partition("#token=")[2]
    assert post(form(token)).status_code == 403
    assert post(form(newer)).status_code == 201


def test_a_weak_password_is_named_and_the_link_stays_good(token: str) -> None:
    answer = post(form(token, password="password"))
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == {"password"}
    assert post(form(token)).status_code == 201


def test_where_there_are_users_there_is_no_link(cast: Cast) -> None:
    with pytest.raises(CommandError, match="users already"):
        call_command("first_admin")


def test_a_link_from_before_the_first_user_is_void(token: str) -> None:
    User.objects.create_user("someone@example.com", "x", name="Someone")
    assert post(form(token)).status_code == 403
