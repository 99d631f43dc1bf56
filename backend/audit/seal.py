"""The sealer: gives every committed event its place in the chain of its organization, within seconds.

Writers put ids into `audit_unsealed` and wait for nobody; the sealer takes what is committed, in any order, and is the
only one that waits, for another sealer. Killed anywhere, the next turn does the same work again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import structlog
from django.db import connections, transaction

from audit.anchors import Anchors, Head
from audit.chain import DIGEST, NOBODY, genesis, link
from audit.denials import MOST_PER_MINUTE

BATCH = 20_000
_LOCK = 0x5345414C  # an advisory lock: a chain has one end

log = structlog.get_logger()

_TAKE = f"""
WITH taken AS (
    DELETE FROM audit_unsealed WHERE event IN (SELECT event FROM audit_unsealed ORDER BY event LIMIT %s) RETURNING event
)
SELECT taken.event, coalesce(e.organization_id, {NOBODY}), {DIGEST}, e.id IS NULL
FROM taken LEFT JOIN audit_auditevent e ON e.id = taken.event ORDER BY 2, 1
"""  # noqa: S608 - of constants

_HEADS = """
SELECT o.organization, h.position, h.hash FROM unnest(%s::bigint[]) AS o(organization), LATERAL (
    SELECT position, hash FROM audit_seal s WHERE s.organization = o.organization ORDER BY position DESC LIMIT 1) h
"""

_ALL_HEADS = """
WITH RECURSIVE chains AS (
    (SELECT organization FROM audit_seal ORDER BY organization LIMIT 1)
    UNION ALL
    SELECT (SELECT organization FROM audit_seal s WHERE s.organization > c.organization ORDER BY organization LIMIT 1)
    FROM chains c WHERE c.organization IS NOT NULL
)
SELECT array_agg(organization) FROM chains WHERE organization IS NOT NULL
"""


def seal(batch: int = BATCH) -> list[Head]:
    """Seal up to `batch` events, in one transaction. The new ends of the chains that grew; empty: nothing was left."""
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(_TAKE, [batch])
        taken: list[tuple[int, int, bytes, bool]] = cursor.fetchall()
        if not taken:
            return []
        ends = {head.organization: head for head in _heads(cursor, {organization for _, organization, *_ in taken})}
        with cursor.copy("COPY audit_seal (event, organization, position, hash) FROM STDIN") as copy:
            for event, organization, digest, gone in taken:
                if gone:  # its place in the chain stays, and the verifier names it
                    log.error("an audit event was deleted before it was sealed", event_id=event)
                end = ends.get(organization) or Head(organization, 0, genesis(organization))
                end = Head(organization, end.position + 1, link(end.hash, digest))
                ends[organization] = end
                copy.write_row((event, organization, end.position, end.hash))
    return list(ends.values())


def heads() -> list[Head]:
    """The end of every chain."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_ALL_HEADS)
        (organizations,) = cursor.fetchone()
        return _heads(cursor, organizations or ())


def _heads(cursor: Any, organizations: Iterable[int]) -> list[Head]:
    cursor.execute(_HEADS, [list(organizations)])
    return [Head(organization, position, bytes(hash_)) for organization, position, hash_ in cursor.fetchall()]


def close_floods() -> None:
    """Tell with one event each how often a caller was denied in a minute that is over."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT audit_close_floods(%s)", [MOST_PER_MINUTE])


class Sealer:
    """The worker's job. Seals all there is, then writes down the ends of the chains outside of the database."""

    def __init__(self, anchors: Anchors | None = None) -> None:
        self._anchors = anchors
        self._grown: dict[int, Head] | None = None

    def run(self) -> None:
        """Raises django.db.Error, OSError, BadAnchors; then the next turn does it."""
        anchors = self._anchors = self._anchors or Anchors.configured()
        if self._grown is None:  # after a start: what an earlier worker sealed and may not have written down
            self._grown = {head.organization: head for head in heads()}
        close_floods()
        while ends := seal():
            self._grown.update((head.organization, head) for head in ends)
        anchors.write(self._grown.values(), time.time())
