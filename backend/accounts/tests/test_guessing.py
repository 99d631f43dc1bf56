"""Guessing is stopped, per account and per address; the owner of an account always gets in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from pytest_django import Settings
from rest_framework.test import APIClient, APIRequestFactory

from accounts import tokens
from accounts.throttles import Counter, Guesses, TooManyGuesses, limit
from config.addresses import Origin
from testing.cast import Cast

URL = "/api/auth/login"
ATTACKER, HOME, ELSEWHERE = "203.0.113.9", "198.51.100.7", "198.51.100.8"


def login(address: str, email: str, password: str) -> Any:
    return APIClient(REMOTE_ADDR=address).post(URL, {"email": email, "password": password}, format="json")


@pytest.fixture
def limits(settings: Settings) -> dict[str, tuple[int, int]]:
    """Far away; a test lowers the one that it is about."""
    limits = dict.fromkeys(("pair", "account", "address", "mails"), (1000, 900))
    settings.GUESSES = limits
    return limits


@pytest.fixture
def few(limits: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    limits["pair"] = (3, 900)
    return limits


def test_guessing_is_stopped_and_the_owner_at_another_address_is_not(
    cast: Cast, few: dict[str, tuple[int, int]]
) -> None:
    for _ in range(3):
        assert login(ATTACKER, "alice@example.com", "guess").status_code == 401
    refused = login(ATTACKER, "alice@example.com", cast.password)
    assert refused.status_code == 429
    assert refused.json()["type"] == "urn:ems:problem:throttled"
    assert refused.json()["detail"] == "Too many wrong attempts. Try again in 15 minutes."
    assert 0 < int(refused["Retry-After"]) <= 900
    assert login(ATTACKER, "bob@example.com", cast.password).status_code == 200
    assert login(HOME, "alice@example.com", cast.password).status_code == 200


def test_an_unknown_address_is_locked_in_the_same_words_after_as_many_tries(
    cast: Cast, few: dict[str, tuple[int, int]]
) -> None:
    known = [login(ATTACKER, "alice@example.com", "guess") for _ in range(5)]
    unknown = [login(ATTACKER, "nobody@example.com", "guess") for _ in range(5)]
    assert [answer.status_code for answer in known] == [401, 401, 401, 429, 429]
    assert [answer.content for answer in known] == [answer.content for answer in unknown]


def test_a_lock_ends_by_itself_and_trying_does_not_make_it_longer(
    cast: Cast, limits: dict[str, tuple[int, int]]
) -> None:
    limits["pair"] = (1, 60)
    login(ATTACKER, "alice@example.com", "guess")
    waits = [int(login(ATTACKER, "alice@example.com", "guess")["Retry-After"]) for _ in range(3)]
    assert waits == sorted(waits, reverse=True)
    assert 0 < waits[-1] <= 60


def test_after_its_window_a_count_is_gone(clean_redis: redis.Redis, limits: dict[str, tuple[int, int]]) -> None:
    limits["pair"] = (1, 60)
    counter = Counter("pair", "someone")
    counter.add()
    (key,) = clean_redis.keys("django:failures:*")
    assert 0 < clean_redis.ttl(key) <= 60
    clean_redis.delete(key)
    assert counter.wait() == 0


def test_an_address_that_tries_many_accounts_is_stopped(cast: Cast, limits: dict[str, tuple[int, int]]) -> None:
    limits["address"] = (3, 900)
    for index in range(3):
        assert login(ATTACKER, f"user{index}@example.com", "guess").status_code == 401
    assert login(ATTACKER, "alice@example.com", cast.password).status_code == 429
    assert login(HOME, "alice@example.com", cast.password).status_code == 200


def test_an_ipv6_network_counts_as_one_address(cast: Cast, limits: dict[str, tuple[int, int]]) -> None:
    limits["address"] = (3, 900)
    for index in range(3):
        login(f"2001:db8:0:1::{index + 1}", f"user{index}@example.com", "guess")
    assert login("2001:db8:0:1::ffff", "alice@example.com", cast.password).status_code == 429
    assert login("2001:db8:0:2::1", "alice@example.com", cast.password).status_code == 200


def test_guessing_from_many_addresses_locks_strange_addresses_out_and_the_owner_s_own_never(
    cast: Cast, limits: dict[str, tuple[int, int]]
) -> None:
    limits["account"] = (3, 900)
    assert login(HOME, "alice@example.com", cast.password).status_code == 200
    for index in range(3):
        assert login(f"203.0.113.{index}", "alice@example.com", "guess").status_code == 401
    assert login(ELSEWHERE, "alice@example.com", cast.password).status_code == 429
    assert login(HOME, "alice@example.com", cast.password).status_code == 200
    assert login(ELSEWHERE, "bob@example.com", cast.password).status_code == 200


def test_a_new_password_lifts_the_locks_of_an_account(cast: Cast, few: dict[str, tuple[int, int]]) -> None:
    for _ in range(4):
        login(HOME, "alice@example.com", "guess")
    cast.alice.set_password("another long enough password")
    cast.alice.save()
    assert login(HOME, "alice@example.com", "another long enough password").status_code == 200


def test_many_successful_logins_are_not_guessing_and_a_success_forgives_the_mistakes_before(
    cast: Cast, few: dict[str, tuple[int, int]]
) -> None:
    for password in ("x", "x", cast.password) * 3:
        assert login(HOME, "alice@example.com", password).status_code == (200 if password != "x" else 401)


def test_guesses_that_come_together_are_all_counted(clean_redis: redis.Redis) -> None:
    counter = Counter("pair", "someone")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: counter.add(), range(limit("pair").failures)))
    assert counter.wait() > 0


def test_an_account_name_is_not_readable_in_redis(cast: Cast, clean_redis: redis.Redis) -> None:
    login(ATTACKER, "alice@example.com", "guess")
    assert clean_redis.keys("django:failures:*")
    assert not any(b"alice" in key or b"203.0" in key for key in clean_redis.keys("*"))


def test_wrong_setup_links_are_counted_too(cast: Cast, limits: dict[str, tuple[int, int]]) -> None:
    limits["address"] = (2, 900)
    body = {"token": "guess", "email": "a@b.co", "name": "A", "password": "x" * 20, "organization": "A"}
    client = APIClient(REMOTE_ADDR=ATTACKER)
    answers = [client.post("/api/auth/setup", body, format="json").status_code for _ in range(3)]
    assert answers == [403, 403, 429]
    assert login(ATTACKER, "alice@example.com", cast.password).status_code == 429


def test_a_session_elsewhere_makes_an_address_familiar_to_its_own_user_only(
    cast: Cast, limits: dict[str, tuple[int, int]]
) -> None:
    limits["account"] = (1, 900)
    tokens.start(cast.bob, Origin(HOME))
    request = APIRequestFactory(REMOTE_ADDR=HOME).post(URL)
    for user in (cast.alice, cast.bob):
        Guesses(request, "password", user.email, user).failed()
    Guesses(request, "password", "bob@example.com", cast.bob).check()
    with pytest.raises(TooManyGuesses):
        Guesses(request, "password", "alice@example.com", cast.alice).check()
