"""Who may invite whom as what. Asked when an invitation is made, sent again and accepted: none outlives the right."""

from __future__ import annotations

from collections.abc import Sequence

from rest_framework.exceptions import PermissionDenied, ValidationError

from accounts.access import Access
from accounts.models import Membership, Organization
from accounts.rules import check_may_grant
from config.filters import ABSENT
from sites.actions.site_access import check_grantable
from sites.models import Site

SiteRole = tuple[Site, str]


def check_may_invite(access: Access, organization: Organization, role: str, sites: Sequence[SiteRole]) -> None:
    """Org admins anyone as anything; site managers members, with roles that are weaker than their own on their sites.

    Raises PermissionDenied, or ValidationError for sites that do not fit together.
    """
    check_may_grant(access, organization.pk, role)
    _check_sites(organization, role, sites)
    if access.administers(organization.pk):
        return
    if not sites:
        raise PermissionDenied("Only an org admin can invite without a role on a site.")
    for site, granted in sites:
        check_grantable(access, site, [granted])


def _check_sites(organization: Organization, role: str, sites: Sequence[SiteRole]) -> None:
    if role == Membership.Role.ORG_ADMIN and sites:
        raise ValidationError({"sites": "An org admin has every site of the organization; leave this empty."})
    seen: set[int] = set()
    for index, (site, _) in enumerate(sites):
        if site.organization_id != organization.pk:
            raise ValidationError({f"sites.{index}.site": ABSENT})
        if site.pk in seen:
            raise ValidationError({f"sites.{index}.site": "This site is named twice."})
        seen.add(site.pk)
