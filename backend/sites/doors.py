"""The guarded doors: the only way from an id in a request to a row.

A stranger gets the same 404 as for what does not exist, a member without the action 403.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import User
from ems_contract.access import Action
from sites.grants import Roles
from sites.models import Site


def open_site(user: User, site_id: int, action: Action = Action.VIEW) -> Site:
    """The site, if `user` may do `action` there. Raises Http404 or PermissionDenied; both become problem details."""
    site = Site.objects.visible_to(user).select_related("organization").filter(pk=site_id).first()
    if site is None:
        raise Http404
    if action not in Roles(user).actions_on(site):
        raise PermissionDenied
    return site
