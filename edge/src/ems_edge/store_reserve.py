"""Room on the disk that the store keeps for itself.

On a full disk SQLite could not even drop the oldest batches: that, too, is first written to the log, and the log cannot
be moved into a file that must not grow. The reserve is given up then, and taken back when there is room again.
"""

from __future__ import annotations

import os
from pathlib import Path

SIZE = 8 * 1_048_576
"""More than the log ever holds between two checkpoints, by far."""


class Reserve:
    def __init__(self, path: Path, size: int = SIZE) -> None:
        self._path = path
        self._size = size
        self._held = False

    def hold(self) -> bool:
        """Whether the room is ours now."""
        if not self._held:
            try:
                self._fill()
            except OSError:
                self.release()
            else:
                self._held = True
        return self._held

    def release(self) -> None:
        self._held = False
        self._path.unlink(missing_ok=True)

    def _fill(self) -> None:
        with self._path.open("ab") as file:
            missing = self._size - file.tell()
            if missing <= 0:
                return
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, self._size)
            else:
                file.write(bytes(missing))
