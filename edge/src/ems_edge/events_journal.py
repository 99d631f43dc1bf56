"""The events that were told, until a day after Redis took them: whoever loses them can be told again."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

import structlog

from ems_edge.clock import wall_ms
from ems_edge.command_file import CommandFile
from ems_edge.window import StreamId

log = structlog.get_logger()

KEPT = 20_000
KEPT_MS = 86_400_000
_TIDY_EVERY = 100


class Kept(NamedTuple):
    """`number` gives the order."""

    number: int
    payload: bytes


def add(db: sqlite3.Connection, payload: bytes) -> None:
    """Within the transaction of whoever has something to tell; every so often what is too old goes."""
    number = db.execute("INSERT INTO event (at, payload) VALUES (?, ?)", (wall_ms(), payload)).lastrowid or 0
    if number % _TIDY_EVERY:
        return
    lost = db.execute("SELECT count(*) FROM event WHERE sent_ms IS NULL AND number <= ?", (number - KEPT,)).fetchone()[
        0
    ]
    db.execute(
        "DELETE FROM event WHERE number <= ? OR (sent_ms IS NOT NULL AND at < ?)", (number - KEPT, wall_ms() - KEPT_MS)
    )
    if lost:
        log.error("events are lost, nobody took them for too long", events=lost)


class EventJournal:
    """`load` before anything else. Errors: JournalError."""

    def __init__(self, file: CommandFile) -> None:
        self._file = file
        self.newest: StreamId = (0, 0)
        """The id of the newest event that Redis took."""

    async def load(self) -> None:
        query = "SELECT sent_ms, sent_number FROM event WHERE sent_ms IS NOT NULL ORDER BY 1 DESC, 2 DESC LIMIT 1"
        self.newest = await self._file.read(lambda db: tuple(db.execute(query).fetchone() or (0, 0)))

    async def keep(self, payloads: Sequence[bytes]) -> None:
        def work(db: sqlite3.Connection) -> None:
            for payload in payloads:
                add(db, payload)

        await self._file.run(work)

    async def unsent(self, after: int, limit: int) -> list[Kept]:
        """The oldest first, from behind this number."""
        query = "SELECT number, payload FROM event WHERE sent_ms IS NULL AND number > ? ORDER BY number LIMIT ?"
        return await self._file.read(lambda db: [Kept(*row) for row in db.execute(query, (after, limit))])

    async def mark_sent(self, events: Sequence[tuple[int, StreamId]]) -> None:
        """(number, the id that Redis gave it)."""
        self.newest = max([self.newest, *(at for _, at in events)])
        rows = [(*at, number) for number, at in events]
        query = "UPDATE event SET sent_ms = ?, sent_number = ? WHERE number = ?"
        await self._file.run(lambda db: db.executemany(query, rows))

    async def mark_lost(self, after: StreamId) -> int:
        """Redis does not know what it took after this id: how many are to be sent again."""
        self.newest = after
        query = "UPDATE event SET sent_ms = NULL WHERE sent_ms IS NOT NULL AND (sent_ms, sent_number) > (?, ?)"
        return await self._file.run(lambda db: db.execute(query, after).rowcount)
