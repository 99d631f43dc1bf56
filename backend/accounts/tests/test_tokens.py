"""Forged, foreign and misused access tokens are refused, all in the same words."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.conf import settings
from rest_framework.test import APIClient

from accounts import tokens
from testing.cast import Cast

URL = "/api/auth/me"
Claims = dict[str, Any]


def get(token: str) -> Any:
    return APIClient().get(URL, HTTP_AUTHORIZATION=f"Bearer {token}")


@pytest.fixture
def issued(cast: Cast) -> tokens.Tokens:
    return tokens.start(cast.alice)


def claims_of(token: str) -> Claims:
    return jwt.decode(token, options={"verify_signature": False})


def signed(claims: Claims, key: str | None = None) -> str:
    return jwt.encode(claims, key or str(settings.SIMPLE_JWT["SIGNING_KEY"]), algorithm="HS256")


def unsigned(claims: Claims) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


FORGERIES: dict[str, Callable[[tokens.Tokens], str]] = {
    "alg=none": lambda issued: unsigned(claims_of(issued.access)),
    "another key": lambda issued: signed(claims_of(issued.access), "x" * 64),
    "wrong audience": lambda issued: signed({**claims_of(issued.access), "aud": "elsewhere"}),
    "wrong issuer": lambda issued: signed({**claims_of(issued.access), "iss": "elsewhere"}),
    "no audience": lambda issued: signed({k: v for k, v in claims_of(issued.access).items() if k != "aud"}),
    "expired": lambda issued: signed({**claims_of(issued.access), "exp": int(time.time()) - 1}),
    "refresh as access": lambda issued: str(issued.refresh),
    "a cut signature": lambda issued: issued.access[:-4],
    "not a token": lambda issued: "hello",
    "two tokens": lambda issued: f"{issued.access} {issued.access}",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_it_is_refused(name: str, issued: tokens.Tokens) -> None:
    answer = get(FORGERIES[name](issued))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["type"] == "urn:ems:problem:invalid_token"


@pytest.mark.parametrize("sid", [None, "", "7", "00000000-0000-0000-0000-000000000000"])
def test_a_token_of_no_session_is_refused(sid: str | None, issued: tokens.Tokens) -> None:
    assert get(signed({**claims_of(issued.access), "sid": sid})).status_code == 401


def test_a_session_of_one_user_does_not_open_another_account(issued: tokens.Tokens, cast: Cast) -> None:
    assert get(signed({**claims_of(issued.access), "user_id": str(cast.bob.pk)})).status_code == 401


def test_the_genuine_token_is_accepted_for_ten_minutes(issued: tokens.Tokens) -> None:
    assert get(issued.access).status_code == 200
    assert issued.access_expires / 1000 - time.time() == pytest.approx(600, abs=5)


def test_a_token_in_the_address_is_not_looked_at(issued: tokens.Tokens) -> None:
    assert APIClient().get(f"{URL}?token={issued.access}&access={issued.access}").status_code == 401
