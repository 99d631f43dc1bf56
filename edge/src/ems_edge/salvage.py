"""A damaged store: what can be read goes on in a new file, the damaged one is kept aside for whoever wants to look.

The order makes a crash in between harmless: the new file is complete before the damaged one is moved, and a complete
new file that is not yet in place is put there at the next start.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from ems_contract.telemetry import GAP_STORE_CORRUPT, Gap

from ems_edge import store
from ems_edge.buffer import merge_gaps

KEEP = 3
"""Damaged files kept, the newest."""
_HIGHEST_ID = 2**40
_gaps = msgspec.json.Decoder(list[Gap])

Columns = tuple[object, ...]
"""What a row says, before anyone checked it."""


@dataclass(slots=True)
class Found:
    """What a salvage brought. `before` and `after`: the ts on both sides of what is lost, ms, None where unknown."""

    batches: int = 0
    damaged: bool = False
    before: int | None = None
    after: int | None = None
    last: int = 0

    def lost(self) -> None:
        """Something between what was found and what follows cannot be read."""
        if not self.damaged:
            self.before = self.last or None
        self.damaged, self.after = True, None

    def gap(self, default_start: int, now: int) -> Gap:
        start = default_start if self.before is None else self.before
        end = now if self.after is None else self.after
        return Gap(start, max(start, end), GAP_STORE_CORRUPT)


def finish_healing(path: Path) -> None:
    """What an earlier life was killed in the middle of."""
    _remove(_sibling(path, "healing"))
    healed = _sibling(path, "healed")
    if healed.exists():
        _put_in_place(path, healed)


def heal(path: Path) -> Found:
    """Replace the damaged store at `path` by a sound one with all that can be read, and with a gap for the rest."""
    building, healed = _sibling(path, "healing"), _sibling(path, "healed")
    _remove(building)
    now = int(time.time() * 1000)
    changed = int(path.stat().st_mtime * 1000) if path.exists() else now
    found = Found()
    db = store.connect(building)
    try:
        with store.transaction(db):
            meta: dict[str, bytes] = {}
            for row in _readable(path, meta, found):
                store.insert(db, row)
            last = max(found.last, int(meta.get("last_ts", b"0"))) or changed
            gap = found.gap(min(changed, last), now)
            gaps = merge_gaps([*_decode_gaps(meta.get("gaps")), gap])
            store.set_meta(db, "last_ts", b"%d" % last)
            store.set_meta(db, "gaps", msgspec.json.encode(gaps))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        db.close()
    building.replace(healed)
    _put_in_place(path, healed)
    return found


def keep_aside(path: Path, name: str, payload: bytes | str) -> None:
    """One damaged batch, as a file; damage may have made a text of it."""
    folder = path.parent / "quarantine"
    with contextlib.suppress(OSError):  # on a full disk the log line has to do
        folder.mkdir(exist_ok=True, mode=0o700)
        (folder / name).write_bytes(payload if isinstance(payload, bytes) else payload.encode(errors="replace"))


def _sibling(path: Path, what: str) -> Path:
    return path.with_name(f"{path.name}.{what}")


def _files(path: Path) -> list[Path]:
    return [path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")]


def _remove(path: Path) -> None:
    for file in _files(path):
        file.unlink(missing_ok=True)


def _put_in_place(path: Path, healed: Path) -> None:
    if path.exists():
        folder = path.parent / "quarantine" / time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in _files(path):
            if file.exists():
                file.replace(folder / file.name)
        for old in sorted(entry for entry in folder.parent.iterdir() if entry.is_dir())[:-KEEP]:
            shutil.rmtree(old)
    healed.replace(path)


def _decode_gaps(text: bytes | None) -> list[Gap]:
    try:
        return _gaps.decode(text or b"[]")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


def _readable(path: Path, meta: dict[str, bytes], found: Found) -> Iterator[store.Row]:
    """Every sound batch in order; fills `meta` with what of it can be read, and `found`."""
    if not path.exists():
        found.damaged = True
        return
    db = sqlite3.connect(path, isolation_level=None)
    db.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        # Otherwise SQLite refuses every page of a file that was cut off.
        db.execute("PRAGMA writable_schema = ON")
        for key in ("last_ts", "gaps"):
            try:
                if (value := store.get_meta(db, key)) is not None:
                    meta[key] = value
            except sqlite3.DatabaseError:
                found.damaged = True
        if not meta.get("last_ts", b"0").isdigit():
            del meta["last_ts"]
        for columns in _walk(db):
            row = _sound(columns)
            if row is None:
                found.lost()
                continue
            found.batches += 1
            found.last = max(found.last, row[4])
            if found.damaged and found.after is None:
                found.after = row[3]
            yield row
    except sqlite3.DatabaseError:
        found.lost()
    finally:
        db.close()


def _sound(columns: Columns | None) -> store.Row | None:
    match columns:
        case (str(boot), int(seq), int(size), int(first), int(last), gaps, int(checksum), bytes(payload)):
            if size == len(payload) and zlib.crc32(payload) == checksum and isinstance(gaps, bytes | None):
                return boot, seq, size, first, last, gaps, checksum, payload
    return None


def _walk(db: sqlite3.Connection) -> Iterator[Columns | None]:
    """The rows in order, None for each stretch that cannot be read."""
    query = f"SELECT id, {store.COLUMNS} FROM batch WHERE id >= ? ORDER BY id"  # noqa: S608 -- constants
    at: int | None = 0
    while at is not None:
        try:
            for row_id, *columns in db.execute(query, (at,)):
                at = row_id + 1
                yield tuple(columns)
        except sqlite3.DatabaseError:
            yield None
            at = _next_readable(db, at)
        else:
            return


def _next_readable(db: sqlite3.Connection, damaged: int) -> int | None:
    """The first id beyond the damage from which reading works again: ever longer steps, then halves back."""
    step = 1
    while not _readable_from(db, damaged + step):
        step *= 2
        if step > _HIGHEST_ID:
            return None
    bad, good = damaged + step // 2, damaged + step
    while good - bad > 1:
        middle = (bad + good) // 2
        if _readable_from(db, middle):
            good = middle
        else:
            bad = middle
    return good


def _readable_from(db: sqlite3.Connection, row_id: int) -> bool:
    query = f"SELECT {store.COLUMNS} FROM batch WHERE id >= ? ORDER BY id LIMIT 1"  # noqa: S608 -- constants
    try:
        db.execute(query, (row_id,)).fetchone()
    except sqlite3.DatabaseError:
        return False
    return True
