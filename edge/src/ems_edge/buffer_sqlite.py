"""The buffer on disk: one SQLite file in WAL mode, every append committed with synchronous=FULL before it returns.

All SQLite work happens in one thread of its own, so that a slow disk holds up neither polls nor publishing. A damaged
file is healed (`salvage.py`) and the work goes on; a single damaged batch, found by its checksum, is set aside.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import structlog
from ems_contract.receipts import Ranges
from ems_contract.telemetry import GAP_STORE_CORRUPT, Gap

from ems_edge import salvage, store
from ems_edge.buffer import BufferFullError, Lent, Name, NewBatch, Stats, dropped, merge_gaps, without

log = structlog.get_logger()

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NO_CHANGE = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY}
)
"""Error codes of a disk that takes no change now: full, failing, or mounted read-only."""
CHECKPOINT_EVERY = 100
"""Appends between two moves of the write-ahead log into the file: in the pause after one, not within the next."""
_gaps = msgspec.json.Decoder(list[Gap])


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary error code; 0 for a mistake in how we call it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _damage(problem: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(problem)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


class SqliteBuffer:
    """`path` is the store's file; `max_bytes` bounds the payload in it."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._db: sqlite3.Connection | None = None
        self._size = 0
        self._lent: set[Name] = set()
        self._gaps: list[Gap] = []
        self._appends = 0

    # On the event loop -----------------------------------------------------------------------------------------

    async def open(self) -> int | None:
        return await self._in_thread(self._open)

    def gaps(self) -> list[Gap]:
        return list(self._gaps)

    async def note_gap(self, gap: Gap) -> None:
        await self._in_thread(lambda: self._note_gap(gap))

    async def append(self, batch: NewBatch) -> None:
        # Lent before it is there, so that a `begin` that runs in between cannot lend it a second time.
        self._lent.add(batch.name)
        try:
            await self._in_thread(lambda: self._append(batch))
        except BufferFullError:
            self._lent.discard(batch.name)
            await self.note_gap(dropped(batch.name, batch.first, batch.last))
            raise
        self._appends += 1
        if self._appends % CHECKPOINT_EVERY == 0:
            self._thread.submit(self._checkpoint)

    async def begin(self, max_bytes: int, max_count: int) -> list[Lent]:
        work = asyncio.ensure_future(self._in_thread(lambda: self._begin(max_bytes, max_count)))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            work.add_done_callback(self._give_back_unseen)
            raise

    def _give_back_unseen(self, work: asyncio.Future[list[Lent]]) -> None:
        if not work.cancelled() and work.exception() is None:
            self.give_back(lent.name for lent in work.result())

    async def claim(self, names: Collection[Name]) -> set[Name]:
        stored = await self._in_thread(lambda: self._stored(names))
        claimed = stored - self._lent
        self._lent |= claimed
        return claimed

    def give_back(self, names: Iterable[Name]) -> None:
        self._lent.difference_update(names)

    async def settle(self, receipts: Mapping[str, Ranges]) -> list[Name]:
        return await self._in_thread(lambda: self._settle(receipts))

    async def stats(self) -> Stats:
        return await self._in_thread(lambda: store.stats(self._connection()))

    async def close(self) -> None:
        await self._in_thread(self._close)
        self._thread.shutdown()

    async def _in_thread[T](self, work: Callable[[], T]) -> T:
        """Run `work` in the store's thread; where the file proves damaged, heal it and run `work` again."""

        def guarded() -> T:
            try:
                return work()
            except sqlite3.DatabaseError as error:
                if _code(error) not in _DAMAGED:
                    raise
                self._heal(error)
                return work()

        def run() -> T:
            try:
                return guarded()
            except sqlite3.OperationalError as error:
                if _code(error) not in _NO_CHANGE:
                    raise
                raise BufferFullError(str(error)) from None

        # Shielded: the thread goes on when the caller is cancelled, and `lent` must tell what it did.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, run))

    # In the store's thread -------------------------------------------------------------------------------------

    def _open(self) -> int | None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        salvage.finish_healing(self._path)
        if self._path.exists() and not self._path.stat().st_size:
            # SQLite would take an empty file for a new one, and nobody would ever know.
            raise _damage("the store's file is empty")
        db = self._connection()
        self._size = store.total_size(db)
        self._gaps = _gaps.decode(store.get_meta(db, "gaps") or b"[]")
        last = store.get_meta(db, "last_ts")
        return int(last) if last else None

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = store.connect(self._path)
        return self._db

    def _checkpoint(self) -> None:
        with contextlib.suppress(sqlite3.DatabaseError):  # it shows again where it matters
            self._connection().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _heal(self, error: sqlite3.DatabaseError) -> None:
        log.error("store is damaged, saving what can be read", store=str(self._path), problem=str(error))
        self._close()
        found = salvage.heal(self._path)
        db = self._connection()
        self._size = store.total_size(db)
        stored = _gaps.decode(store.get_meta(db, "gaps") or b"[]")
        self._gaps = merge_gaps([*stored, *without(self._gaps, stored)])
        log.warning("store is healed, the damaged file is in quarantine", batches=found.batches)

    def _note_gap(self, gap: Gap) -> None:
        self._gaps = merge_gaps([*self._gaps, gap])

    def _append(self, batch: NewBatch) -> None:
        if len(batch.payload) > self._max_bytes:
            raise BufferFullError(f"a batch of {len(batch.payload)} bytes in a store of {self._max_bytes}")
        try:
            self._store(batch, self._size + len(batch.payload) - self._max_bytes)
        except sqlite3.OperationalError as error:
            if _code(error) not in _NO_CHANGE:
                raise
            # The disk is full: drop the oldest, use their pages and the log's, and try once more.
            log.error("store cannot grow, dropping the oldest", problem=str(error))
            self._connection().execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
            self._store(batch, 4 * len(batch.payload))

    def _store(self, batch: NewBatch, excess: int) -> None:
        """One transaction: drop what must go, store the batch, keep the open gaps and the last ts."""
        db = self._connection()
        size, gaps = self._size, without(self._gaps, batch.gaps)
        with store.transaction(db):
            if excess > 0:
                freed, lost = self._drop(db, excess)
                size, gaps = size - freed, merge_gaps([*gaps, *lost])
            store.insert(db, store.row_of(batch, msgspec.json.encode(batch.gaps) if batch.gaps else None))
            store.set_meta(db, "last_ts", b"%d" % batch.last)
            if gaps != self._gaps:
                store.set_meta(db, "gaps", msgspec.json.encode(gaps))
        self._size, self._gaps = size + len(batch.payload), gaps

    def _drop(self, db: sqlite3.Connection, excess: int) -> tuple[int, list[Gap]]:
        """Delete the oldest until `excess` bytes are free: those that nobody holds, and only then those in flight."""
        freed, lost, victims = 0, list[Gap](), list[tuple[int]]()
        for held in (False, True):
            rows = db.execute("SELECT id, boot, seq, size, first, last, gaps FROM batch ORDER BY id")
            for row_id, boot, seq, size, first, last, carried in rows:
                if freed >= excess:
                    break
                if (Name(boot, seq) in self._lent) is held:
                    lost += [*_gaps.decode(carried or b"[]"), dropped(Name(boot, seq), first, last)]
                    victims.append((row_id,))
                    freed += size
        db.executemany("DELETE FROM batch WHERE id = ?", victims)
        return freed, lost

    def _begin(self, max_bytes: int, max_count: int) -> list[Lent]:
        db = self._connection()
        chosen: list[int] = []
        for row_id, boot, seq, size in db.execute("SELECT id, boot, seq, size FROM batch ORDER BY id"):
            if Name(boot, seq) in self._lent:
                continue
            max_bytes -= size
            if chosen and (max_bytes < 0 or len(chosen) >= max_count):
                break
            chosen.append(row_id)
        return [lent for row_id in chosen if (lent := self._lend(db, row_id)) is not None]

    def _lend(self, db: sqlite3.Connection, row_id: int) -> Lent | None:
        """None for a batch whose bytes are not what was stored: it is set aside and leaves a gap."""
        query = "SELECT boot, seq, size, first, last, gaps, checksum, payload FROM batch WHERE id = ?"
        boot, seq, size, first, last, carried, checksum, payload = db.execute(query, (row_id,)).fetchone()
        name = Name(boot, seq)
        if isinstance(payload, bytes) and zlib.crc32(payload) == checksum:
            self._lent.add(name)
            return Lent(name, payload)
        log.error("a stored batch is damaged, setting it aside", boot=boot, seq=seq)
        salvage.keep_aside(self._path, f"{boot}-{seq}.batch", payload)
        lost = [*_gaps.decode(carried or b"[]"), dropped(name, first, last, GAP_STORE_CORRUPT)]
        gaps = merge_gaps([*self._gaps, *lost])
        with store.transaction(db):
            db.execute("DELETE FROM batch WHERE id = ?", (row_id,))
            store.set_meta(db, "gaps", msgspec.json.encode(gaps))
        self._size, self._gaps = self._size - size, gaps
        return None

    def _stored(self, names: Collection[Name]) -> set[Name]:
        query = "SELECT 1 FROM batch WHERE boot = ? AND seq = ?"
        return {name for name in names if self._connection().execute(query, name).fetchone()}

    def _settle(self, receipts: Mapping[str, Ranges]) -> list[Name]:
        db = self._connection()
        settled: list[Name] = []
        size = 0
        with store.transaction(db):
            for boot, ranges in receipts.items():
                for first, last in ranges:
                    rows = db.execute(
                        "DELETE FROM batch WHERE boot = ? AND seq BETWEEN ? AND ? RETURNING seq, size",
                        (boot, first, min(last, 2**63 - 1)),
                    ).fetchall()
                    settled += [Name(boot, row[0]) for row in rows]
                    size += sum(row[1] for row in rows)
        self._size -= size
        self._lent.difference_update(settled)
        return settled
