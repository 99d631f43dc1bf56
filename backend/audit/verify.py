"""Recomputes the chains and names what was done to them: every event that was altered, removed, put in or moved.

Each link is checked against the link stored before it, so one altered event is one finding. Somebody who recomputed the
rest of a chain as well, or cut off its end, is found by the anchors, which are outside of the database.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connections, transaction

from audit.anchors import Head
from audit.chain import DIGEST, NOBODY, PERSON_KEY, genesis, link

_STEP = 10_000
_LATE_SECONDS = 600
_MOST_MOVED = 1_000

_ALL_CORES = "SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL work_mem = '64MB'"

_LINKS = f"""
SELECT s.organization, s.position, s.event, s.hash, {DIGEST}, e.id IS NULL
FROM audit_seal s LEFT JOIN audit_auditevent e ON e.id = s.event
WHERE %(only)s::bigint IS NULL OR s.organization = %(only)s
ORDER BY s.organization, s.position
"""  # noqa: S608 - of constants

_STRANGERS = f"""
SELECT e.id, coalesce(e.organization_id, {NOBODY}), u.event IS NOT NULL
FROM audit_auditevent e LEFT JOIN audit_unsealed u ON u.event = e.id
WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.event = e.id)
    AND (u.event IS NULL OR e.at < now() - make_interval(secs => {_LATE_SECONDS}))
    AND {{which}}
ORDER BY e.id
"""  # noqa: S608 - of constants

_PERSONS = f"""
SELECT p.key, p.text::text FROM audit_person p
WHERE CASE WHEN p.salt IS NULL THEN p.text NOT LIKE 'erased person%%' ELSE p.key <> {PERSON_KEY} END
"""  # noqa: S608 - of constants

_GUARDS = """
WITH guards AS (
    SELECT c.relname::text AS "table", t.tgname::text AS trigger, t.tgenabled <> 'D' AS enabled
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid WHERE t.tgname LIKE 'audit_%%'
), needed("table", trigger) AS (VALUES
    ('audit_auditevent', 'audit_append_only'), ('audit_auditevent', 'audit_no_truncate'),
    ('audit_auditevent', 'audit_queue'), ('audit_seal', 'audit_append_only'), ('audit_seal', 'audit_no_truncate'),
    ('audit_person', 'audit_append_only'), ('audit_person', 'audit_no_truncate'), ('audit_person', 'audit_only_erase')
)
SELECT "table", trigger, enabled IS NULL FROM needed FULL JOIN guards USING ("table", trigger)
WHERE enabled IS NOT TRUE ORDER BY 1, 2
"""
"""Of the tables under audit we know what is switched off; of the log itself also what is gone."""


@dataclass(frozen=True)
class Finding:
    """`what` is altered, missing, inserted, reordered, rewritten, not sealed, renamed or unguarded."""

    what: str
    sentence: str
    organization: int | None = None
    event: int | None = None
    position: int | None = None

    def __str__(self) -> str:
        return f"{self.what}: {self.sentence}"


@dataclass
class Verdict:
    """`rows` were recomputed in `seconds`."""

    rows: int = 0
    chains: int = 0
    anchors: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Rows per second."""
        return self.rows / self.seconds if self.seconds else 0.0


def verify(anchors: Iterable[Head], only: int | None = None, progress: Callable[[int], None] | None = None) -> Verdict:
    """Of all chains, or of one organization's (0: of the events without). `progress` is told the rows done so far.

    Read the anchors before the call: those of a chain that grows meanwhile are then never ahead of it.
    """
    wanted: dict[int, dict[int, bytes]] = defaultdict(dict)
    verdict = Verdict()
    for head in anchors:
        if only in (None, head.organization):
            wanted[head.organization][head.position] = head.hash
            verdict.anchors += 1
    started = time.perf_counter()
    with transaction.atomic():  # for the settings; each statement sees one moment
        walk = _Walk(verdict, wanted)
        for row in _stream(_LINKS, "int8 int8 int8 bytea bytea bool", only):
            walk.step(*row)
            if progress is not None and verdict.rows % _STEP == 0:
                progress(verdict.rows)
        walk.end()
        which = {None: "true", NOBODY: "e.organization_id IS NULL"}.get(only, "e.organization_id = %(only)s")
        for event, organization, queued in _stream(_STRANGERS.format(which=which), "int8 int8 bool", only):
            verdict.findings.append(_stranger(event, organization, queued))
        for key, text in _stream(_PERSONS, "uuid text", only):
            said = f"person {key} is called {text!r} now, which is not what was recorded"
            verdict.findings.append(Finding("renamed", said))
        for table, trigger, gone in _stream(_GUARDS, "text text bool", only):
            said = f"the trigger {trigger} on {table} is {'gone' if gone else 'switched off'}"
            verdict.findings.append(Finding("unguarded", said))
    verdict.seconds = time.perf_counter() - started
    return verdict


