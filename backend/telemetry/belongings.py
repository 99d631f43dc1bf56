"""The history of an organization's sites: counted here, removed by the worker after its sites are gone."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from accounts.belongings import Belongings
from accounts.models import Organization
from config.redis import client
from sites import removals
from telemetry import database, removal, store

log = structlog.get_logger()


class HistoryBelongings(Belongings):
    def counts(self, organization: Organization) -> Mapping[str, int]:
        sites = list(organization.sites.values_list("pk", flat=True))
        return {"samples": removal.count_samples(database.connection(), sites)}


def remove_history() -> None:
    """The worker's job, for every site that was deleted, however that happened."""
    gone = removals.removed_sites()
    if not gone:
        return
    with store.connect(database.parameters()) as connection:
        for site, edges in gone:
            if removal.remove(connection, client(), site, edges):
                removals.forget(site)
                log.info("the history of a deleted site is removed", site=site)
