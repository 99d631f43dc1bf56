"""Batches -> the hot store, each exactly once, whatever is sent and however often. Raw psycopg, no Django.

    check    one payload -> Accepted or Refused; pure
    ingest   many entries in one transaction: receipts, batches, points, gaps, poison; then it is safe to forget them

Nothing that an edge sends raises: what cannot be a batch is set aside. What is wrong with the database
(`psycopg.OperationalError`) always raises, and then nothing has happened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg import Connection, Cursor

from ems_contract.receipts import Ranges
from ems_contract.telemetry import BatchRefusedError, check_keys, decode_batch
from telemetry import hot, store
from telemetry.hot import Accepted, Entry, Refused, Window
from telemetry.receipts import MAX_RANGES, Boot, Receipts, tell

MAX_GAPS = 1_000
MAX_POINTS_PER_SITE = 50_000

_GAP_REASON = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")


class KnownPoints:
    """The point keys that are certainly in the database, by site. A cache: forget it after a lost connection."""

    def __init__(self) -> None:
        self._keys: dict[int, set[str]] = {}

    def of(self, site: int) -> set[str]:
        return self._keys.setdefault(site, set())

    def clear(self) -> None:
        self._keys.clear()


@dataclass(slots=True)
class Outcome:
    """What was committed. `receipts` is what each edge that was heard may now be told."""

    batches: int = 0
    samples: int = 0
    duplicates: int = 0
    gaps: int = 0
    refused: list[Refused] = field(default_factory=list)
    new_points: list[tuple[int, str]] = field(default_factory=list)
    receipts: dict[int, dict[str, Ranges]] = field(default_factory=dict)

    def add(self, part: Outcome) -> None:
        self.batches += part.batches
        self.samples += part.samples
        self.duplicates += part.duplicates
        self.gaps += part.gaps
        self.refused += part.refused
        self.new_points += part.new_points
        self.receipts |= part.receipts


def check(entry: Entry, window: Window, known: set[str] | frozenset[str] = frozenset()) -> Accepted | Refused:
    """Everything that can be said about a payload without the database. Never raises."""
    try:
        batch = decode_batch(entry.payload, edge=f"edge_{entry.edge}")
    except BatchRefusedError as refusal:
        return Refused(entry, str(refusal), refusal.boot, refusal.seq)

    times = [reading.ts for reading in batch.readings]
    ts_min, ts_max = min(times, default=0), max(times, default=0)

    def refuse(reason: str) -> Refused:
        return Refused(entry, reason, batch.boot, batch.seq, window.clamp(ts_min), window.clamp(ts_max))

    if times and not (window.oldest <= ts_min and ts_max <= window.newest):
        return refuse(
            f"readings.ts: {ts_min}..{ts_max} reaches outside {window.oldest}..{window.newest}; "
            "set the edge's clock, or raise the retention"
        )
    if not _is_text(entry.payload):
        return refuse("batch: not UTF-8 throughout")
    keys: set[str] = set()
    samples = 0
    for reading in batch.readings:
        samples += len(reading.values)
        if not reading.values.keys() <= known:
            keys |= reading.values.keys()
    keys -= known
    try:
        check_keys(keys)
    except BatchRefusedError as refusal:
        return refuse(str(refusal))
    gaps = tuple(batch.gaps or ())
    if len(gaps) > MAX_GAPS:
        return refuse(f"gaps: {len(gaps)} in one batch; at most {MAX_GAPS}")
    for gap in gaps:
        if not _GAP_REASON.match(gap.reason):
            return refuse(f"gaps.reason: {gap.reason!r:.80} is not a word such as 'edge_down'")
    return Accepted(entry, batch.boot, batch.seq, ts_min, ts_max, samples, frozenset(keys), gaps)


def _is_text(payload: bytes) -> bool:
    """The decoder skips fields that it does not know, so bad UTF-8 may hide there."""
    if not payload.isascii():
        try:
            payload.decode()
        except UnicodeDecodeError:
            return False
    return b"\0" not in payload


def ingest(
    connection: Connection[Any], entries: Sequence[Entry], window: Window, known: KnownPoints | None = None
) -> Outcome:
    """Commit all entries, in their order, in one transaction; afterwards they may be deleted from their streams.

    Raises `psycopg.OperationalError` or `psycopg.InterfaceError` when the database cannot take them; then the same
    entries may be given again at any time.
    """
    known = known if known is not None else KnownPoints()
    checked = [check(entry, window, known.of(entry.site)) for entry in entries]
    try:
        return _commit(connection, checked, window, known)
    except (psycopg.DataError, psycopg.IntegrityError):
        pass
    # One of them holds what the checks do not know and the database refuses. Find it; the others go on.
    outcome = Outcome()
    for one in checked:
        try:
            part = _commit(connection, [one], window, known)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            reason = f"batch: the database cannot store it ({type(error).__name__})"
            part = _commit(connection, [Refused(one.entry, reason, one.boot, one.seq)], window, known)
        outcome.add(part)
    return outcome


def _commit(
    connection: Connection[Any], checked: Sequence[Accepted | Refused], window: Window, known: KnownPoints
) -> Outcome:
    outcome = Outcome()
    with connection.transaction(), store.cursor(connection) as cursor:
        checked = _within_point_limit(cursor, checked, known)
        receipts = Receipts.locked(cursor, _boots(checked))
        accepted: list[Accepted] = []
        for one in checked:
            match _enter(receipts, one):
                case Accepted() as fit:
                    accepted.append(fit)
                case Refused() as unfit:
                    outcome.refused.append(unfit)
                case None:
                    outcome.duplicates += 1
        fresh = sorted({(one.entry.site, key) for one in accepted for key in one.keys - known.of(one.entry.site)})
        if fresh:
            store.add_points(cursor, fresh)
        hot.copy_batches(cursor, [one for one in accepted if one.samples])
        outcome.gaps = hot.insert_gaps(cursor, accepted, outcome.refused, window)
        hot.set_aside(cursor, outcome.refused)
        receipts.save(cursor)
        outcome.receipts = tell(cursor, {one.entry.edge for one in checked}, receipts)
    for site, key in fresh:
        known.of(site).add(key)
    outcome.batches = len(accepted)
    outcome.samples = sum(one.samples for one in accepted)
    outcome.new_points = fresh
    return outcome


def _enter(receipts: Receipts, one: Accepted | Refused) -> Accepted | Refused | None:
    """Note it in the receipts; None if it was there before."""
    if one.boot is None or one.seq is None:  # only what was refused can be nameless
        return one
    boot = (one.entry.edge, one.boot)
    if receipts.knows(boot, one.seq):
        return None
    if receipts.is_fragmented_by(boot, one.seq):
        return Refused(
            one.entry, f"seq: the receipt of boot {one.boot} has more than {MAX_RANGES} holes; send seqs in order"
        )
    receipts.enter(boot, one.seq)
    given_up = _given_up(one)
    if any(receipts.is_full(old) for old, _, _ in given_up):
        return Refused(one.entry, "gaps: the receipt they belong to has too many holes", one.boot, one.seq)
    missing = _missing(receipts, one)
    for old, first, last in given_up:
        receipts.give_up(old, first, last)
    return missing


def _missing(receipts: Receipts, one: Accepted | Refused) -> Accepted | Refused:
    """Without the gaps that are none: an edge may drop what was committed before it could hear so."""
    if not isinstance(one, Accepted) or not one.gaps:
        return one
    gaps = tuple(
        gap
        for gap in one.gaps
        if gap.boot is None
        or gap.seq_from is None
        or gap.seq_to is None
        or not receipts.covers((one.entry.edge, gap.boot), gap.seq_from, gap.seq_to)
    )
    return replace(one, gaps=gaps)


def _given_up(one: Accepted | Refused) -> list[tuple[Boot, int, int]]:
    """(boot, first seq, last seq) of what the edge says that it dropped."""
    return [
        ((one.entry.edge, gap.boot), gap.seq_from, gap.seq_to)
        for gap in (one.gaps if isinstance(one, Accepted) else ())
        if gap.boot is not None and gap.seq_from is not None and gap.seq_to is not None
    ]


def _boots(checked: Iterable[Accepted | Refused]) -> set[Boot]:
    """Every boot whose receipt may be extended."""
    boots: set[Boot] = set()
    for one in checked:
        if one.boot is not None:
            boots.add((one.entry.edge, one.boot))
        boots |= {boot for boot, _, _ in _given_up(one)}
    return boots


def _within_point_limit(
    cursor: Cursor[Any], checked: Sequence[Accepted | Refused], known: KnownPoints
) -> Sequence[Accepted | Refused]:
    """Refuses what would give a site more points than any site has. Fills `known` for the sites with new keys."""
    sites = {one.entry.site for one in checked if isinstance(one, Accepted) and one.keys}
    if not sites:
        return checked
    for site in sites:
        known.of(site).update(store.point_ids(cursor, site))
    coming: dict[int, set[str]] = {site: set() for site in sites}
    answer: list[Accepted | Refused] = []
    for one in checked:
        if isinstance(one, Accepted) and one.keys:
            site = one.entry.site
            wanted = coming[site] | (one.keys - known.of(site))
            if len(known.of(site)) + len(wanted) > MAX_POINTS_PER_SITE:
                reason = f"readings.values: the site would have more than {MAX_POINTS_PER_SITE} points"
                answer.append(Refused(one.entry, reason, one.boot, one.seq, one.ts_min, one.ts_max))
                continue
            coming[site] = wanted
        answer.append(one)
    return answer