def _stream(statement: str, types: str, only: int | None) -> Iterator[tuple[Any, ...]]:
    """Rows as the server makes them: unlike a cursor, a COPY may be computed on several cores."""
    connection = connections["default"]
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute(_ALL_CORES)
        with cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT BINARY)", {"only": only}) as copy:
            copy.set_types(types.split())
            yield from copy.rows()


def _stranger(event: int, organization: int, queued: bool) -> Finding:
    if queued:
        said = f"event {event} of {_of(organization)} waits for its seal for more than {_LATE_SECONDS // 60} minutes"
        return Finding("not sealed", f"{said}; does the worker run?", organization, event)
    said = f"event {event} of {_of(organization)} was put in past the log: it has no place in the chain"
    return Finding("inserted", said, organization, event)


def _of(organization: int) -> str:
    return f"organization {organization}" if organization != NOBODY else "no organization"


@dataclass(frozen=True)
class _Broken:
    """A link whose event does not fit."""

    position: int
    event: int
    previous: bytes
    hash: bytes
    digest: bytes


class _Walk:
    """Along the chains, one after the other. Chains that only the anchors know of are missing as a whole."""

    def __init__(self, verdict: Verdict, anchors: dict[int, dict[int, bytes]]) -> None:
        self._verdict = verdict
        self._anchors = anchors
        self._organization: int | None = None
        self._position = 0
        self._hash: bytes | None = b""
        self._good_anchor = 0
        self._broken: list[_Broken] = []
        self._rewritten = False

    def step(
        self, organization: int, position: int, event: int, hash_: bytes, digest: bytes | None, missing: bool
    ) -> None:
        if organization != self._organization:
            self._close()
            self._open(organization)
        self._verdict.rows += 1
        if position > self._position + 1:
            self._gap(self._position + 1, position - 1)
        if missing or digest is None:
            said = f"event {event}, number {position} of {_of(organization)}, was deleted"
            self._find("missing", said, event, position)
        elif position <= self._position:
            said = f"event {event} was put into the chain of {_of(organization)}: number {position} is there twice"
            self._find("inserted", said, event, position)
        elif self._hash is not None and link(self._hash, digest) != hash_:
            self._broken.append(_Broken(position, event, self._hash, hash_, digest))
        self._position, self._hash = position, hash_
        self._compare(position, hash_)

    def end(self) -> None:
        self._close()
        for organization in list(self._anchors):
            self._open(organization)
            self._close()

    def _open(self, organization: int) -> None:
        self._organization, self._position, self._hash = organization, 0, genesis(organization)
        self._good_anchor, self._rewritten, self._broken = 0, False, []
        self._verdict.chains += 1

    def _close(self) -> None:
        if self._organization is None:
            return
        self._name_broken()
        left = self._anchors.pop(self._organization, {})
        if left and max(left) > self._position:
            self._gap(self._position + 1, max(left))
        self._organization = None

    def _gap(self, first: int, last: int) -> None:
        """Seals are gone; what came after them cannot be checked against what came before."""
        numbers = f"number {first}" if first == last else f"numbers {first} to {last}"
        said = f"{numbers} of {_of(self._organization or 0)} and their seals were deleted"
        self._find("missing", said, None, first)
        self._hash = None

    def _compare(self, position: int, hash_: bytes) -> None:
        anchors = self._anchors.get(self._organization or 0)
        anchored = anchors.get(position) if anchors else None
        if anchored == hash_:
            self._good_anchor = position
        elif anchored is not None and not self._rewritten:
            self._rewritten = True
            said = (
                f"the chain of {_of(self._organization or 0)} is not the one that was anchored: "
                f"something in numbers {self._good_anchor + 1} to {position} was altered and the rest recomputed"
            )
            self._find("rewritten", said, None, position)

    def _name_broken(self) -> None:
        """An event that fits at another broken place was moved, one that fits nowhere was altered."""
        places = self._broken[:_MOST_MOVED]
        for broken in self._broken:
            home = next((p for p in places if p is not broken and link(p.previous, broken.digest) == p.hash), None)
            if home is not None:
                said = f"event {broken.event} of {_of(self._organization or 0)} is number {home.position}"
                said += f" and was moved to {broken.position}"
                self._find("reordered", said, broken.event, broken.position)
            else:
                said = f"event {broken.event}, number {broken.position} of {_of(self._organization or 0)}"
                self._find("altered", f"{said}, is not what was recorded", broken.event, broken.position)

    def _find(self, what: str, sentence: str, event: int | None, position: int) -> None:
        self._verdict.findings.append(Finding(what, sentence, self._organization, event, position))
