"""Everything of one edge that writes to devices, and who is connected to whom.

Redis --> intake --> commands --.                                  .--> devices
                                |--claims--> the single writer ----|
samples --> control (rules) ----'                                  '--> outcomes, back to who claims
                 `-------- events, of rules and commands --> Redis
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from ems_edge.clock import Clock
from ems_edge.command_file import CommandFile
from ems_edge.command_journal import Journal
from ems_edge.commands import Commands
from ems_edge.commands_intake import Intake
from ems_edge.config import Plan
from ems_edge.control import Control
from ems_edge.driver import Device
from ems_edge.events import Events
from ems_edge.events_journal import EventJournal
from ems_edge.poller import Answer
from ems_edge.setpoints_writer import SetpointWriter
from ems_edge.uplink import Companion

RULES_HAVE_POLLS = 3
RULES_HAVE_AT_LEAST = 5.0
"""How long after a start a rule has to claim again what it held before: so many polls, and s at least."""


class Desk:
    """Call order: `open`; `start`; `use` with each configuration, `pause` before the next one; `stop`; `close`.

    `timezone` is IANA's name of the site's.
    """

    def __init__(self, path: Path | None, clock: Clock, timezone: str, changed: Callable[[str], None]) -> None:
        self._file = CommandFile(path)
        self._clock = clock
        self._zone = ZoneInfo(timezone)
        self._changed = changed
        self._tasks: list[asyncio.Task[None]] = []
        self._journal = Journal(self._file)
        self._event_journal = EventJournal(self._file)
        self.events = Events(self._event_journal)
        self.writer: SetpointWriter
        self._commands: Commands
        self._intake: Intake
        self.control: Control

    async def open(self) -> None:
        await self._file.open()
        await self._journal.load()
        await self._event_journal.load()
        self.writer = SetpointWriter(self._journal, self._changed)
        self._commands = Commands(self._journal, self.writer, self.events, self._clock)
        self._intake = Intake(self._commands, self._journal, self.writer, self.events)
        self.control = Control(self.writer, self.events.tell)

    async def close(self) -> None:
        await self._file.close()

    @property
    def companions(self) -> Sequence[Companion]:
        """What shares the uplink's connection."""
        return [self.events.send, self._intake.follow]

    def start(self, group: asyncio.TaskGroup) -> None:
        self.writer.start(group)
        self._tasks = [
            group.create_task(self._commands.run(), name="commands"),
            group.create_task(self.events.run(), name="events"),
        ]

    def use(self, plan: Plan, devices: Mapping[str, Device]) -> None:
        interval = plan.config.poll_interval
        slowest = max([interval, *(spec.interval for _, spec in plan.devices.values())])
        self.writer.use(plan.setpoints, devices, max(RULES_HAVE_POLLS * slowest, RULES_HAVE_AT_LEAST))
        self._commands.use(point.key for point in plan.points)
        self.control.use(plan.tasks, self._zone, interval)

    def see(self, answers: Sequence[Answer]) -> None:
        """What polls said."""
        for answer in answers:
            self.writer.polled(answer.device, answer.values)

    async def pause(self) -> None:
        await self.writer.pause()

    async def stop(self) -> None:
        """Keep what was told; nothing is written any more, and what is held stays so for the next life."""
        self.events.close()
        commands, telling = self._tasks
        commands.cancel()
        await telling
