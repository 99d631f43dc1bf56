"""The guarded doors: the only way from an id in a request to a row.

A stranger gets the same 404 as for what does not exist, a member without the action 403.
"""

from __future__ import annotations

from django.http import Http404

from accounts.access import Access, access_of
from accounts.models import User
from config.problems import NotAllowedOn
from ems_contract.access import Action
from sites.grants import Roles
from sites.models import Site, TenantQuerySet, TenantRow


def open_site(who: User | Access, site_id: int, action: Action = Action.VIEW) -> Site:
    """The site, if the caller may do `action` there. Raises Http404 or PermissionDenied; both become problems."""
    access = access_of(who)
    site = Site.objects.visible_to(access).select_related("organization").filter(pk=site_id).first()
    if site is None:
        raise Http404
    check_action(access, site, action)
    return site


def open_row[M: TenantRow](
    who: User | Access, rows: TenantQuerySet[M], row_id: object, action: Action = Action.VIEW, by: str = "pk"
) -> M:
    """One row of a site, with its `site` and `organization`, if the caller may do `action` there.

    `by`: the column that `row_id` is in.
    """
    access = access_of(who)
    row = rows.visible_to(access).select_related("site", "site__organization").filter(**{by: row_id}).first()
    if row is None:
        raise Http404
    check_action(access, row.site, action)
    return row


def check_action(access: Access, site: Site, action: Action) -> None:
    """On a site that the caller may see. Raises NotAllowedOn."""
    if action not in Roles(access).actions_on(site):
        raise NotAllowedOn(site.pk, site.organization_id)
