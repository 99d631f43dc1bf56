"""Edges that kill themselves (SIGKILL) at one moment of their work: real processes, forked from one that has imported
everything, so that a life costs a tenth of a second.

A moment is `module:name:before` or `module:name:after`, and with `:2` the second time: just before that function does
anything, or when it has done everything and its caller does not know it yet.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Life:
    pid: int

    @property
    def running(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class Nursery:
    """`log` takes what all lives write."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._turn = asyncio.Lock()
        self.log = log

    async def life(self, bootstrap: Path, dies_at: str = "-") -> Life:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._turn:
            self._process.stdin.write(f"{dies_at} {bootstrap}\n".encode())
            return Life(int(await self._process.stdout.readline()))


@contextlib.asynccontextmanager
async def nursery(folder: Path) -> AsyncIterator[Nursery]:
    log = folder / "lives.log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=file
        )
    try:
        yield Nursery(process, log)
    finally:
        process.kill()
        await process.wait()


# In the processes -----------------------------------------------------------------------------------------------------


def _kill_at(moment: str) -> None:
    module, path, side, *times = moment.split(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    original: Callable[..., Awaitable[object]] = getattr(owner, name)
    left = int(times[0]) if times else 1

    def die() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(original)
    async def dying(*args: Any, **kwargs: Any) -> object:
        if side == "before":
            die()
        result = await original(*args, **kwargs)
        if side == "after":
            die()
        return result

    setattr(owner, name, dying)


def _bear() -> None:
    """Each line on stdin is a life: a moment, or -, and a bootstrap file. Its pid is the answer."""
    from ems_edge.drivers import modbus  # noqa: F401 -- the children need not
    from ems_edge.main import app

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    while line := os.read(0, 4096).decode():
        moment, _, bootstrap = line.strip().partition(" ")
        if (pid := os.fork()) == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if moment != "-":
                _kill_at(moment)
            app(["run", bootstrap])
        os.write(1, f"{pid}\n".encode())


if __name__ == "__main__":
    _bear()
