"""What a sandbox still has to be filled with."""

from __future__ import annotations

from django.db import models

from sites.models import Edge


class GeneratedHistory(models.Model):
    """The past of one simulated site, from `start` (included) to `end` (excluded) in ms, on its way to history.

    `sent` of `batches` are on the edge's stream or further. `site_key` is the simulator's name of the site.
    """

    edge = models.OneToOneField(Edge, on_delete=models.CASCADE, related_name="generated_history")
    site_key = models.CharField(max_length=40)
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    batches = models.PositiveIntegerField()
    sent = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"history of {self.edge}: {self.sent} of {self.batches} batches"
