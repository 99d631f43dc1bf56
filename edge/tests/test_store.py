"""The store on disk: restarts, damage, a full disk. What the buffer protocol promises is in test_buffer.py."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ems_contract.telemetry import GAP_BUFFER_FULL, GAP_STORE_CORRUPT, Gap
from ems_edge import salvage, store
from ems_edge.buffer import Name, NewBatch
from ems_edge.buffer_sqlite import SqliteBuffer

BOOT = str(uuid.uuid4())
LIMIT = 50_000_000
ALL = 1_000_000_000


def batch(seq: int, *gaps: Gap, size: int = 3_000) -> NewBatch:
    payload = (b"%d:" % seq) + os.urandom(size // 2).hex().encode()
    return NewBatch(Name(BOOT, seq), payload, seq * 1000, seq * 1000 + 5, gaps)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / store.FILE


async def _filled(path: Path, count: int, **size: int) -> dict[Name, bytes]:
    buffer = SqliteBuffer(path, LIMIT)
    await buffer.open()
    made = {}
    for seq in range(1, count + 1):
        new = batch(seq, **size)
        made[new.name] = new.payload
        await buffer.append(new)
    await buffer.close()
    return made


@pytest.fixture
async def reopened(path: Path) -> AsyncIterator[SqliteBuffer]:
    """A later life on the same path, to be opened by the test."""
    buffer = SqliteBuffer(path, LIMIT)
    yield buffer
    await buffer.close()


def _cut_off(path: Path, share: float) -> None:
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share) + 123)


def _overwrite(path: Path, share: float, noise: bytes) -> None:
    """From a page's beginning on."""
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * share) // 4096 * 4096)
        file.write(noise)


def _replace(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for side in ("-wal", "-shm"):
        path.with_name(path.name + side).unlink(missing_ok=True)


def _interrupt_healing(path: Path) -> None:
    """As a kill leaves it: the sound copy is ready, the damaged file still in its place."""
    path.rename(path.with_name(path.name + ".healed"))
    path.with_name(path.name + ".healing").write_bytes(b"half")
    path.write_bytes(b"damaged" * 100)


async def _content(buffer: SqliteBuffer) -> dict[Name, bytes]:
    return {lent.name: lent.payload for lent in await buffer.begin(ALL, ALL)}


async def test_a_restart_keeps_batches_last_ts_and_open_gaps(path: Path, reopened: SqliteBuffer) -> None:
    small = SqliteBuffer(path, 10_000)
    assert await small.open() is None
    for seq in range(1, 6):
        await small.append(batch(seq))
    await small.close()
    assert await reopened.open() == 5005
    assert reopened.gaps() == [Gap(1000, 2005, GAP_BUFFER_FULL, BOOT, 1, 2)]
    assert sorted(name.seq for name in await _content(reopened)) == [3, 4, 5]


async def test_a_carried_gap_is_not_open_after_a_restart(path: Path, reopened: SqliteBuffer) -> None:
    small = SqliteBuffer(path, 10_000)
    await small.open()
    for seq in range(1, 5):
        await small.append(batch(seq))
    await small.append(batch(5, *small.gaps(), size=100))
    assert small.gaps() == []
    await small.close()
    await reopened.open()
    assert reopened.gaps() == []


async def test_every_commit_is_synced_before_it_returns(path: Path) -> None:
    """FULL in WAL mode: SQLite calls fdatasync on the log at each commit."""
    path.parent.mkdir()
    db = store.connect(path)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    db.close()


KILLED = """
import asyncio, sys
from pathlib import Path
from ems_edge.buffer import Name, NewBatch
from ems_edge.buffer_sqlite import SqliteBuffer

async def main():
    buffer = SqliteBuffer(Path(sys.argv[1]), 10**9)
    await buffer.open()
    for seq in range(1, 10**6):
        await buffer.append(NewBatch(Name(sys.argv[2], seq), b"%d" % seq * 500, seq, seq))
        print(seq, flush=True)

asyncio.run(main())
"""


def test_kill_9_loses_nothing_that_append_returned_for(path: Path) -> None:
    for life in range(5):
        boot = str(uuid.uuid4())
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(path), boot], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(20 + 7 * life):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        said = process.stdout.read().split()
        process.stdout.close()
        process.wait()
        stats, last_ts = store.read_stats(path)
        last_said = int(said[-1]) if said else 20 + 7 * life
        assert stats.boots[boot] >= last_said
        assert last_ts == stats.boots[boot]


async def test_a_file_cut_off_anywhere_gives_back_what_is_still_in_it(path: Path, reopened: SqliteBuffer) -> None:
    made = await _filled(path, 200)
    _cut_off(path, 0.6)
    assert await reopened.open() is not None
    found = await _content(reopened)
    assert 50 < len(found) < 200
    assert found.items() <= made.items()
    assert (await reopened.backlog()).batches == len(found)
    (gap,) = reopened.gaps()
    assert gap.reason == GAP_STORE_CORRUPT
    assert gap.start <= gap.end
    assert list((path.parent / "quarantine").iterdir())


