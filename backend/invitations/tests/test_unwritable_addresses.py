"""An address that passes for one and that no e-mail can be written to."""

from __future__ import annotations

import pytest
from django.core import mail
from django.core.mail import EmailMessage

from invitations.actions import invitations
from invitations.models import Invitation
from invitations.tests.conftest import invite
from testing.cast import Cast, ClientOf

UNWRITABLE = ("\u017fam@example.com", "\u0131rma@example.com")
"""Django's check of an address ignores case, and by that these letters are s and i."""


def as_smtp_does(message: EmailMessage, *_: object) -> int:
    if not message.to[0].isascii():
        raise ValueError(f"Invalid address {message.to[0]!r}: local-part contains non-ASCII characters)")
    mail.outbox.append(message)
    return 1


@pytest.mark.parametrize("address", UNWRITABLE)
def test_it_is_refused_and_holds_up_nobody(
    cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage], address: str
) -> None:
    monkeypatch.setattr(EmailMessage, "send", as_smtp_does)
    assert invite(client_of(cast.alice), cast.alpha.pk, address).status_code == 201
    invite(client_of(cast.alice), cast.alpha.pk, "other@example.com")
    invitations.send()
    assert Invitation.objects.get(email=address).delivery == "refused"
    assert [message.to for message in mailoutbox] == [["other@example.com"]]
