"""The worker's job: the e-mail leaves once, and what people chose as a name stays a name in it."""

from __future__ import annotations

import email
import threading

import pytest
from django.core import mail
from django.db import connection
from pytest_django import Settings

from accounts.models import SystemSettings
from config.secret_hash import hash_secret
from invitations.actions import invitations
from invitations.mail import SUBJECT, inert
from invitations.models import Invitation
from invitations.tests.conftest import Deliver, invite
from testing.cast import Cast, ClientOf
from testing.mail_server import MailServer, smtp_at

Outbox = list[mail.EmailMessage]


@pytest.fixture
def invited(cast: Cast, client_of: ClientOf) -> Invitation:
    assert invite(client_of(cast.alice), cast.alpha.pk).status_code == 201
    return Invitation.objects.get()


def test_it_is_sent_once_with_a_link_whose_token_is_kept_nowhere(
    invited: Invitation, deliver: Deliver, mailoutbox: Outbox
) -> None:
    token = deliver()
    invitations.send()
    assert len(mailoutbox) == 1
    invited.refresh_from_db()
    assert (invited.delivery, invited.token_hash) == ("sent", hash_secret(token))
    assert token not in str(vars(invited))


def test_it_is_plain_and_kind(invited: Invitation, deliver: Deliver, mailoutbox: Outbox) -> None:
    SystemSettings(support_email="help@example.com").save()
    deliver()
    (message,) = mailoutbox
    assert (message.subject, message.to, message.cc, message.bcc) == (SUBJECT, ["new@example.com"], [], [])
    assert message.content_subtype == "plain"
    assert not getattr(message, "alternatives", [])
    assert 'Alice invites you to the organization "Alpha"' in " ".join(message.body.split())
    assert "http://localhost:3000/invitation#token=" in message.body
    assert "help@example.com" in message.body
    assert "<" not in message.body


NASTY = [
    "Alice\r\nBcc: victim@evil.example",
    "Click https://evil.example/login now",
    "www.evil.example",
    "\u202egpj.exe",
    "a" * 5_000,
    '<a href="https://evil.example">Alpha</a>',
    "mailto:x@evil.example",
]


@pytest.mark.parametrize("name", NASTY)
def test_a_name_is_a_name_and_no_link_header_or_second_line(
    cast: Cast, invited: Invitation, deliver: Deliver, mailoutbox: Outbox, name: str
) -> None:
    type(cast.alice).objects.filter(pk=cast.alice.pk).update(name=name[:200])
    type(cast.alpha).objects.filter(pk=cast.alpha.pk).update(name=name[:200])
    deliver()
    parsed = email.message_from_bytes(mailoutbox[0].message().as_bytes())
    assert {header.lower() for header in parsed} <= {
        *("content-type", "mime-version", "content-transfer-encoding"),
        *("subject", "from", "to", "date", "message-id"),
    }
    body = mailoutbox[0].body
    assert "evil.example" not in body
    assert "\u202e" not in body
    assert not any(line.lower().startswith("bcc") for line in body.splitlines())
    assert max(map(len, body.splitlines())) < 300


@pytest.mark.parametrize("name", ["Müller & Söhne GmbH", "北京", "O'Brien", "A. B. Smith", "Werk 3 (Nord)"])
def test_an_honest_name_is_left_as_it_is(name: str) -> None:
    assert inert(name) == name


def test_a_mail_server_gets_it(invited: Invitation, mail_server: MailServer) -> None:
    invitations.send()
    assert f"Subject: {SUBJECT}" in mail_server.received[0]
    invited.refresh_from_db()
    assert invited.delivery == "sent"


def test_while_the_mail_server_is_away_it_waits_and_is_sent_later(
    invited: Invitation, settings: Settings, mail_server: MailServer
) -> None:
    reachable = settings.MAILERS
    settings.MAILERS = smtp_at(1)
    invitations.send()
    invited.refresh_from_db()
    assert (invited.delivery, invited.token_hash) == ("waiting", None)
    settings.MAILERS = reachable
    invitations.send()
    invited.refresh_from_db()
    assert invited.delivery == "sent"


def test_an_address_that_is_refused_is_said_so_and_holds_up_nobody(
    cast: Cast, client_of: ClientOf, invited: Invitation, mail_server: MailServer
) -> None:
    mail_server.refused.add(invited.email)
    invite(client_of(cast.alice), cast.alpha.pk, "other@example.com")
    invitations.send()
    invitations.send()
    invited.refresh_from_db()
    assert (invited.delivery, invited.token_hash) == ("refused", None)
    assert len(mail_server.received) == 1
    assert "To: other@example.com" in mail_server.received[0]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_it_once(invited: Invitation, mail_server: MailServer) -> None:
    together = threading.Barrier(2)

    def turn() -> None:
        together.wait(10)
        invitations.send()
        connection.close()

    workers = [threading.Thread(target=turn) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert len(mail_server.received) == 1


def test_one_that_has_expired_or_was_withdrawn_is_not_sent(invited: Invitation, mailoutbox: Outbox) -> None:
    Invitation.objects.update(expires=invited.created)
    invitations.send()
    invited.delete()
    invitations.send()
    assert mailoutbox == []


@pytest.mark.django_db(transaction=True)
def test_the_worker_is_called_as_soon_as_there_is_something_to_send(cast: Cast, client_of: ClientOf) -> None:
    listening = connection.copy()
    try:
        with listening.cursor() as cursor:
            cursor.execute(f"LISTEN {invitations.CHANNEL}")
        made = invite(client_of(cast.alice), cast.alpha.pk).json()
        assert [note.channel for note in listening.connection.notifies(timeout=5, stop_after=1)] == ["invitations"]
        client_of(cast.alice).post(f"/api/invitations/{made['id']}/resend")
        assert [note.channel for note in listening.connection.notifies(timeout=5, stop_after=1)] == ["invitations"]
    finally:
        listening.close()
