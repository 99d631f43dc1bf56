"""The login page of the Django admin: the same limits and the same second factor."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import SystemSettings
from accounts.tests.codes import code_of, give_second_factor
from audit.models import AuditEvent
from testing.cast import Cast

URL = "/admin/login/"


def login(client: Client, email: str, password: str, **more: str) -> Any:
    return client.post(URL, {"username": email, "password": password, **more})


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def words(answer: Any) -> str:
    return str(answer.context["form"].errors)


def test_a_platform_admin_logs_in(cast: Cast) -> None:
    client = Client()
    assert login(client, " ROOT@example.com", cast.password).status_code == 302
    assert is_in(client)
    event = AuditEvent.objects.get(action="login.succeeded")
    assert (event.actor_id, event.target) == (cast.root.pk, "the admin")


def test_an_org_admin_an_unknown_address_and_a_wrong_password_are_told_the_same(cast: Cast) -> None:
    attempts = [(cast.alice.email, cast.password), ("nobody@example.com", "x"), (cast.root.email, "x")]
    answers = [words(login(Client(), *attempt)) for attempt in attempts]
    assert len(set(answers)) == 1
    assert AuditEvent.objects.filter(action="login.failed", outcome="denied").count() == 3


def test_the_code_is_asked_for_where_the_account_has_one(cast: Cast) -> None:
    give_second_factor(cast.root)
    client = Client()
    assert "Enter the code" in words(login(client, cast.root.email, cast.password))
    assert "This code is wrong" in words(login(client, cast.root.email, cast.password, code="000000"))
    assert not is_in(client)
    assert login(client, cast.root.email, cast.password, code=code_of(cast.root)).status_code == 302
    assert is_in(client)


def test_guessing_is_stopped_in_words_and_counted_together_with_the_api(cast: Cast, settings: Settings) -> None:
    settings.GUESSES = {**settings.GUESSES, "pair": (2, 900)}
    client = Client()
    login(client, cast.root.email, "guess")
    body = {"email": cast.root.email, "password": "guess"}
    client.post("/api/auth/login", body, content_type="application/json")
    assert "Too many wrong attempts. Try again in 15 minutes." in words(login(client, cast.root.email, cast.password))
    assert not is_in(client)


def test_where_a_second_factor_is_required_nobody_comes_in_without(cast: Cast) -> None:
    SystemSettings(require_two_factor=True).save()
    client = Client()
    assert "Set it up in the product first" in words(login(client, cast.root.email, cast.password))
    assert not is_in(client)


def test_a_session_from_before_it_was_required_ends(cast: Cast) -> None:
    client = Client()
    login(client, cast.root.email, cast.password)
    assert is_in(client)
    SystemSettings(require_two_factor=True).save()
    assert not is_in(client)
    give_second_factor(cast.root)
    assert is_in(client)


@pytest.mark.parametrize("change", ["password", "is_active", "is_superuser"])
def test_a_new_password_or_the_end_of_the_role_ends_the_session(cast: Cast, change: str) -> None:
    client = Client()
    login(client, cast.root.email, cast.password)
    if change == "password":
        cast.root.set_password("another long enough password")
    else:
        setattr(cast.root, change, False)
    cast.root.save()
    assert not is_in(client)
