"""A disk of a few MiB that only one process sees, so that it can be filled to the last byte."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

_MOUNT = 'mount -t tmpfs -o size="$0" none "$1" && shift && exec "$@"'


def on_small_disk(size: str, folder: Path) -> list[str]:
    """The beginning of a command, whose process finds a disk of this size (`4m`) at `folder`."""
    return ["unshare", "-rm", "sh", "-c", _MOUNT, size, str(folder)]


@functools.cache
def why_not() -> str:
    """Why this machine has no such disks; empty where it has."""
    if shutil.which("unshare") is None:
        return "there is no `unshare` here"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", "mount -t tmpfs none /tmp"], capture_output=True, check=False)
    return done.stderr.decode().strip() if done.returncode else ""


def seen_by(pid: int, folder: Path) -> Path:
    """The folder as the process sees it."""
    return Path(f"/proc/{pid}/root{folder}")


def fill(folder: Path, name: str = "others") -> None:
    """Somebody else takes all that is left."""
    with (folder / name).open("ab", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                os.fsync(file.fileno())
