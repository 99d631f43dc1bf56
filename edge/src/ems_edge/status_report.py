"""How the edge is doing, every 10 s: into Redis for the backend, and into a small file for `ems-edge status`.

Neither is needed for the work: a full disk or an absent Redis only means that nobody reads it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog
from ems_contract.edge_events import EdgeStatus

from ems_edge.buffer import Buffer, BufferFullError
from ems_edge.clock import wall_ms
from ems_edge.config import Plan
from ems_edge.device_health import Devices
from ems_edge.poller import Answer
from ems_edge.redis_door import RedisDoor

log = structlog.get_logger()

EVERY = 10.0
FILE = "status.json"


@dataclass
class Situation:
    """What others know and the report asks for. `offset`: how far our clock is ahead of Redis', ms."""

    problems: Callable[[], dict[str, str]]
    config_problem: Callable[[], str] = lambda: ""
    offset: Callable[[], int | None] = lambda: None


@dataclass
class StatusReport:
    """`run` for the edge's whole life, `send` for each connection to Redis. `file` of None writes none."""

    boot: str
    software: str
    buffer: Buffer
    situation: Situation
    file: Path | None = None
    _revision: str = ""
    _devices: Devices = field(default_factory=Devices)
    _all_heard: bool = True
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _payload: bytes = b""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _file_problem: str = ""

    def expect(self, plan: Plan) -> None:
        """Another configuration runs from now on."""
        self._revision = plan.config.revision
        points = {key: [f"{key}.{source.name}" for source in spec.points] for key, (_, spec) in plan.devices.items()}
        self._devices.expect(points, wall_ms())
        self._all_heard = False
        self._wake.set()

    def see(self, answers: list[Answer]) -> None:
        self._devices.see(answers)
        if not self._all_heard and self._devices.all_heard:  # nobody should wait 10 s for the first sign of life
            self._all_heard = True
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake.clear()
            await self._make()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._wake.wait()

    async def send(self, redis: RedisDoor) -> None:
        """Until cancelled. Raises what RedisDoor does."""
        while True:
            self._news.clear()
            if self._payload:
                await redis.set_status(self._payload)
            await self._news.wait()

    async def _make(self) -> None:
        try:
            backlog = await self.buffer.backlog()
        except BufferFullError:
            return  # a failing disk; the recorder says so, and the last report grows old
        offset = self.situation.offset()
        status = EdgeStatus(
            v=1,
            boot=self.boot,
            software=self.software,
            ts=wall_ms(),
            revision=self._revision,
            backlog=backlog.batches,
            backlog_size=backlog.size,
            devices=self._devices.health(),
            oldest=backlog.oldest,
            dropped=backlog.dropped,
            offset=offset,
            config_problem=self.situation.config_problem(),
            problems=self.situation.problems(),
        )
        self._payload = msgspec.json.encode(status)
        self._news.set()
        if self.file is not None:
            self._told(await asyncio.to_thread(_write, self.file, self._payload))

    def _told(self, problem: str) -> None:
        if problem and problem != self._file_problem:
            log.warning("the status file cannot be written", file=str(self.file), problem=problem)
        self._file_problem = problem


def _write(file: Path, payload: bytes) -> str:
    """Whole or not at all, and only for us; not synced, for it is old in 10 s. Returns the problem, empty for none."""
    new = file.with_suffix(".new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
            opened.write(payload)
        new.replace(file)
    except OSError as error:
        return error.strerror or str(error)
    return ""
