"""The invitations of an organization that is exported or deleted, and those to a person who is erased."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from accounts.belongings import Belongings, Row
from accounts.models import Organization
from invitations.models import Invitation


class InvitationBelongings(Belongings):
    def counts(self, organization: Organization) -> Mapping[str, int]:
        return {"invitations": organization.invitations.count()}

    def sections(self, organization: Organization) -> Iterator[tuple[str, Iterable[Row]]]:
        columns = ("id", "email", "role", "invited_by", "created", "expires", "sent", "accepted", "accepted_by")
        yield "invitations", organization.invitations.order_by("pk").values(*columns).iterator(500)

    def remove(self, organization: Organization) -> None:
        organization.invitations.all().delete()


def forget_address(sender: object, email: str, **_: Any) -> None:
    Invitation.objects.opened("whoever sent them").filter(email=email).delete()
