"""Run a command and start it again when a source file changes: `python -m ems_stack.reload --watch DIR -- CMD`."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

import watchfiles

_SUFFIXES = (".py", ".yaml", ".yml")
_IGNORED = {"__pycache__", "tests", "node_modules", ".venv"}
_STOP_SECONDS = 15


class Sources(watchfiles.BaseFilter):
    def __call__(self, _: watchfiles.Change, path: str) -> bool:
        return path.endswith(_SUFFIXES) and not _IGNORED & set(Path(path).parts)


def run(watch: list[str], command: list[str]) -> int:
    """Returns when told to stop (SIGTERM, SIGINT). A command that ends by itself is started at the next change."""
    closing = threading.Event()

    def close(_: int, __: FrameType | None) -> None:
        closing.set()

    signal.signal(signal.SIGTERM, close)
    signal.signal(signal.SIGINT, close)
    child = subprocess.Popen(command)
    for _ in watchfiles.watch(*watch, watch_filter=Sources(), stop_event=closing, raise_interrupt=False, debounce=300):
        _stop(child)
        child = subprocess.Popen(command)
    _stop(child)
    return 0


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def main() -> None:
    words = sys.argv[1:]
    if "--" not in words or words[:1] != ["--watch"]:
        sys.exit("usage: python -m ems_stack.reload --watch DIR... -- COMMAND...")
    split = words.index("--")
    sys.exit(run(words[1:split], words[split + 1 :]))


if __name__ == "__main__":
    main()
