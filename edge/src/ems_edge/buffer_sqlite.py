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
from ems_edge.buffer import Backlog, BufferFullError, Lent, Name, NewBatch, Stats, dropped, merge_gaps, without
from ems_edge.buffer_bounds import horizon, victims
from ems_edge.store_reserve import SIZE as RESERVE
from ems_edge.store_reserve import Reserve

log = structlog.get_logger()

CHECKPOINT_EVERY, CHECKPOINT_BYTES = 100, 2 * 1_048_576
"""Appends, or bytes of them, between two moves of the log into the file: in the pause after one, not in the next."""


class SqliteBuffer:
    """`path` is the store's file; `max_bytes` bounds the payload in it, `max_age` its age in ms.

    `reserve` bytes of the disk are kept beside it for when everything else is taken.
    """

    def __init__(self, path: Path, max_bytes: int, max_age: int | None = None, reserve: int = RESERVE) -> None:
        self._path = path
        self._reserve = Reserve(path.with_name(f"{path.name}.reserve"), reserve)
        self._cramped = False
        """The disk took no more: the file stays as large as it is, and the oldest make room."""
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._db: sqlite3.Connection | None = None
        self._totals = store.Totals(0, 0)
        self._lent: set[Name] = set()
        self._all_lent_before = 0
        """The id before which every batch is lent, unless someone gave one back since."""
        self._given_back = False
        self._gaps: list[Gap] = []
        self._dropped = 0
        self._appends = self._appended = 0
        """Since the last checkpoint: how many, and their bytes."""

    # On the event loop -----------------------------------------------------------------------------------------

    async def open(self) -> int | None:
        try:
            return await self._in_thread(self._open)
        except BufferFullError as error:
            raise OSError(f"{self._path} cannot be opened ({error}); is the disk full, or mounted read-only?") from None

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
            self._dropped += 1
            await self.note_gap(dropped(batch.name, batch.first, batch.last))
            raise
        self._appends, self._appended = self._appends + 1, self._appended + len(batch.payload)
        if self._appends >= CHECKPOINT_EVERY or self._appended >= CHECKPOINT_BYTES:
            self._appends = self._appended = 0
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
        self._given_back = True

    async def settle(self, receipts: Mapping[str, Ranges]) -> list[Name]:
        return await self._in_thread(lambda: self._settle(receipts))

    async def backlog(self) -> Backlog:
        oldest = await self._in_thread(lambda: store.oldest(self._connection()))
        return Backlog(*self._totals, oldest, self._dropped)

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
                if not store.is_damaged(error):
                    raise
                self._heal(error)
                return work()

        def run() -> T:
            try:
                return guarded()
            except sqlite3.OperationalError as error:
                if not store.takes_no_change(error):
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
            raise store.damage("the store's file is empty")
        try:
            db = self._connection()
        except sqlite3.OperationalError as error:
            if not store.takes_no_change(error):
                raise
            self._reserve.release()
            db = self._connection()
        self._reserve.hold()
        self._totals = store.get_totals(db)
        self._gaps = store.decode_gaps(store.get_meta(db, "gaps"))
        last = store.get_meta(db, "last_ts")
        return int(last) if last else None

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = store.connect(self._path)
        return self._db

    def _checkpoint(self) -> None:
        with contextlib.suppress(sqlite3.DatabaseError):  # it shows again where it matters
            store.checkpoint(self._connection())
            if self._reserve.hold() and self._cramped:
                store.let_grow(self._connection(), grow=True)
                self._cramped = False
                log.info("the disk takes more again")

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _heal(self, error: sqlite3.DatabaseError) -> None:
        log.error("store is damaged, saving what can be read", store=str(self._path), problem=str(error))
        self._close()
        found = salvage.heal(self._path)
        db = self._connection()
        self._totals, self._all_lent_before = store.get_totals(db), 0
        stored = store.decode_gaps(store.get_meta(db, "gaps"))
        self._gaps = merge_gaps([*stored, *without(self._gaps, stored)])
        log.warning("store is healed, the damaged file is in quarantine", batches=found.batches)

    def _note_gap(self, gap: Gap) -> None:
        self._gaps = merge_gaps([*self._gaps, gap])

    def _append(self, batch: NewBatch) -> None:
        if len(batch.payload) > self._max_bytes:
            raise BufferFullError(f"a batch of {len(batch.payload)} bytes in a store of {self._max_bytes}")
        excess = self._totals.size + len(batch.payload) - self._max_bytes
        # On a full disk once more with an empty log, and then with the pages of the oldest.
        for more in (excess, excess, max(excess, 4 * len(batch.payload))):
            try:
                return self._store(batch, more)
            except sqlite3.OperationalError as error:
                if not store.takes_no_change(error):
                    raise
                problem = error
                self._make_room(str(error))
        raise problem

    def _make_room(self, problem: str) -> None:
        if not self._cramped:
            log.error("the disk takes no more, the oldest will make room", problem=problem)
            self._cramped = True
        self._reserve.release()
        with contextlib.suppress(sqlite3.OperationalError):
            store.checkpoint(self._connection(), "RESTART")
            store.let_grow(self._connection(), grow=False)

    def _store(self, batch: NewBatch, excess: int) -> None:
        """One transaction: drop what must go, store the batch, keep totals, open gaps and the time."""
        db = self._connection()
        totals, gaps = self._totals.plus(1, len(batch.payload)), without(self._gaps, batch.gaps)
        with store.transaction(db):
            gone = victims(lambda: store.kept(db), self._lent, excess, horizon(batch, self._max_age))
            for victim in gone:
                store.delete(db, victim.kept.name)
                totals = totals.plus(-1, -victim.kept.size)
                gaps = merge_gaps([*gaps, *victim.leaves])
            store.insert(db, store.row_of(batch, msgspec.json.encode(batch.gaps) if batch.gaps else None))
            store.set_meta(db, "last_ts", b"%d" % batch.now)
            store.set_totals(db, totals)
            if gaps != self._gaps:
                store.set_meta(db, "gaps", msgspec.json.encode(gaps))
        self._totals, self._gaps = totals, gaps
        self._dropped += len(gone)

    def _begin(self, max_bytes: int, max_count: int) -> list[Lent]:
        if self._given_back:
            self._given_back, self._all_lent_before = False, 0
        db = self._connection()
        chosen: list[int] = []
        query = "SELECT id, boot, seq, size FROM batch WHERE id >= ? ORDER BY id"
        for row_id, boot, seq, size in db.execute(query, (self._all_lent_before,)):
            if Name(boot, seq) in self._lent:
                continue
            max_bytes -= size
            if chosen and (max_bytes < 0 or len(chosen) >= max_count):
                break
            chosen.append(row_id)
        # Lent only when all could be read: whoever gets an error, or a file healed meanwhile, begins again.
        lent = [one for row_id in chosen if (one := self._read(db, row_id)) is not None]
        self._lent.update(one.name for one in lent)
        if chosen:
            self._all_lent_before = chosen[-1] + 1
        return lent

    def _read(self, db: sqlite3.Connection, row_id: int) -> Lent | None:
        """None for a batch whose bytes are not what was stored: it is set aside and leaves a gap."""
        query = "SELECT boot, seq, size, first, last, gaps, checksum, payload FROM batch WHERE id = ?"
        boot, seq, size, first, last, carried, checksum, payload = db.execute(query, (row_id,)).fetchone()
        name = Name(boot, seq)
        if isinstance(payload, bytes) and zlib.crc32(payload) == checksum:
            return Lent(name, payload)
        log.error("a stored batch is damaged, setting it aside", boot=boot, seq=seq)
        salvage.keep_aside(self._path, f"{boot}-{seq}.batch", payload)
        lost = [*store.decode_gaps(carried), dropped(name, first, last, GAP_STORE_CORRUPT)]
        totals, gaps = self._totals.plus(-1, -size), merge_gaps([*self._gaps, *lost])
        with store.transaction(db):
            db.execute("DELETE FROM batch WHERE id = ?", (row_id,))
            store.set_totals(db, totals)
            store.set_meta(db, "gaps", msgspec.json.encode(gaps))
        self._totals, self._gaps = totals, gaps
        return None

    def _stored(self, names: Collection[Name]) -> set[Name]:
        db = self._connection()
        return {name for name in names if store.stored(db, name)}

    def _settle(self, receipts: Mapping[str, Ranges]) -> list[Name]:
        """Need not be durable: what a power cut brings back, the next look at the receipt deletes again."""
        db = self._connection()
        with store.transaction(db, durable=False):
            listed = store.delete_listed(db, receipts)
            totals = self._totals.plus(-len(listed), -sum(size for _, size in listed))
            store.set_totals(db, totals)
        self._totals = totals
        settled = [name for name, _ in listed]
        self._lent.difference_update(settled)
        return settled
