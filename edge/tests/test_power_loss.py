"""What `append` returned for survives a power cut: it is on the disk before it returns, and the rest may be anything.

A kill -9 proves none of this (the kernel still holds the pages), so the log is cut and scribbled over behind what was
last synced, as a disk does that was writing when the power went.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from ems_edge import store
from ems_edge.buffer import Name, NewBatch
from ems_edge.buffer_sqlite import SqliteBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

BOOT = str(uuid.uuid4())
COMMITTED = 12
LIMIT = 50_000_000
STRACE = shutil.which("strace")


def batch(seq: int) -> NewBatch:
    return NewBatch(Name(BOOT, seq), b"%d:" % seq + b"x" * 3_000, seq * 1000, seq * 1000 + 5)


async def _content(path: Path) -> dict[int, bytes]:
    buffer = SqliteBuffer(path, LIMIT)
    await buffer.open()
    found = {lent.name.seq: lent.payload for lent in await buffer.begin(10**9, 10**6)}
    assert (await buffer.backlog()).batches == len(found)
    assert buffer.gaps() == []
    await buffer.close()
    return found


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A store as the power cut finds it, and how long its log was when the last `append` we count on returned."""
    return asyncio.run(_crash(tmp_path_factory.mktemp("crash") / store.FILE))


async def _crash(path: Path) -> tuple[Path, int]:
    buffer = SqliteBuffer(path, LIMIT)
    await buffer.open()
    for seq in range(1, COMMITTED + 1):
        await buffer.append(batch(seq))
    log = path.with_name(store.FILE + "-wal")
    synced = log.stat().st_size
    await buffer.settle({BOOT: [(1, 2)]})  # not durable by itself: may be there or not
    for seq in range(COMMITTED + 1, COMMITTED + 6):
        await buffer.append(batch(seq))
    left = path.parent / "left"
    left.mkdir()
    for file in (path, log):
        shutil.copy(file, left / file.name)
    await buffer.close()
    return left, synced


@settings(max_examples=25)
@given(share=st.floats(0, 1), noise=st.binary(max_size=5_000))
async def test_whatever_the_disk_made_of_the_rest_what_was_committed_is_there(
    crash: tuple[Path, int], tmp_path_factory: pytest.TempPathFactory, share: float, noise: bytes
) -> None:
    left, synced = crash
    folder = tmp_path_factory.mktemp("after")
    path = shutil.copy(left / store.FILE, folder)
    whole = (left / f"{store.FILE}-wal").read_bytes()
    cut = synced + int(share * (len(whole) - synced))
    (folder / f"{store.FILE}-wal").write_bytes(whole[:cut] + noise)
    found = await _content(Path(path))
    assert found.keys() >= set(range(3, COMMITTED + 1))
    assert all(payload == batch(seq).payload for seq, payload in found.items())
    assert sorted(found) == list(range(min(found), max(found) + 1))


async def test_the_time_of_the_last_commit_is_there_too(crash: tuple[Path, int], tmp_path: Path) -> None:
    left, synced = crash
    path = Path(shutil.copy(left / store.FILE, tmp_path))
    (tmp_path / f"{store.FILE}-wal").write_bytes((left / f"{store.FILE}-wal").read_bytes()[:synced])
    buffer = SqliteBuffer(path, LIMIT)
    assert await buffer.open() == COMMITTED * 1000 + 5
    await buffer.close()


APPENDING = """
import asyncio, os, sys
from pathlib import Path
from ems_edge.buffer import Name, NewBatch
from ems_edge.buffer_sqlite import SqliteBuffer

async def main():
    buffer = SqliteBuffer(Path(sys.argv[1]), 10**9)
    await buffer.open()
    for seq in range(1, 21):
        await buffer.append(NewBatch(Name(sys.argv[2], seq), b"payload" * 500, seq, seq))
        os.write(1, b"acknowledged\\n")
    os._exit(0)

asyncio.run(main())
"""


@pytest.mark.skipif(STRACE is None, reason="strace is not installed; the cut log above shows the same from outside")
def test_fdatasync_comes_between_the_write_and_the_acknowledgement(tmp_path: Path) -> None:
    """As the kernel sees it: after the last write to the log and before the word that the batch is safe."""
    trace = tmp_path / "trace"
    watched = [str(STRACE), "-f", "-y", "-e", "trace=write,pwrite64,fdatasync,fsync", "-o", str(trace)]
    command = [sys.executable, "-c", APPENDING, str(tmp_path / store.FILE), BOOT]
    done = subprocess.run([*watched, *command], capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if b"ptrace" in done.stderr.lower():
        pytest.skip("this machine lets nobody trace a process")
    assert done.returncode == 0, done.stderr.decode()
    steps = re.findall(r"(pwrite64|fdatasync|fsync)\(\d+<[^>]*-wal>|(acknowledged)", trace.read_text())
    order = [call or said for call, said in steps]
    said = [number for number, step in enumerate(order) if step == "acknowledged"]
    assert len(said) == 20
    assert {order[number - 1] for number in said} <= {"fdatasync", "fsync"}
