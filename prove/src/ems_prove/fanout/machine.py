"""Which core runs what, and how busy each process was."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


def cores() -> tuple[int, int] | None:
    """One core for the server, another for everything else; None where that cannot be had (one core, or no Linux)."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[-1]) if len(allowed) > 1 else None


def described() -> str:
    pinned = cores()
    if pinned is None:
        return (
            "only one core here, or no way to pin a process: nothing is pinned, and the load is the server's neighbour"
        )
    return f"server on core {pinned[0]}, Redis and load on core {pinned[1]}"


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """What is started inside begins its life on this core, its threads too. None: wherever it likes."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def allow_sockets(count: int) -> None:
    """As many open files as that takes, for this process and what it starts. Raises RuntimeError."""
    wanted = count + 256
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise RuntimeError(f"{count} sockets need {wanted} open files, {hard} are allowed; raise `ulimit -Hn`")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Busy:
    """How much of a core each process used since `start`. `pids`: name -> process."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}

    def seconds(self) -> dict[str, float]:
        """CPU time of each until now, s, with its threads."""
        return {name: sum(process.cpu_times()[:2]) for name, process in self._processes.items()}

    def resident(self, name: str) -> int:
        """Bytes."""
        size: int = self._processes[name].memory_info().rss
        return size


def has_epoll() -> bool:
    return sys.platform == "linux"
