"""The chain of an organization's events: each link is a hash over the link before it and the digest of one event.

Pure. The digest of an event is computed by PostgreSQL with built-in functions only, so that replacing a function of
ours deceives no one. What an event says never changes its shape: a new column gets a new version of DIGEST.
"""

from __future__ import annotations

from hashlib import sha256

NOBODY = 0
"""Stands for the organization in the chain of events that belong to none."""

DIGEST = """
pg_catalog.sha256(pg_catalog.record_send(ROW(
    1, e.id, e.at, e.action, e.outcome, e.actor_id, e.actor_key, e.actor, e.organization_id, e.site_id, e.target,
    e.target_key, e.target_id, e.address, e.request_id, e.before, e.after, e.details, e.persons)))
"""
"""SQL, of the row `e` of audit_auditevent -> 32 bytes. The values in PostgreSQL's binary format, which depends on no
setting and costs half of what JSON does; the first one is the version of this list."""

PERSON_KEY = """
pg_catalog.encode(pg_catalog.substring(pg_catalog.sha256(p.salt || pg_catalog.convert_to(
    coalesce(p.user_id::text, '') || ' ' || p.text, 'UTF8')), 1, 16), 'hex')::uuid
"""
"""SQL, of the row `p` of audit_person that was not erased -> what its key must be."""


def genesis(organization: int) -> bytes:
    """What stands before the first link, so that no chain can pass for another's."""
    return sha256(b"ems audit chain %d" % organization).digest()


def link(previous: bytes, digest: bytes) -> bytes:
    """The hash of the next event in the chain."""
    return sha256(previous + digest).digest()
