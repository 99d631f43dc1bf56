"""Many edges in one process, for plants that are reached from a data centre: one for each bootstrap file of a folder.

A file that appears starts its edge, one that changes restarts it, one that goes stops it. An edge that fails is
started again with backoff while the others go on; a file that is wrong is told and waited for. Every log line carries
`edge_file`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path

import structlog

from ems_edge.bootstrap import Settings, check_bootstrap
from ems_edge.health import serve
from ems_edge.problems import ConfigError, read_yaml
from ems_edge.runtime import Edge

log = structlog.get_logger()

LOOK_EVERY = 5.0
BACKOFF_FIRST, BACKOFF_LAST = 1.0, 60.0
_Stamp = tuple[int, int]
"""Of a file: when it was changed, ns, and its size."""


class Member:
    """One file and its edge, for as long as the file stays as it is."""

    def __init__(self, file: Path, stamp: _Stamp) -> None:
        self.file = file
        self.stamp = stamp
        self.problem = "starting"
        self._edge: Edge | None = None
        self._stopped = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"edge {file.stem}")

    def not_ready(self) -> dict[str, str]:
        if self._edge is None:
            return {"edge": self.problem}
        return self._edge.not_ready()

    async def stop(self) -> None:
        """As a process would at SIGTERM: finish the cycle, flush, close."""
        self._stopped.set()
        if self._edge is not None:
            self._edge.stop()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        structlog.contextvars.bind_contextvars(edge_file=self.file.name)
        backoff = BACKOFF_FIRST
        while not self._stopped.is_set():
            started = asyncio.get_running_loop().time()
            try:
                settings = check_bootstrap(read_yaml(self.file), self.file.resolve().parent)
            except ConfigError as error:
                log.error("the bootstrap file is refused", problem=str(error))
                self.problem = str(error)
            else:
                await self._live(settings)
            if asyncio.get_running_loop().time() - started > 2 * BACKOFF_LAST:
                backoff = BACKOFF_FIRST
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(backoff * random.uniform(0.5, 1.0)):  # noqa: S311 -- jitter
                    await self._stopped.wait()
            backoff = min(2 * backoff, BACKOFF_LAST)

    async def _live(self, settings: Settings) -> None:
        """One life. Whatever ends it ends nothing else."""
        self._edge = Edge(settings)
        life = asyncio.create_task(self._edge.run(), name=f"life of {self.file.stem}")
        await asyncio.wait([life])
        self._edge = None
        if (error := life.exception()) is not None:
            self.problem = str(error) or type(error).__name__
            log.error("the edge failed and is started again", problem=self.problem, exc_info=error)


class Fleet:
    """`run` returns after a stop was asked for and every edge has closed."""

    def __init__(self, directory: Path, health_port: int | None = None, health_host: str = "127.0.0.1") -> None:
        self._directory = directory
        self._health_port = health_port
        self._health_host = health_host
        self._members: dict[Path, Member] = {}
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self._stopped.set()

    def not_ready(self) -> dict[str, str]:
        """What is missing of which edge: `factory.redis` -> why."""
        if not self._members:
            return {"edges": f"there is no bootstrap file (*.yaml) in {self._directory}"}
        return {
            f"{file.stem}.{what}": why
            for file, member in self._members.items()
            for what, why in member.not_ready().items()
        }

    async def run(self) -> None:
        """Raises OSError for a health port that is taken."""
        async with contextlib.AsyncExitStack() as services:
            if self._health_port is not None:
                await services.enter_async_context(serve(self._health_port, self.not_ready, self._health_host))
            services.push_async_callback(self._stop_all)
            while not self._stopped.is_set():
                await self._look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY):
                        await self._stopped.wait()

    async def _look(self) -> None:
        """Make the members follow the files."""
        present = _stamps(self._directory)
        over = [file for file, member in self._members.items() if present.get(file) != member.stamp]
        await _stop([self._members.pop(file) for file in over])
        for file, stamp in sorted(present.items()):
            if file not in self._members:
                log.info("edge joins", edge_file=file.name)
                self._members[file] = Member(file, stamp)

    async def _stop_all(self) -> None:
        await _stop(list(self._members.values()))


async def _stop(members: list[Member]) -> None:
    """Stop these, all at once."""
    await asyncio.gather(*(member.stop() for member in members))


def _stamps(directory: Path) -> dict[Path, _Stamp]:
    """Of every bootstrap file; one that goes while we look is not there."""
    stamps: dict[Path, _Stamp] = {}
    for file in directory.glob("*.yaml"):
        with contextlib.suppress(OSError):
            found = file.stat()
            stamps[file] = (found.st_mtime_ns, found.st_size)
    return stamps
