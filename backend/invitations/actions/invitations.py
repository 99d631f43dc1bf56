"""Invitations: made, sent by the worker, sent again, withdrawn."""

from __future__ import annotations

import secrets
import smtplib
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.access import Access
from accounts.models import Membership, Organization, SystemSettings, User
from config.problems import Conflict
from config.secret_hash import hash_secret
from invitations import mail
from invitations.models import Invitation, InvitedSite, State
from invitations.rules import SiteRole, check_may_invite

CHANNEL = "invitations"
"""A NOTIFY on it tells the worker that an e-mail is due."""
KEPT = timedelta(days=30)
"""How long one that was accepted or has expired is still shown."""
_AT_ONCE = 100
_REFUSALS = (smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError, ValueError)
"""Of one address: by the mail server, or by Django, which writes none that e-mail cannot carry (`ſam@example.com`)."""

log = structlog.get_logger()


class AlreadyMember(Conflict):
    """Give this person a role on a site instead."""

    default_code = "already_member"
    default_detail = "This person belongs to the organization already. Give them a role on a site instead."


class AlreadyInvited(Conflict):
    """Send the invitation again, or withdraw it first."""

    default_code = "already_invited"
    default_detail = "There is an invitation for this address that is still good. Send that one again, or withdraw it."


class AlreadyAccepted(Conflict):
    """Nothing is left to send or to withdraw."""

    default_code = "already_accepted"
    default_detail = "This invitation was accepted. Change the membership instead."


def check_create(access: Access, organization: Organization, email: str, role: str, sites: Sequence[SiteRole]) -> None:
    """Raises PermissionDenied, ValidationError or AlreadyMember."""
    check_may_invite(access, organization, role, sites)
    members = Membership.objects.opened("of an organization that the caller may invite to")
    if members.filter(organization=organization, user__email=email).exists():
        raise AlreadyMember


def do_create(
    inviter: User, organization: Organization, email: str, role: str, sites: Sequence[SiteRole]
) -> Invitation:
    """Raises AlreadyInvited. One that has expired makes room."""
    with transaction.atomic():
        old = Invitation.objects.opened("of this address and organization").filter(
            organization=organization, email=email
        )
        old.expired().delete()
        try:
            with transaction.atomic():
                invitation = Invitation.objects.create(
                    organization=organization, email=email, role=role, invited_by=inviter, expires=_end()
                )
        except IntegrityError as taken:
            raise AlreadyInvited from taken
        for site, granted in sites:
            InvitedSite.objects.create(invitation=invitation, site=site, role=granted)
        _call_the_worker()
    return invitation


def check_resend(access: Access, invitation: Invitation) -> None:
    """Whoever sends it again must be allowed to make it. Raises as `check_create`, or AlreadyAccepted."""
    if invitation.state is State.ACCEPTED:
        raise AlreadyAccepted
    check_create(access, invitation.organization, invitation.email, invitation.role, site_roles(invitation))


def do_resend(inviter: User, invitation: Invitation) -> Invitation:
    """A new link and a new time; the old link is void at once. It is the new sender's invitation from now on."""
    with transaction.atomic():
        row = _open(invitation)
        row.invited_by, row.expires = inviter, _end()
        row.token_hash = row.sent = row.refused = None
        row.save(update_fields=["invited_by", "expires", "token_hash", "sent", "refused"])
        _call_the_worker()
    return row


def do_delete(invitation: Invitation) -> None:
    """Withdraw it: its link is void. Raises AlreadyAccepted."""
    with transaction.atomic():
        _open(invitation).delete()


def _open(invitation: Invitation) -> Invitation:
    """The row as it is now, locked: somebody may be accepting it. Raises AlreadyAccepted."""
    rows = Invitation.objects.opened("the door was opened").select_related("organization")
    row = rows.select_for_update(of=("self",)).get(pk=invitation.pk)
    if row.accepted is not None:
        raise AlreadyAccepted
    return row


def site_roles(invitation: Invitation) -> list[SiteRole]:
    return [(invited.site, invited.role) for invited in invitation.sites.select_related("site")]


def _end() -> datetime:
    return timezone.now() + timedelta(days=SystemSettings.load().invitation_days)


def _call_the_worker() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


# In the worker ------------------------------------------------------------------------------------------------------


def send() -> None:
    """The job: every e-mail that is due. What cannot be sent now is tried at the next turn, until it has expired."""
    due = Invitation.objects.pending().filter(token_hash=None, refused=None).order_by("pk")
    for pk in due.values_list("pk", flat=True)[:_AT_ONCE]:
        try:
            _send(pk)
        except (smtplib.SMTPException, OSError) as error:
            log.error("an e-mail is not sent", kind="invitation", error=type(error).__name__)
            return


def _send(pk: int) -> None:
    """One at a time: what was sent is committed before the next, and another worker's is left alone."""
    rows = Invitation.objects.pending().select_related("organization", "invited_by")
    with transaction.atomic():
        invitation = rows.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk, token_hash=None).first()
        if invitation is None:
            return
        token = secrets.token_urlsafe(32)
        try:
            mail.message(invitation, token).send()
        except _REFUSALS as error:
            invitation.refused = timezone.now()
            invitation.save(update_fields=["refused"])
            log.warning("an address cannot be written to", invitation=pk, error=type(error).__name__)
            return
        invitation.token_hash, invitation.sent = hash_secret(token), timezone.now()
        invitation.save(update_fields=["token_hash", "sent"])
    log.info("invitation sent", invitation=pk)


def sweep() -> None:
    """The job: forget what was accepted or has expired long ago."""
    long_ago = timezone.now() - KEPT
    Invitation.objects.filter(accepted__lt=long_ago).delete()
    Invitation.objects.expired().filter(expires__lt=long_ago).delete()
