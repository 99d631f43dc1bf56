"""What an access token may be made for: never for more than its maker may do."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from rest_framework.exceptions import PermissionDenied, ValidationError

from accounts import access_tokens, policy
from accounts.access import Access
from accounts.actions.access_tokens import check_expires, do_issue, do_make_service_account
from accounts.models import AccessToken, Organization
from accounts.policy import Role, Scope
from ems_contract.access import Action
from sites.grants import Roles
from sites.models import Site, SiteAccess

_BASIC = policy.SCOPES[Scope.READ]


def check_personal(access: Access, scopes: Collection[Scope], sites: Collection[Site] | None) -> None:
    """Raises ValidationError unless the caller may do all of it on each of these sites; on one at least, if none is
    named. A platform admin's token reaches only what is theirs without being one.
    """
    named = None if sites is None else [site.pk for site in sites]
    trial = Access.of(access.user, AccessToken(user=access.user, scopes=list(scopes), sites=named))
    reached = list(Site.objects.visible_to(trial))
    if named is not None and {site.pk for site in reached} != set(named):
        raise ValidationError({"sites": "A token reaches only sites where you have a role of your own."})
    roles = Roles(trial)
    enough = any if named is None else all
    for scope in scopes:
        actions = policy.SCOPES[scope]
        if actions != _BASIC and not enough(actions <= set(roles.actions_on(site)) for site in reached):
            raise ValidationError({"scopes": f"You may not {_words(actions)} on these sites yourself."})


def do_make_personal(
    access: Access, name: str, scopes: Collection[Scope], sites: Collection[Site] | None, expires: datetime
) -> tuple[AccessToken, str]:
    """-> the row and the text, shown once. Raises ValidationError."""
    check_expires(expires)
    check_personal(access, scopes, sites)
    return do_issue(access.user, name, scopes, None if sites is None else [site.pk for site in sites], expires)


def check_organizational(
    access: Access, organization: Organization, scopes: Collection[Scope], sites: Collection[Site] | None, role: Role
) -> None:
    """Raises PermissionDenied unless the caller is its org admin; ValidationError for what the role does not allow."""
    if not access.administers(organization.pk):
        raise PermissionDenied("Only org admins make tokens of their organization.")
    if any(site.organization_id != organization.pk for site in sites or ()):
        raise ValidationError({"sites": f"Choose sites of {organization.name} only."})
    allowed = policy.MATRIX[role] | policy.WHERE_THE_SITE_ALLOWS.get(role, frozenset())
    for scope in scopes:
        beyond = policy.SCOPES[scope] - allowed
        if beyond:
            raise ValidationError({"scopes": f"A {_name(role)} may not {_words(beyond)}. Choose a stronger role."})


def do_make_organizational(
    access: Access,
    organization: Organization,
    name: str,
    scopes: Collection[Scope],
    sites: Collection[Site] | None,
    role: Role,
    expires: datetime,
) -> tuple[AccessToken, str]:
    """-> the row and the text, shown once. Without `sites` it has the role on all that the organization has now.

    Raises PermissionDenied or ValidationError.
    """
    check_expires(expires)
    check_organizational(access, organization, scopes, sites, role)
    prefix = access_tokens.new_prefix()
    with transaction.atomic():
        account = do_make_service_account(organization, name, prefix)
        for site in sites if sites is not None else Site.objects.visible_to(access).filter(organization=organization):
            SiteAccess.objects.create(user=account, site=site, role=role)
        named = None if sites is None else [site.pk for site in sites]
        return do_issue(account, name, scopes, named, expires, organization, prefix)


def _words(actions: Collection[Action]) -> str:
    """`control devices`"""
    return " or ".join(
        action.value.replace("_", " ") for action in Action if action in actions and action not in _BASIC
    )


def _name(role: Role) -> str:
    return role.value.replace("_", " ")
