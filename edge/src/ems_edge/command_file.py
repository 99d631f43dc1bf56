"""`commands.db`: the file of the two journals, of commands (`command_journal.py`) and of events (`events_journal.py`).

Apart from the batches, so that neither waits for the other. Every change is on the disk (synchronous=FULL) when `run`
returns, and all of it happens in one thread, in order. A file that cannot be read is set aside (`quarantine/`) and a
new one begun: then the edge knows no command any more, and does once more what has not expired.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from ems_edge import store
from ems_edge.clock import wall_ms

log = structlog.get_logger()

FILE = "commands.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS command (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content BLOB NOT NULL, stage TEXT NOT NULL,
    ends INTEGER, why TEXT, told BLOB);
CREATE INDEX IF NOT EXISTS command_open ON command (stage) WHERE stage <> 'over';
CREATE TABLE IF NOT EXISTS position (ms INTEGER NOT NULL, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS held (point TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, payload BLOB NOT NULL,
    sent_ms INTEGER, sent_number INTEGER);
CREATE INDEX IF NOT EXISTS event_unsent ON event (number) WHERE sent_ms IS NULL;
CREATE INDEX IF NOT EXISTS event_sent ON event (sent_ms, sent_number) WHERE sent_ms IS NOT NULL;
"""


class JournalError(Exception):
    """The disk takes no change now; nothing was changed."""


class CommandFile:
    """`path` None keeps everything in memory. `open` first, `close` last."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commands")
        self._db: sqlite3.Connection
        self._problem = ""

    async def open(self) -> None:
        """Where not even an empty file can be made it goes on in memory."""
        await self._in_thread(self._open)

    async def close(self) -> None:
        def work() -> None:
            self._db.close()

        await self._in_thread(work)
        self._thread.shutdown()

    async def run[T](self, work: Callable[[sqlite3.Connection], T]) -> T:
        """In one transaction: all of it or nothing. Raises JournalError."""

        def within() -> T:
            with store.transaction(self._db):
                return work(self._db)

        return await self._in_thread(within)

    async def read[T](self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Something that changes nothing, and works on a disk that takes nothing. Raises JournalError."""
        return await self._in_thread(lambda: work(self._db))

    async def _in_thread[T](self, work: Callable[[], T]) -> T:
        def guarded() -> T:
            try:
                return work()
            except (sqlite3.Error, OSError) as error:
                if str(error) != self._problem:
                    self._problem = str(error)
                    log.error("the journal of commands fails", problem=self._problem)
                raise JournalError(str(error)) from None

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def _open(self) -> None:
        try:
            self._db = _connect(self._path)
        except sqlite3.OperationalError as error:  # a disk that takes nothing is no damage
            log.error("the journal of commands cannot be opened; this life keeps it in memory", problem=str(error))
            self._db = _connect(None)
        except sqlite3.DatabaseError as error:
            if self._path is not None:
                _set_aside(self._path, str(error))
            self._db = _connect(self._path)


def _connect(path: Path | None) -> sqlite3.Connection:
    db = sqlite3.connect(path or ":memory:", isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA cache_size = -512")
        if (problem := db.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(problem)
        db.executescript(_SCHEMA)
    except BaseException:
        db.close()
        raise
    return db


def _set_aside(path: Path, problem: str) -> None:
    folder = path.parent / "quarantine"
    folder.mkdir(exist_ok=True)
    kept = folder / f"{path.stem}-{wall_ms()}.db"
    path.replace(kept)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    log.error("the journal of commands is damaged and was set aside", file=str(kept), problem=problem)
