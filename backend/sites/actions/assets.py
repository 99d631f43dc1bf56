"""Assets form a tree: an asset is never below itself, and stays on its site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from rest_framework.exceptions import ValidationError

from config.problems import Conflict
from sites.actions.changes import save_changes
from sites.models import Asset, Site

DEEPEST = 20
"""Levels of the tree, so that drawing it never gets long."""


def check_parent(site_id: int, asset_id: int | None, parent: Asset | None) -> None:
    """Raises ValidationError naming `parent`. Call with the site's assets locked."""
    rows = Asset.objects.opened("the site's own tree").filter(site=site_id)
    above = dict(rows.values_list("pk", "parent_id"))
    node, level = (parent.pk if parent else None), 1
    while node is not None:
        if node == asset_id:
            raise ValidationError({"parent": "An asset cannot be below itself."})
        node, level = above.get(node), level + 1
    if level + _height(above, asset_id) > DEEPEST:
        raise ValidationError({"parent": f"The tree would have more than {DEEPEST} levels."})


def _height(above: Mapping[int, int | None], asset_id: int | None) -> int:
    """Levels below this asset."""
    height, level = 0, {asset_id} - {None}
    while level := {child for child, parent in above.items() if parent in level}:
        height += 1
    return height


def do_create_asset(site: Site, parent: Asset | None = None, **fields: Any) -> Asset:
    with transaction.atomic():
        _lock_tree(site.pk)
        check_parent(site.pk, None, parent)
        return Asset.objects.create(site=site, parent=parent, **fields)


def do_change_asset(asset: Asset, **changes: Any) -> Asset:
    with transaction.atomic():
        if "parent" in changes:
            _lock_tree(asset.site_id)
            check_parent(asset.site_id, asset.pk, changes["parent"])
        save_changes(asset, changes)
    return asset


def do_delete_asset(asset: Asset) -> None:
    """What was on it is on no asset then. Raises Conflict while something is below it."""
    with transaction.atomic():
        _lock_tree(asset.site_id)
        below = asset.children.count()
        if below:
            raise Conflict(f"{below} assets are below {asset.name}. Move or delete them first.", code="has_children")
        asset.delete()


def _lock_tree(site_id: int) -> None:
    """Of two moves at once the second one sees the first, so together they make no circle."""
    rows = Site.objects.opened("the row's own site").select_for_update(no_key=True)
    rows.filter(pk=site_id).first()
