"""A forgotten password: the request, the worker's e-mail, and the link."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import tokens
from accounts.actions.password import LIVE_LINKS, send_links
from accounts.models import AccessChange, PasswordReset, SystemSettings, User
from testing.cast import Cast
from testing.mail_server import MailServer, smtp_at

NEW = "a much better pass phrase"


def forget(email: str, address: str = "198.51.100.7") -> Any:
    return APIClient(REMOTE_ADDR=address).post("/api/auth/password/forgot", {"email": email}, format="json")


def reset(token: str, new: str = NEW, address: str = "198.51.100.7") -> Any:
    client = APIClient(REMOTE_ADDR=address)
    return client.post("/api/auth/password/reset", {"token": token, "new": new}, format="json")


def login(email: str, password: str, address: str = "198.51.100.7") -> int:
    body = {"email": email, "password": password}
    return int(APIClient(REMOTE_ADDR=address).post("/api/auth/login", body, format="json").status_code)


def token_of(message: mail.EmailMessage) -> str:
    found = re.search(r"/reset-password#token=(\S+)", str(message.body))
    assert found is not None
    return found[1]


@pytest.fixture
def token(cast: Cast) -> str:
    forget("Alice@Example.com")
    send_links()
    return token_of(mail.outbox[-1])


def test_the_link_goes_to_the_account_s_address_with_the_token_in_the_fragment(cast: Cast) -> None:
    assert forget(" Alice@Example.com").status_code == 204
    assert mail.outbox == []  # the answer waits for nothing
    send_links()
    (message,) = mail.outbox
    assert message.to == ["alice@example.com"]
    assert "http://localhost:3000/reset-password#token=" in message.body


def test_a_known_and_an_unknown_address_answer_alike_after_the_same_work(cast: Cast) -> None:
    forget("someone@example.com")  # whatever is done once, such as opening a connection
    work = []
    for email in ("alice@example.com", "nobody@example.com"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = forget(email)
        work.append((answer.status_code, answer.content, [re.sub(r"'.*?'|_x\d+", "?", one["sql"]) for one in queries]))
    assert work[0] == work[1]


@pytest.mark.parametrize("who", ["nobody", "disabled", "service"])
def test_nobody_else_gets_an_e_mail_and_the_request_is_forgotten(cast: Cast, who: str) -> None:
    email = "nobody@example.com"
    if who != "nobody":
        email = cast.bob.email
        cast.bob.is_active, cast.bob.is_service = who != "disabled", who == "service"
        cast.bob.save()
    forget(email)
    send_links()
    assert mail.outbox == []
    assert not PasswordReset.objects.exists()


def test_the_link_sets_a_new_password_once(cast: Cast, token: str) -> None:
    assert reset(token).status_code == 204
    assert (login(cast.alice.email, cast.password), login(cast.alice.email, NEW)) == (401, 200)
    again = reset(token, "another phrase that is long")
    assert (again.status_code, again.json()["type"]) == (403, "urn:ems:problem:bad_reset_link")


def test_it_ends_every_session_and_tells_every_socket(cast: Cast, token: str) -> None:
    issued = tokens.start(cast.alice)
    AccessChange.objects.all().delete()
    reset(token)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issued.access}")
    assert client.get("/api/auth/me").status_code == 401
    assert AccessChange.objects.filter(user_id=cast.alice.pk).exists()


def test_it_lifts_the_lock_of_the_account(cast: Cast, token: str, settings: Settings) -> None:
    settings.GUESSES = {**settings.GUESSES, "pair": (2, 900)}
    for _ in range(3):
        login(cast.alice.email, "guess")
    assert login(cast.alice.email, cast.password) == 429
    reset(token)
    assert login(cast.alice.email, NEW) == 200


def test_another_link_of_the_account_is_used_up_with_it(cast: Cast, token: str) -> None:
    forget(cast.alice.email)
    send_links()
    other = token_of(mail.outbox[-1])
    assert reset(other).status_code == 204
    assert reset(token).status_code == 403


def test_an_expired_a_wrong_and_a_disabled_account_s_link_answer_alike(cast: Cast, token: str) -> None:
    wrong = reset("nonsense")
    cast.alice.is_active = False
    cast.alice.save()
    disabled = reset(token)
    cast.alice.is_active = True
    cast.alice.save()
    PasswordReset.objects.update(expires=timezone.now() - timedelta(seconds=1))
    expired = reset(token)
    assert {answer.status_code for answer in (wrong, disabled, expired)} == {403}
    assert len({answer.content for answer in (wrong, disabled, expired)}) == 1


def test_it_is_good_for_an_hour(cast: Cast, token: str) -> None:
    expires = PasswordReset.objects.get().expires
    assert expires is not None
    assert timedelta(minutes=59) < expires - timezone.now() <= timedelta(hours=1)


def test_a_weak_password_is_named_and_the_link_stays_good(cast: Cast, token: str) -> None:
    weak = reset(token, "short")
    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (400, "new")
    assert reset(token).status_code == 204


def test_the_token_is_not_in_the_database(cast: Cast, token: str) -> None:
    assert token not in str(PasswordReset.objects.values().get())


def test_guessing_links_is_stopped(cast: Cast, token: str, settings: Settings) -> None:
    settings.GUESSES = {**settings.GUESSES, "address": (2, 900)}
    assert [reset("guess", address="203.0.113.9").status_code for _ in range(3)] == [403, 403, 429]
    assert reset(token, address="203.0.113.9").status_code == 429
    assert reset(token).status_code == 204


def test_an_address_asks_for_a_few_e_mails_an_hour_only(cast: Cast, settings: Settings) -> None:
    settings.GUESSES = {**settings.GUESSES, "mails": (2, 3600)}
    answers = [forget("nobody@example.com", "203.0.113.9") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204, 204, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert forget("nobody@example.com").status_code == 204


def test_a_mailbox_is_not_flooded(cast: Cast) -> None:
    for index in range(LIVE_LINKS + 2):
        forget(cast.alice.email, f"203.0.113.{index}")
    send_links()
    assert len(mail.outbox) == LIVE_LINKS


def test_while_the_mail_server_is_away_a_link_waits_and_is_sent_later(
    cast: Cast, settings: Settings, mail_server: MailServer
) -> None:
    reachable = settings.MAILERS
    settings.MAILERS = smtp_at(1)
    forget(cast.alice.email)
    send_links()
    assert PasswordReset.objects.get().token_hash is None
    settings.MAILERS = reachable
    send_links()
    assert "Subject: Set a new password" in mail_server.received[0]
    assert PasswordReset.objects.get().token_hash is not None


def test_an_address_that_the_mail_server_refuses_holds_nobody_up(cast: Cast, mail_server: MailServer) -> None:
    mail_server.refused.add(cast.alice.email)
    forget(cast.alice.email)
    forget(cast.bob.email)
    send_links()
    assert [request.email for request in PasswordReset.objects.all()] == [cast.bob.email]
    assert len(mail_server.received) == 1


def test_an_address_that_no_e_mail_can_be_written_to_holds_nobody_up(cast: Cast, mail_server: MailServer) -> None:
    User.objects.filter(pk=cast.alice.pk).update(email="al\u0131ce@example.com")
    forget("al\u0131ce@example.com")
    forget(cast.bob.email)
    send_links()
    assert [request.email for request in PasswordReset.objects.all()] == [cast.bob.email]
    assert len(mail_server.received) == 1


def test_the_e_mail_has_no_words_that_others_may_choose(cast: Cast) -> None:
    SystemSettings(support_email="help@example.com").save()
    User.objects.filter(pk=cast.alice.pk).update(name="Click https://evil.example now")
    forget(cast.alice.email)
    send_links()
    body = str(mail.outbox[0].body)
    assert "evil.example" not in body
    assert "help@example.com" in body


def test_a_request_that_nobody_could_serve_is_forgotten(cast: Cast) -> None:
    forget(cast.alice.email)
    PasswordReset.objects.update(created=timezone.now() - timedelta(hours=3))
    send_links()
    assert mail.outbox == []
    assert not PasswordReset.objects.exists()


def test_an_account_whose_address_was_changed_meanwhile_keeps_its_password(cast: Cast, token: str) -> None:
    cast.alice.email = "alice@elsewhere.example"
    cast.alice.save()
    assert reset(token).status_code == 403