async def test_overwritten_pages_cost_their_batches_and_no_others(path: Path, reopened: SqliteBuffer) -> None:
    made = await _filled(path, 200)
    _overwrite(path, 0.5, os.urandom(3 * 4096))
    await reopened.open()
    found = await _content(reopened)
    assert 180 < len(found) < 200
    assert found.items() <= made.items()
    gaps = reopened.gaps()
    assert {gap.reason for gap in gaps} == {GAP_STORE_CORRUPT}
    lost = sorted(name.seq for name in made.keys() - found.keys())
    assert all(any(gap.start <= seq * 1000 + 5 and seq * 1000 <= gap.end for gap in gaps) for seq in lost)
    # And it goes on.
    await reopened.append(batch(500))
    assert (await reopened.stats()).boots[BOOT] == len(found) + 1


@pytest.mark.parametrize("content", [b"", b"this was a store once" * 1000])
async def test_a_file_that_is_no_store_at_all_begins_a_new_one(
    path: Path, reopened: SqliteBuffer, content: bytes
) -> None:
    await _filled(path, 3)
    _replace(path, content)
    last = await reopened.open()
    assert await _content(reopened) == {}
    (gap,) = reopened.gaps()
    assert gap.reason == GAP_STORE_CORRUPT
    assert last == gap.start > 1_700_000_000_000
    await reopened.append(batch(9))


async def test_damage_found_while_running_is_healed_and_the_work_goes_on(path: Path, reopened: SqliteBuffer) -> None:
    await _filled(path, 100)
    await reopened.open()
    _overwrite(path, 0.1, b"\xff" * 4096 * 20)
    found = await _content(reopened)
    assert 50 < len(found) < 100
    assert {gap.reason for gap in reopened.gaps()} == {GAP_STORE_CORRUPT}
    await reopened.append(batch(101))


async def test_a_batch_with_a_wrong_checksum_is_set_aside_and_named(path: Path, reopened: SqliteBuffer) -> None:
    carried = Gap(1, 2, GAP_BUFFER_FULL)
    buffer = SqliteBuffer(path, LIMIT)
    await buffer.open()
    for seq in (1, 2, 3):
        await buffer.append(batch(seq, *([carried] if seq == 2 else [])))
    await buffer.close()
    db = sqlite3.connect(path)
    db.execute("UPDATE batch SET payload = CAST(replace(payload, '2:', '3:') AS BLOB) WHERE seq = 2")
    db.commit()
    db.close()
    await reopened.open()
    assert sorted(name.seq for name in await _content(reopened)) == [1, 3]
    assert reopened.gaps() == [carried, Gap(2000, 2005, GAP_STORE_CORRUPT, BOOT, 2, 2)]
    assert (path.parent / "quarantine" / f"{BOOT}-2.batch").exists()


async def test_a_healing_that_was_interrupted_is_finished(path: Path, reopened: SqliteBuffer) -> None:
    made = await _filled(path, 5)
    _interrupt_healing(path)
    await reopened.open()
    assert await _content(reopened) == made
    assert not path.with_name(path.name + ".healed").exists()


async def test_only_the_newest_damaged_files_are_kept(path: Path) -> None:
    path.parent.mkdir()
    quarantine = path.parent / "quarantine"
    for day in range(1, 9):
        (quarantine / f"2020010{day}T000000").mkdir(parents=True)
    await _filled(path, 1)
    salvage.heal(path)
    kept = sorted(entry.name for entry in quarantine.iterdir())
    assert len(kept) == salvage.KEEP
    assert "20200101T000000" not in kept


async def test_a_full_store_opens_without_a_look_at_what_is_in_it(path: Path) -> None:
    """2 GiB of batches open as fast as none."""
    await _filled(path, 3)
    db = store.connect(path)
    with store.transaction(db):
        for seq in range(4, 20_000):
            store.insert(db, store.row_of(batch(seq, size=10), None))
        store.set_totals(db, store.Totals(19_999, 300_000))
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    db.set_progress_handler(count, 100)
    assert store.get_totals(db) == (19_999, 300_000)
    assert store.oldest(db) == 1000
    assert steps < 5
    db.close()


async def test_totals_that_nobody_wrote_down_are_counted(path: Path, reopened: SqliteBuffer) -> None:
    await _filled(path, 3, size=1_000)
    db = sqlite3.connect(path)
    db.execute("DELETE FROM meta WHERE key = 'totals'")
    db.commit()
    db.close()
    await reopened.open()
    backlog = await reopened.backlog()
    assert (backlog.batches, backlog.size, backlog.oldest) == (3, 3 * 1_002, 1000)


async def test_a_store_of_a_newer_version_is_left_alone(path: Path, reopened: SqliteBuffer) -> None:
    await _filled(path, 1)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(store.StoreVersionError, match="update the edge"):
        await reopened.open()
