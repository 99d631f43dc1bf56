"""Sites are made, changed and deleted.

A site goes with everything on it: assets, edges, devices, points, roles. While one of its edges has a live key the
site stays, so that nothing goes on measuring for nobody. What was measured there goes with it; see `sites.removals`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from rest_framework.exceptions import ValidationError

from accounts.models import Organization
from sites import edge_redis
from sites.actions.changes import save_changes, unique
from sites.actions.edges import check_disconnected
from sites.models import Site


def _taken() -> ValidationError:
    return ValidationError({"slug": "Another site of this organization has it; choose another one."})


def check_slug(organization: Organization, name: str, slug: str | None) -> str:
    """`slug`, or one made from the name that is free. Raises ValidationError."""
    taken = set(organization.sites.values_list("slug", flat=True))
    if slug is not None:
        if slug in taken:
            raise _taken()
        return slug
    made = slugify(name)[:90] or "site"
    numbered = (f"{made}-{number}" for number in range(2, len(taken) + 3))
    return made if made not in taken else next(each for each in numbered if each not in taken)


def do_create_site(organization: Organization, name: str, slug: str | None = None, **fields: Any) -> Site:
    slug = check_slug(organization, name, slug)
    with unique(_taken()):
        return Site.objects.create(organization=organization, name=name, slug=slug, **fields)


def do_change_site(site: Site, **changes: Any) -> Site:
    with transaction.atomic():
        save_changes(site, changes)
    return site


def check_deletion(site: Site, typed: str) -> None:
    """`typed`: its name, written by whoever deletes it, since nothing brings the history back.

    Raises Conflict while an edge is connected, or ValidationError.
    """
    check_disconnected(site.edge_keys.all(), f"The site {site.name}")
    if typed != site.name:
        raise ValidationError({"name": f"To delete the site with all its history, write its name: {site.name}"})


def do_delete_site(site: Site) -> None:
    """Raises Conflict while an edge is connected."""
    with transaction.atomic():
        site_id, edges = site.pk, [edge.pk for edge in site.edges.select_for_update()]  # no key is made meanwhile
        check_disconnected(site.edge_keys.all(), f"The site {site.name}")
        site.delete()
        for edge in edges:
            transaction.on_commit(partial(edge_redis.forget_image, site_id, edge))
