"""Receipts in the database: read under lock, extended, told. The only deduplication there is. Knows no Django."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

from psycopg import Cursor

from ems_contract.receipts import Ranges, normalise
from ems_contract.telemetry import MAX_SEQ

MAX_RANGES = 5_000
"""Holes in one receipt. Only an edge that forges seq makes so many; each costs every later update."""
ACKED_BOOTS = 200
ACKED_DAYS = 7

Boot = tuple[int, str]
"""(edge, boot)"""


class Receipts:
    """The receipts of some boots, locked until the transaction ends.

    `enter` what arrives, in its order, then `save`. `done` is what was committed before, and after `save` all of it.
    """

    def __init__(self, done: dict[Boot, Ranges]) -> None:
        self.done = done
        self._added: dict[Boot, set[int]] = {}
        self._given_up: dict[Boot, Ranges] = {}

    @classmethod
    def locked(cls, cursor: Cursor[Any], boots: Iterable[Boot]) -> Receipts:
        """Makes the rows that are missing. Every writer locks in the same order, so there is no ring of waiters."""
        ordered = sorted(set(boots))
        if not ordered:
            return cls({})
        columns = ([edge for edge, _ in ordered], [boot for _, boot in ordered])
        cursor.execute(
            "INSERT INTO receipt (edge, boot) SELECT * FROM unnest(%s::bigint[], %s::uuid[]) ON CONFLICT DO NOTHING",
            columns,
        )
        cursor.execute(
            "SELECT r.edge, r.boot::text, r.done::text FROM receipt r "
            "JOIN unnest(%s::bigint[], %s::uuid[]) AS t(edge, boot) USING (edge, boot) "
            "ORDER BY r.edge, r.boot FOR UPDATE OF r",
            columns,
        )
        return cls({(edge, boot): parse_ranges(done) for edge, boot, done in cursor.fetchall()})

    def knows(self, boot: Boot, seq: int) -> bool:
        """It was committed before, or entered since."""
        given_up = self._given_up.get(boot, ())
        return (
            seq in self._added.get(boot, ())
            or self.covers(boot, seq, seq)
            or any(first <= seq <= last for first, last in given_up)
        )

    def covers(self, boot: Boot, first: int, last: int) -> bool:
        """Each of these was committed before this transaction."""
        ranges = self.done[boot]
        at = bisect_right(ranges, (first, MAX_SEQ + 1)) - 1
        return at >= 0 and last <= ranges[at][1]

    def is_fragmented_by(self, boot: Boot, seq: int) -> bool:
        """`seq` would be one more hole where there are too many."""
        if len(self.done[boot]) + len(self._added.get(boot, ())) <= MAX_RANGES:
            return False
        return not (self.knows(boot, seq - 1) or self.knows(boot, seq + 1))

    def is_full(self, boot: Boot) -> bool:
        """Nothing more may be given up in it: an edge that forges gaps would make it grow for ever."""
        return len(self.done[boot]) + len(self._given_up.get(boot, ())) > 2 * MAX_RANGES

    def enter(self, boot: Boot, seq: int) -> None:
        self._added.setdefault(boot, set()).add(seq)

    def give_up(self, boot: Boot, first: int, last: int) -> None:
        """The edge says that it dropped these: nothing will come, so they are as good as done."""
        self._given_up.setdefault(boot, []).append((first, last))

    def save(self, cursor: Cursor[Any]) -> None:
        changed: dict[Boot, Ranges] = {}
        for boot in sorted(self._added.keys() | self._given_up.keys()):
            changed[boot] = normalise([(seq, seq) for seq in self._added.get(boot, ())] + self._given_up.get(boot, []))
            self.done[boot] = normalise(self.done[boot] + changed[boot])
        if not changed:
            return
        cursor.execute(
            "UPDATE receipt r SET done = r.done + t.done::int8multirange, updated = now() "
            "FROM unnest(%s::bigint[], %s::uuid[], %s::text[]) AS t(edge, boot, done) "
            "WHERE r.edge = t.edge AND r.boot = t.boot",
            (
                [edge for edge, _ in changed],
                [boot for _, boot in changed],
                [format_ranges(ranges) for ranges in changed.values()],
            ),
        )


def tell(cursor: Cursor[Any], edges: Iterable[int], receipts: Receipts) -> dict[int, dict[str, Ranges]]:
    """For each edge its boots of the last days, newest first, and those of this transaction."""
    told: dict[int, dict[str, Ranges]] = {edge: {} for edge in sorted(set(edges))}
    cursor.execute(
        "SELECT r.edge, r.boot::text, r.done::text FROM unnest(%s::bigint[]) AS e(edge) CROSS JOIN LATERAL ("
        "  SELECT edge, boot, done, updated FROM receipt WHERE edge = e.edge "
        "  AND updated > now() - make_interval(days => %s) ORDER BY updated DESC LIMIT %s"
        ") r ORDER BY r.updated DESC",
        (list(told), ACKED_DAYS, ACKED_BOOTS),
    )
    for edge, boot, done in cursor.fetchall():
        told[edge][boot] = parse_ranges(done)
    for (edge, boot), ranges in receipts.done.items():
        told[edge][boot] = ranges
    return told


def parse_ranges(text: str) -> Ranges:
    """PostgreSQL's `{[1,901),[905,1001)}` -> closed ranges [(1, 900), (905, 1000)]."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    return [(first, end - 1) for first, end in zip(numbers[::2], numbers[1::2], strict=True)]


def format_ranges(ranges: Ranges) -> str:
    return "{" + ",".join(f"[{first},{last}]" for first, last in ranges) + "}"
