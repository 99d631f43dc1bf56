"""What is left to do for a site that is gone: its history lives in another database, and goes after it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

CHANNEL = "sites_removed"


class SiteRemoval(models.Model):
    """An outbox, written by database triggers in the transaction of the deletion; the worker empties it.

    A row without `edge_id` says that the site is gone; one with it, that the site once had this edge.
    """

    site_id = models.BigIntegerField()
    edge_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"site {self.site_id}: {'gone' if self.edge_id is None else f'edge {self.edge_id} gone'}"


def removed_sites() -> list[tuple[int, list[int]]]:
    """(site, the edges it ever had) of each site whose history is still there."""
    edges: dict[int, list[int]] = {}
    for site, edge in SiteRemoval.objects.order_by("id").values_list("site_id", "edge_id"):
        edges.setdefault(site, []).extend([] if edge is None else [edge])
    gone = SiteRemoval.objects.filter(edge_id=None).values_list("site_id", flat=True)
    return [(site, edges[site]) for site in sorted(set(gone))]


def forget(site_id: int) -> None:
    """Its history is gone too."""
    SiteRemoval.objects.filter(site_id=site_id).delete()
