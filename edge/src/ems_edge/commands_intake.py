"""Commands as they come: read from the stream, checked, and in the journal before anything is written.

    stream --> check --> rejected | expired
                  `----> journal --> `commands.py`

A command that comes again is reported, not written. Expiry counts in Redis' time, asked for with each reading and
carried on by a clock that nobody sets, and it counts until the write begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import structlog
from ems_contract.commands import Command, CommandReason, CommandState

from ems_edge.command_file import JournalError
from ems_edge.command_journal import Entry, Journal, Stage
from ems_edge.commands import Commands
from ems_edge.commands_check import Verdict, check, decode, event
from ems_edge.events import Events
from ems_edge.redis_door import RedisDoor
from ems_edge.setpoints_writer import SetpointWriter
from ems_edge.window import StreamId

log = structlog.get_logger()

_DISK_PAUSE = 1.0
_NOT_KEPT = Verdict(
    CommandState.REJECTED, CommandReason.NOT_KEPT, "The edge's disk takes nothing, so nothing was written."
)
_REPLAYED = Verdict(
    CommandState.REJECTED, CommandReason.REPLAYED, "This id was used before, for a command with another content."
)


class Intake:
    def __init__(self, commands: Commands, journal: Journal, setpoints: SetpointWriter, events: Events) -> None:
        self._commands = commands
        self._journal = journal
        self._setpoints = setpoints
        self._events = events
        self._turned_away: set[str] = set()
        """For a disk that took nothing: what was refused so is not done when it is read again."""

    async def follow(self, redis: RedisDoor) -> None:
        """One connection's reading, until cancelled. Raises what RedisDoor does."""
        await self._commands.resumed.wait()
        after: StreamId = (0, 0)  # all that is there: a Redis that lost its data may begin with lower ids
        while True:
            if not (page := await redis.commands(after)):
                continue
            now = _counting_from((await redis.time())[0])
            try:
                for at, payload in page:
                    await self._take(at, payload, now)
                    after = at
            except JournalError:
                await asyncio.sleep(_DISK_PAUSE)

    async def _take(self, at: StreamId, payload: bytes, now: Callable[[], int]) -> None:
        """Raises JournalError before anything was done."""
        try:
            command = decode(payload)
        except ValueError as error:
            if at > self._journal.position:
                log.warning("an entry is no command", problem=str(error))
                await self._journal.move(at)
            return
        if command.id in self._turned_away:
            return
        if (known := await self._commands.known(command.id)) is not None:
            await self._again(known, command, at)
            return
        if at <= self._journal.position and now() >= command.expires:
            return  # it was handled, so long ago that it is forgotten
        setpoint, strongest = self._setpoints.setpoint(command.point), self._setpoints.strongest(command.point)
        verdict = check(command, now(), setpoint, strongest, known=command.point in self._commands.points)
        entry = Entry(command, Stage.OVER if verdict else Stage.BEGUN)
        entry.ends = self._commands.lease_end(entry)
        kept = await self._commands.record(entry, verdict, at=at)
        if verdict is not None:
            return
        if not kept:
            self._turned_away.add(command.id)
            self._events.tell(event(command, _NOT_KEPT, self._commands.now()))
            return
        until = asyncio.get_running_loop().time() + (command.expires - now()) / 1000
        self._commands.accept(entry, until)

    async def _again(self, known: Entry, command: Command, at: StreamId) -> None:
        """What is known of it is said again."""
        if at <= self._journal.position:
            return
        told = known.told
        if known.command != command:
            log.warning("a command's id came again with another content", id=command.id)
            told = msgspec.json.encode(event(command, _REPLAYED, self._commands.now()))
        if told is None:
            await self._journal.move(at)
        else:
            await self._journal.tell(told, at)
            self._events.kept()


def _counting_from(redis_ms: int) -> Callable[[], int]:
    """Redis' time from now on, whatever anybody does to the machine's clock."""
    loop = asyncio.get_running_loop()
    asked = loop.time()
    return lambda: redis_ms + int((loop.time() - asked) * 1000)
