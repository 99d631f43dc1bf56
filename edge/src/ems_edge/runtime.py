"""The edge as a whole: who is connected to whom, in which order it starts and stops.

provisioning --plan--> poller --answers--> processing --> recorder --committed batches--> uplink --> Redis
                          |                    |             |  ^                           |           ^
                          v                    v             v  | last ts, gaps             | receipts  | events
                       devices <--writes-- desk.py          buffer <------------------------+           |
                                               `---- rules, commands -----------------------------------'
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from importlib.metadata import version

import structlog
from ems_contract import keys
from ems_contract.edge_events import EdgeEvent
from ems_contract.provisioning import SessionAnswer

from ems_edge import ownership, store
from ems_edge.bootstrap import Settings
from ems_edge.buffer import Buffer
from ems_edge.buffer_memory import MemoryBuffer
from ems_edge.buffer_sqlite import SqliteBuffer
from ems_edge.clock import Clock
from ems_edge.command_file import FILE as COMMANDS_FILE
from ems_edge.config import Plan, check_session
from ems_edge.desk import Desk
from ems_edge.driver import Driver
from ems_edge.drivers import make_drivers
from ems_edge.health import serve
from ems_edge.image import Image
from ems_edge.ownership import StoreError, only_one
from ems_edge.poller import Answer, Polled, Poller
from ems_edge.processing import Processing
from ems_edge.provisioning import Provisioning
from ems_edge.recorder import Recorder
from ems_edge.reporting import Reporter
from ems_edge.session import BackendClient, SessionCache
from ems_edge.status_report import FILE as STATUS_FILE
from ems_edge.status_report import Situation, StatusReport
from ems_edge.uplink import Tuning, Uplink

log = structlog.get_logger()

FLUSH_SECONDS = 3.0


class Line:
    """From the devices to Redis, for one edge of one site. Exists once a session said who this edge is."""

    def __init__(
        self,
        answer: SessionAnswer,
        boot: str,
        buffer: Buffer,
        clock: Clock,
        down_since: int | None,
        refresh: Callable[[], None],
        status: StatusReport,
        desk: Desk,
        tuning: Tuning,
    ) -> None:
        self._desk = desk
        self._image = Image(answer.edge, boot)
        self._status = status
        site, edge = keys.site_id(answer.site), keys.edge_id(answer.edge)
        self.uplink = Uplink(
            site,
            edge,
            buffer,
            clock,
            self._image,
            answer.redis,
            refused=refresh,
            config_changed=refresh,
            companions=[status.send, *desk.companions],
            tuning=tuning,
        )
        self.recorder = Recorder(answer.edge, boot, buffer, clock, self._image, self.uplink, down_since)
        self._processing = Processing(self.recorder.add, desk.control)
        self._poller = Poller(self._answered)
        self._drivers: dict[str, Driver] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.polling = False

    def start(self, group: asyncio.TaskGroup) -> None:
        self._tasks = [
            group.create_task(self.recorder.run(), name="recorder"),
            group.create_task(self.uplink.run(), name="uplink"),
            group.create_task(self._processing.run(), name="processing"),
        ]
        self._desk.start(group)

    async def stop(self) -> None:
        """Finish the reads under way, commit what came in, publish what is committed."""
        await self._stop_polling()
        self.recorder.close()
        recording, uplinking, processing = self._tasks
        processing.cancel()
        await recording
        await self._desk.stop()
        await self.uplink.flush(FLUSH_SECONDS)
        if self.uplink.online:
            await self._desk.events.flush(FLUSH_SECONDS)
        uplinking.cancel()

    async def poll(self, plan: Plan) -> None:
        """From now on these devices, and no others."""
        await self._stop_polling()
        self._drivers = make_drivers({driver for driver, _ in plan.devices.values()})
        self._image.keep_only(plan.sources)
        self._processing.use(plan.derived, Reporter(plan.config.reporting, plan.points))
        self._status.expect(plan)
        devices = {key: self._drivers[driver].device(spec) for key, (driver, spec) in plan.devices.items()}
        self._desk.use(plan, devices)
        self._poller.start([Polled(key, devices[key], spec.interval) for key, (_, spec) in plan.devices.items()])
        self.polling = True
        log.info("polling", revision=plan.config.revision, devices=len(plan.devices), points=len(plan.points))

    def read_soon(self, device: str) -> None:
        self._poller.read_soon(device)

    def _answered(self, answers: list[Answer]) -> None:
        self._status.see(answers)
        self._desk.see(answers)
        self._processing.take(answers)

    async def _stop_polling(self) -> None:
        await self._poller.stop()
        self._processing.close()
        await self._desk.pause()
        for driver in set(self._drivers.values()):
            await driver.close()


class Edge:
    """One life of one edge process. `run` returns after a stop was asked for and everything is closed."""

    def __init__(self, settings: Settings, health_port: int | None = None, health_host: str = "127.0.0.1") -> None:
        self._settings = settings
        self._health_port = health_port
        self._health_host = health_host
        self._boot = str(uuid.uuid4())
        self._stop = asyncio.Event()
        self._failure: StoreError | None = None
        self._buffer: Buffer
        self._last_ts: int | None = None
        self._status: StatusReport
        self._line: Line | None = None
        self._clock: Clock
        self._desk: Desk | None = None
        self._untold: list[EdgeEvent] = []
        """From before it was known which edge this is."""
        self._provisioning: Provisioning | None = None
        self._tasks: asyncio.TaskGroup

    def stop(self) -> None:
        """Finish the cycle, flush, close."""
        self._stop.set()

    async def run(self) -> None:
        """Raises StoreError, store.StoreVersionError, OSError (a taken health port, a store that cannot be written)."""
        directory, limit, age = self._settings.store, self._settings.store_limit, self._settings.store_age
        with only_one(directory) if directory is not None else contextlib.nullcontext():
            self._buffer = SqliteBuffer(directory / store.FILE, limit, age) if directory else MemoryBuffer(limit, age)
            try:
                self._last_ts = await self._buffer.open()
                self._clock = Clock(self._last_ts)
                file = directory / STATUS_FILE if directory else None
                situation = Situation(self.not_ready, self._config_problem, self._ahead)
                self._status = StatusReport(self._boot, software(), self._buffer, situation, file)
                log.info("edge starts", boot=self._boot, file=self._settings.file, last_ts=self._last_ts)
                async with contextlib.AsyncExitStack() as services:
                    if self._health_port is not None:
                        await services.enter_async_context(serve(self._health_port, self.not_ready, self._health_host))
                    await self._until_stopped()
            finally:
                if self._desk is not None:
                    await self._desk.close()
                await self._buffer.close()
        if self._failure is not None:
            raise self._failure
        log.info("edge stopped", boot=self._boot)

    def not_ready(self) -> dict[str, str]:
        """What is missing, and why; empty when all is well."""
        if self._line is None:
            return {"configuration": self._provisioning.problem if self._provisioning else "starting"}
        missing: dict[str, str] = {}
        if not self._line.polling:
            missing["configuration"] = self._provisioning.problem if self._provisioning else "none"
        if self._line.recorder.problem:
            missing["store"] = self._line.recorder.problem
        if self._line.uplink.problem:
            missing["redis"] = self._line.uplink.problem
        return missing

    def _config_problem(self) -> str:
        return self._provisioning.config_problem if self._provisioning else ""

    def _ahead(self) -> int | None:
        """How far the clock is ahead of Redis', ms."""
        offset = self._clock.offset
        return None if offset is None else -offset

    def _tell(self, event: EdgeEvent) -> None:
        if self._desk is None:
            self._untold.append(event)
        else:
            self._desk.events.tell(event)

    async def _until_stopped(self) -> None:
        source, profiles = self._settings.source, self._settings.profiles
        async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as self._tasks:
            if isinstance(source, SessionAnswer):
                await self._apply(source, check_session(source, profiles, self._settings.file))
                provisioning = None
            else:
                client = await stack.enter_async_context(BackendClient(source.url, source.key))
                cache = SessionCache(self._settings.store) if self._settings.store else None
                self._provisioning = Provisioning(client, profiles, cache, self._boot, software(), self._tell)
                provisioning = self._tasks.create_task(self._provisioning.run(self._apply), name="provisioning")
            reporting = self._tasks.create_task(self._status.run(), name="status")
            await self._stop.wait()
            log.info("edge stops", boot=self._boot)
            if provisioning is not None:
                provisioning.cancel()
                await asyncio.wait([provisioning])
            if self._line is not None:
                await self._line.stop()
            reporting.cancel()

    async def _apply(self, answer: SessionAnswer, plan: Plan | None) -> None:
        """A session, the first or a newer one."""
        if self._line is None:
            try:
                if self._settings.store is not None:
                    ownership.claim(self._settings.store, answer.edge, (await self._buffer.backlog()).batches)
            except StoreError as error:
                self._failure = error
                self.stop()
                return
            refresh = self._provisioning.refresh_soon if self._provisioning else _nothing
            tuning = Tuning(backfill_rate=self._settings.backfill_rate)
            self._desk = await self._open_desk(answer.timezone)
            self._line = Line(
                answer, self._boot, self._buffer, self._clock, self._last_ts, refresh, self._status, self._desk, tuning
            )
            self._line.start(self._tasks)
        else:
            self._line.uplink.use(answer.redis)
        if plan is not None:
            await self._line.poll(plan)

    async def _open_desk(self, timezone: str) -> Desk:
        directory = self._settings.store
        desk = Desk(directory / COMMANDS_FILE if directory else None, self._clock, timezone, self._changed)
        await desk.open()
        for event in self._untold:
            desk.events.tell(event)
        return desk

    def _changed(self, device: str) -> None:
        """A device was written to: people who watch should see it now."""
        if self._line is not None:
            self._line.read_soon(device)


def software() -> str:
    return f"ems-edge {version('ems-edge')}"


def _nothing() -> None:
    """A standalone edge has no one to ask."""
