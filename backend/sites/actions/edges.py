"""Edges are made, changed and deleted."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from config.problems import Conflict
from sites import edge_redis
from sites.actions.changes import locked, save_changes
from sites.actions.local_config import check_local
from sites.models import Edge, EdgeKey, Site


def check_disconnected(keys: QuerySet[EdgeKey], what: str) -> None:
    """Raises Conflict while one of the keys is live: whoever deletes says first that nothing measures any more."""
    live = list(keys.filter(revoked=None).values_list("prefix", flat=True))
    if live:
        named = ", ".join(f"ems_{prefix}_..." for prefix in live[:5])
        raise Conflict(
            f"{what} cannot be deleted while an edge has a live key ({named}). Revoke it first.", code="live_keys"
        )


def do_create_edge(site: Site, **fields: Any) -> Edge:
    """Raises ValidationError naming the field."""
    check_local(site, None, fields)
    return Edge.objects.create(site=site, **fields)


def do_change_edge(edge: Edge, **changes: Any) -> Edge:
    """Raises ValidationError naming the field."""
    check_local(edge.site, edge, changes)
    with transaction.atomic():
        save_changes(edge, changes)
    return edge


def do_delete_edge(edge: Edge) -> None:
    """Its devices and keys go with it; its points and their history stay. Raises Conflict while it has a live key."""
    site_id, edge_id = edge.site_id, edge.pk
    with transaction.atomic():
        going = locked(edge)
        check_disconnected(going.keys.all(), f"The edge {edge.name}")
        going.delete()
        transaction.on_commit(lambda: edge_redis.forget_image(site_id, edge_id))
