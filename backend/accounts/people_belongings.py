"""What accounts itself keeps for an organization: its people and its access tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from django.db import transaction
from django.db.models import ProtectedError

from accounts.actions.organizations import only_here
from accounts.belongings import Belongings, NotYet, Row
from accounts.models import Membership, Organization


class PeopleBelongings(Belongings):
    def counts(self, organization: Organization) -> Mapping[str, int]:
        people = organization.memberships.filter(user__is_service=False)
        return {
            "memberships": people.count(),
            "accounts_deactivated": sum(not user.is_service for user in only_here(organization)),
            "access_tokens": organization.access_tokens.count(),
        }

    def sections(self, organization: Organization) -> Iterator[tuple[str, Iterable[Row]]]:
        yield "people", (_person(row) for row in organization.memberships.select_related("user").iterator(500))
        tokens = organization.access_tokens.values(
            "id", "name", "user", "scopes", "sites", "created", "expires", "last_used", "revoked"
        )
        yield "access_tokens", tokens.iterator(500)

    def remove(self, organization: Organization) -> None:
        """The organization itself too: it is the last thing to go."""
        with transaction.atomic():
            for user in only_here(organization):
                user.is_active = False
                user.save(update_fields=["is_active"])
            try:
                organization.delete()
            except ProtectedError as something_new:
                raise NotYet("something was added to it meanwhile") from something_new


def _person(row: Membership) -> Row:
    user = row.user
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.name,
        "role": row.role,
        "is_active": user.is_active,
        "is_service": user.is_service,
    }
