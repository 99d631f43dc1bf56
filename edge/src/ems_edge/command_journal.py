"""Which commands this edge knows, and which points are held: what must not be forgotten before anything is written."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from enum import StrEnum

import msgspec
from ems_contract.commands import Command

from ems_edge import events_journal
from ems_edge.command_file import CommandFile, JournalError
from ems_edge.window import StreamId

KEPT = 10_000
"""Commands that are over are known so long; their stream forgets them after an hour."""
_TIDY_EVERY = 100
_SELECT = "SELECT content, stage, ends, why, told FROM command"
_decoder = msgspec.json.Decoder(Command)


class Stage(StrEnum):
    """How far a command has come, as far as the edge's own work goes."""

    BEGUN = "begun"
    """It may have been written; whether it is in force is not known."""
    IN_FORCE = "in_force"
    ENDING = "ending"
    """It is to be in force no more; what follows it may not be in force yet."""
    OVER = "over"


@dataclass(slots=True)
class Entry:
    """One command. `ends`: when its lease does, ms of the edge's own clock; `why` it is ending; `told`: the last event,
    encoded."""

    command: Command
    stage: Stage
    ends: int | None = None
    why: str | None = None
    told: bytes | None = None


class Journal:
    """`load` before anything else. Errors: JournalError, from everything but `hold` and `let_go`."""

    def __init__(self, file: CommandFile) -> None:
        self._file = file
        self._held: set[str] = set()
        self._count = 0
        self.position: StreamId = (0, 0)
        """Of the newest command that was handled."""

    async def load(self) -> None:
        def work(db: sqlite3.Connection) -> None:
            self._held = {point for (point,) in db.execute("SELECT point FROM held")}
            self.position = tuple(db.execute("SELECT ms, number FROM position").fetchone() or (0, 0))

        await self._file.read(work)

    # Commands -----------------------------------------------------------------------------------------------------

    async def find(self, command_id: str) -> Entry | None:
        def work(db: sqlite3.Connection) -> Entry | None:
            row = db.execute(f"{_SELECT} WHERE id = ?", (command_id,)).fetchone()
            return _entry(row) if row else None

        return await self._file.read(work)

    async def unfinished(self) -> list[Entry]:
        """Not over yet, oldest first."""
        query = f"{_SELECT} WHERE stage <> 'over' ORDER BY number"
        return await self._file.read(lambda db: [_entry(row) for row in db.execute(query)])

    async def put(self, entry: Entry, position: StreamId | None = None) -> None:
        """The command as it is now, its `told` as an event to send where that is new, and where it was read."""
        content = msgspec.json.encode(entry.command)
        row = (entry.command.id, content, entry.stage.value, entry.ends, entry.why, entry.told)

        def work(db: sqlite3.Connection) -> None:
            known = db.execute("SELECT told FROM command WHERE id = ?", row[:1]).fetchone()
            db.execute(
                "INSERT INTO command (id, content, stage, ends, why, told) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id)"
                " DO UPDATE SET stage = excluded.stage, ends = excluded.ends, why = excluded.why, told = excluded.told",
                row,
            )
            if entry.told is not None and (known is None or known[0] != entry.told):
                events_journal.add(db, entry.told)
            self._move(db, position)
            self._tidy(db)

        await self._file.run(work)
        self.position = max(self.position, position or self.position)

    async def tell(self, event: bytes, position: StreamId) -> None:
        """An event about a command that is known already."""

        def work(db: sqlite3.Connection) -> None:
            events_journal.add(db, event)
            self._move(db, position)

        await self._file.run(work)
        self.position = max(self.position, position)

    async def move(self, position: StreamId) -> None:
        """What stood there needs no more handling."""
        await self._file.run(lambda db: self._move(db, position))
        self.position = max(self.position, position)

    # Points that are held (`setpoints_station.Holdings`) ------------------------------------------------------------

    def held(self) -> set[str]:
        return set(self._held)

    async def hold(self, point: str) -> None:
        """Where the disk takes nothing only this life knows of it: control goes on."""
        with contextlib.suppress(JournalError):
            await self._file.run(lambda db: db.execute("INSERT OR IGNORE INTO held (point) VALUES (?)", (point,)))

    async def let_go(self, point: str) -> None:
        with contextlib.suppress(JournalError):
            await self._file.run(lambda db: db.execute("DELETE FROM held WHERE point = ?", (point,)))

    # In the file's thread -----------------------------------------------------------------------------------------

    def _move(self, db: sqlite3.Connection, position: StreamId | None) -> None:
        if position is not None and position > self.position:
            db.execute("DELETE FROM position")
            db.execute("INSERT INTO position (ms, number) VALUES (?, ?)", position)

    def _tidy(self, db: sqlite3.Connection) -> None:
        self._count += 1
        if self._count % _TIDY_EVERY == 0:
            beyond = "number <= (SELECT max(number) FROM command) - ?"
            db.execute(f"DELETE FROM command WHERE stage = 'over' AND {beyond}", (KEPT,))  # noqa: S608 -- a constant


def _entry(row: tuple[bytes, str, int | None, str | None, bytes | None]) -> Entry:
    content, stage, ends, why, told = row
    return Entry(_decoder.decode(content), Stage(stage), ends, why, told)
