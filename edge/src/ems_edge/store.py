"""The store's file: its tables, how it is opened, and what `ems-edge status` reads from it."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
from ems_contract.receipts import Ranges
from ems_contract.telemetry import Gap

from ems_edge.buffer import Name, NewBatch, Stats
from ems_edge.buffer_bounds import Kept

FILE = "edge.db"
VERSION = 1
_SCHEMA = """
CREATE TABLE batch (
    id INTEGER PRIMARY KEY, boot TEXT NOT NULL, seq INTEGER NOT NULL, size INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, gaps BLOB, checksum INTEGER NOT NULL, payload BLOB NOT NULL);
CREATE INDEX batch_name ON batch (boot, seq, size, first, last);
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""
Row = tuple[str, int, int, int, int, bytes | None, int, bytes]
"""boot, seq, size, first, last (ms), gaps (JSON), checksum, payload: the columns of a batch after its id."""
COLUMNS = "boot, seq, size, first, last, gaps, checksum, payload"
_gaps = msgspec.json.Decoder(list[Gap])
_MOST_PAGES = 4_294_967_294
"""SQLite's own limit."""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NO_CHANGE = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY}
)


class Totals(NamedTuple):
    """What the store holds; kept beside the batches, so that nobody has to count them. `size` in bytes of payload."""

    batches: int
    size: int

    def plus(self, batches: int, size: int) -> Totals:
        return Totals(self.batches + batches, self.size + size)


class StoreVersionError(Exception):
    """The file is sound, but of a version that this edge does not know."""


def is_damaged(error: sqlite3.Error) -> bool:
    return _code(error) in _DAMAGED


def takes_no_change(error: sqlite3.Error) -> bool:
    """The disk is full, failing, or mounted read-only."""
    return _code(error) in _NO_CHANGE


def damage(problem: str) -> sqlite3.DatabaseError:
    """Damage that SQLite itself would not see."""
    error = sqlite3.DatabaseError(problem)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary error code; 0 for a mistake in how we call it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def connect(path: Path) -> sqlite3.Connection:
    """Open or create. Each commit is on the disk when it returns. Raises sqlite3.DatabaseError, StoreVersionError."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA cache_size = -1024")
        db.execute("PRAGMA wal_autocheckpoint = 8000")  # `buffer_sqlite` does it earlier, when nobody waits
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        elif version != VERSION:
            raise StoreVersionError(f"{path} has version {version}, this edge reads {VERSION}; update the edge")
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def transaction(db: sqlite3.Connection, *, durable: bool = True) -> Iterator[None]:
    """`durable=False` is for changes that a power cut may undo: they are on the disk with the next durable one."""
    if not durable:
        db.execute("PRAGMA synchronous = NORMAL")
    try:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if db.in_transaction:  # SQLite itself rolls back when the disk is full
                db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
    finally:
        if not durable:
            db.execute("PRAGMA synchronous = FULL")


def insert(db: sqlite3.Connection, row: Row) -> None:
    db.execute(f"INSERT INTO batch ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608 -- a constant


def row_of(batch: NewBatch, gaps: bytes | None) -> Row:
    checksum = zlib.crc32(batch.payload)
    return (*batch.name, len(batch.payload), batch.first, batch.last, gaps, checksum, batch.payload)


def get_meta(db: sqlite3.Connection, key: str) -> bytes | None:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return bytes(row[0]) if row else None


def set_meta(db: sqlite3.Connection, key: str, value: bytes) -> None:
    db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


def decode_gaps(text: bytes | None) -> list[Gap]:
    return _gaps.decode(text or b"[]")


def get_totals(db: sqlite3.Connection) -> Totals:
    """Counted only where an earlier life did not write them down: then from the index alone."""
    if (text := get_meta(db, "totals")) is not None:
        batches, size = text.split()
        return Totals(int(batches), int(size))
    row = db.execute("SELECT count(*), coalesce(sum(size), 0) FROM batch INDEXED BY batch_name").fetchone()
    return Totals(*row)


def set_totals(db: sqlite3.Connection, totals: Totals) -> None:
    set_meta(db, "totals", b"%d %d" % totals)


def checkpoint(db: sqlite3.Connection, mode: str = "PASSIVE") -> None:
    """Move the write-ahead log into the file; RESTART begins it anew, so that it need not grow."""
    db.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()


def let_grow(db: sqlite3.Connection, grow: bool) -> None:
    """Where the file must not grow a change fails at once, and not when the log is moved into it."""
    pages = _MOST_PAGES if grow else int(db.execute("PRAGMA page_count").fetchone()[0])
    db.execute(f"PRAGMA max_page_count = {pages}").fetchall()


def kept(db: sqlite3.Connection) -> Iterator[Kept]:
    """Every batch, oldest first."""
    for boot, seq, size, first, last, gaps in db.execute(
        "SELECT boot, seq, size, first, last, gaps FROM batch ORDER BY id"
    ):
        yield Kept(Name(boot, seq), size, first, last, tuple(decode_gaps(gaps)))


def oldest(db: sqlite3.Connection) -> int | None:
    """The first ts of the oldest batch, ms."""
    row = db.execute("SELECT first FROM batch ORDER BY id LIMIT 1").fetchone()
    return int(row[0]) if row else None


def stored(db: sqlite3.Connection, name: Name) -> bool:
    return db.execute("SELECT 1 FROM batch WHERE boot = ? AND seq = ?", name).fetchone() is not None


def delete(db: sqlite3.Connection, name: Name) -> None:
    db.execute("DELETE FROM batch WHERE boot = ? AND seq = ?", name)


def delete_listed(db: sqlite3.Connection, receipts: Mapping[str, Ranges]) -> list[tuple[Name, int]]:
    """Name and size of each batch that was there and is listed."""
    return [
        (Name(boot, seq), size)
        for boot, ranges in receipts.items()
        for first, last in ranges
        for seq, size in db.execute(
            "DELETE FROM batch WHERE boot = ? AND seq BETWEEN ? AND ? RETURNING seq, size",
            (boot, first, min(last, 2**63 - 1)),
        ).fetchall()
    ]


def stats(db: sqlite3.Connection) -> Stats:
    rows = db.execute(
        "SELECT boot, count(*), sum(size), min(first), max(last) FROM batch INDEXED BY batch_name GROUP BY boot"
    ).fetchall()
    if not rows:
        return Stats()
    return Stats(
        batches=sum(row[1] for row in rows),
        size=sum(row[2] for row in rows),
        oldest=min(row[3] for row in rows),
        newest=max(row[4] for row in rows),
        boots={row[0]: row[1] for row in rows},
    )


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Look into a store without disturbing the edge that may be using it."""
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        yield db
    finally:
        db.close()


def read_stats(path: Path) -> tuple[Stats, int | None]:
    """What a store holds and its last ts."""
    with reading(path) as db:
        last = get_meta(db, "last_ts")
        return stats(db), int(last) if last else None


def read_rows(path: Path, at_once: int = 64) -> Iterator[Row]:
    """Every batch, oldest first, while the edge may go on adding and deleting; what comes in later is not there.

    A page is one short transaction, so the write-ahead log is never held back.
    """
    with reading(path) as db:
        at, end = 0, db.execute("SELECT coalesce(max(id), 0) FROM batch").fetchone()[0]
        query = f"SELECT id, {COLUMNS} FROM batch WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"  # noqa: S608 -- a constant
        while rows := db.execute(query, (at, end, at_once)).fetchall():
            at = rows[-1][0]
            for row in rows:
                yield row[1:]
