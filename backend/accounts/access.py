"""What a caller may do, resolved once per request: the user, their organizations and the limits of the credential."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from accounts import policy
from accounts.models import AccessToken, Membership, User
from accounts.policy import PlatformAction, Role, Scope
from ems_contract.access import Action


@dataclass(frozen=True, eq=False)
class Access:
    """Immutable; a change of access is seen by the next request.

    `memberships`: organization id -> role, of organizations that are not suspended. `token` is None for a login; an
    access token carries no platform rights and narrows everything else to its scopes, its sites and its organization.
    """

    user: User
    memberships: Mapping[int, str]
    token: AccessToken | None = field(default=None, repr=False)

    @classmethod
    def of(cls, user: User, token: AccessToken | None = None) -> Access:
        """One query. A user who is not active has access to nothing."""
        if not user.is_active or user.pk is None:
            return cls(user, {}, token)
        memberships = Membership.objects.opened("the caller's own").filter(user=user, organization__suspended=None)
        if token is not None and token.organization_id is not None:
            memberships = memberships.filter(organization=token.organization_id)
        return cls(user, dict(memberships.values_list("organization_id", "role")), token)

    @property
    def platform_admin(self) -> bool:
        """May access other organizations."""
        allowed = PlatformAction.ACCESS_OTHER_ORGS in policy.PLATFORM[Role.PLATFORM_ADMIN]
        return self.user.is_active and self.user.is_superuser and self.token is None and allowed

    @property
    def developer(self) -> bool:
        """API documentation and test data; beside the roles, and never through an access token."""
        return self.user.is_active and self.token is None and (self.user.is_developer or self.user.is_superuser)

    @property
    def organizations(self) -> frozenset[int]:
        return frozenset(self.memberships)

    @property
    def administered(self) -> frozenset[int]:
        """The organizations whose org admin the caller is. A platform admin administers all; ask `platform_admin`."""
        return frozenset(pk for pk, role in self.memberships.items() if role == Membership.Role.ORG_ADMIN)

    def administers(self, organization_id: int) -> bool:
        """May manage the users and the settings of this organization. Never true for an access token."""
        return self.token is None and (self.platform_admin or organization_id in self.administered)

    def within(self, action: Action) -> bool:
        """True if the credential itself does not rule the action out. The role must allow it as well."""
        return self.token is None or action in policy.scope_actions(Scope(scope) for scope in self.token.scopes)


def access_of(who: User | Access) -> Access:
    """Doors take either: a user stands for a login of theirs."""
    return who if isinstance(who, Access) else Access.of(who)
