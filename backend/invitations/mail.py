"""The e-mail with an invitation's link: plain text, in which a name that somebody chose is never more than a name."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage

from accounts.models import SystemSettings
from invitations.models import Invitation

SUBJECT = "Your invitation to SimTestLab EMS"
"""Names of people stay out of the headers."""
LONGEST_NAME = 80

_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
_LINKING = re.compile(r"([.:/@\\])(?=\S)")


def inert(name: str) -> str:
    """One short line of text that no mail program makes a link of.

    >>> inert("Alpha\\nBcc: x@evil.example, see https://evil.example")
    'Alpha Bcc: x@ evil. example, see https: / / evil. example'
    """
    line = " ".join(_INVISIBLE.sub(" ", name).split())
    loose = _LINKING.sub(r"\1 ", line)
    return loose if len(loose) <= LONGEST_NAME else f"{loose[: LONGEST_NAME - 1]}…"


def message(invitation: Invitation, token: str) -> EmailMessage:
    """The token is in the fragment of the link, which browsers never send to a server."""
    inviter = inert(invitation.invited_by.name) if invitation.invited_by is not None else "An administrator"
    link = f"{settings.PUBLIC_URL}/invitation#token={token}"
    until = invitation.expires.astimezone(ZoneInfo("UTC"))
    support = SystemSettings.load().support_email
    question = f"\nQuestions? Write to {support}.\n" if support else ""
    text = f"""Hello,

{inviter} invites you to the organization "{inert(invitation.organization.name)}" in SimTestLab EMS, where its people
watch and manage the energy of their sites.

Open this link to join:

{link}

It is good once, for this e-mail address only, until {until:%d %B %Y, %H:%M} UTC.

If you did not expect this, do nothing: without the link nothing happens.
{question}
SimTestLab EMS, {settings.PUBLIC_URL}
"""
    return EmailMessage(SUBJECT, text, to=[invitation.email])
