"""The life of a command, from when it may be written: claimed, in force, and no longer.

    accepted --> claim at the point --> written --> verified | failed
                                           lease, give-back, newer command: reverted

A command holds its point, over restarts too, until a newer one does, it is given back, or its lease ends; then what is
weaker, or the default, comes into force, with or without a connection. One that fails holds nothing. Each step is in
the journal, and told, before the next is made; after a crash in between the device is read, and what it says is told.

A lease counts from when the value was found in force; after a restart by the clock of the machine, and where that
stands before the write the lease is over.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator

import msgspec
import structlog
from ems_contract.commands import CommandReason, CommandState
from ems_contract.control import COMMAND_PRIORITY

from ems_edge.clock import Clock
from ems_edge.command_file import JournalError
from ems_edge.command_journal import Entry, Journal, Stage
from ems_edge.commands_check import Verdict, event, holder_of, id_of, verdict_of
from ems_edge.events import Events
from ems_edge.setpoints import FAILURES, Outcome, Result
from ems_edge.setpoints_claims import called
from ems_edge.setpoints_writer import SetpointWriter
from ems_edge.window import StreamId

log = structlog.get_logger()

FIND_OUT = 5.0
"""How long a device is asked, after a crash, whether it has the value of a command, s."""
_ASK_AGAIN = 0.5
_FINAL = frozenset({Result.IN_FORCE, Result.LEFT})


class Commands:
    """`use` with each configuration, `run` for the edge's whole life."""

    def __init__(self, journal: Journal, setpoints: SetpointWriter, events: Events, clock: Clock) -> None:
        self._journal = journal
        self._setpoints = setpoints
        self._events = events
        self._clock = clock
        self._active: dict[str, Entry] = {}
        """Those that are not over, by id, oldest first."""
        self._leases: dict[str, asyncio.TimerHandle] = {}
        self._inbox: asyncio.Queue[Outcome | str] = asyncio.Queue()
        """What the writer says, and ids of commands whose lease ends."""
        self._configured = asyncio.Event()
        self.points: frozenset[str] = frozenset()
        """Of the configuration, writable or not."""
        self.resumed = asyncio.Event()
        """What an earlier life left is taken up again."""
        setpoints.listen(self._inbox.put_nowait)

    def use(self, points: Iterable[str]) -> None:
        self.points = frozenset(points)
        self._configured.set()

    async def run(self) -> None:
        """Until cancelled."""
        await self._configured.wait()
        await self._resume()
        self.resumed.set()
        while True:
            item = await self._inbox.get()
            if isinstance(item, Outcome):
                await self._hear(item)
            elif (entry := self._active.get(item)) is not None and entry.stage is Stage.IN_FORCE:
                await self._end(entry, CommandReason.LEASE_ENDED)

    # What the intake calls ----------------------------------------------------------------------------------------

    async def known(self, command_id: str) -> Entry | None:
        """Raises JournalError."""
        return self._active.get(command_id) or await self._journal.find(command_id)

    def accept(self, entry: Entry, until: float) -> None:
        """One that is in the journal. Its write must begin before `until` (loop time, s)."""
        command = entry.command
        self._active[command.id] = entry
        if command.value is None:
            self._give_back(entry)
        else:
            self._setpoints.claim(command.point, holder_of(command.id), COMMAND_PRIORITY, command.value, until=until)

    async def record(
        self, entry: Entry, verdict: Verdict | None = None, lease_until: int | None = None, at: StreamId | None = None
    ) -> bool:
        """Keep it and tell it; False where the disk takes nothing, and it is told all the same."""
        said = None
        if verdict is not None:
            command, reason = entry.command, verdict.reason
            log.info("command", id=command.id, point=command.point, state=verdict.state, reason=reason)
            said = event(command, verdict, self.now(), lease_until)
            entry.told = msgspec.json.encode(said)
        try:
            await self._journal.put(entry, at)
        except JournalError:
            if said is not None:
                self._events.tell(said)
            return False
        self._events.kept()
        return True

    def now(self) -> int:
        """In Redis' time, as far as that is known, ms."""
        return self._clock.now() + (self._clock.offset or 0)

    def lease_end(self, entry: Entry) -> int | None:
        """Were it in force from now on; ms of the edge's own clock."""
        lease = entry.command.lease
        return None if lease is None else self._clock.now() + lease * 1000

    def _give_back(self, entry: Entry) -> None:
        for other in self._others(entry, Stage.BEGUN, Stage.IN_FORCE):
            why = CommandReason.RELEASED if other.stage is Stage.IN_FORCE else CommandReason.SUPERSEDED
            other.stage, other.why = Stage.ENDING, why.value
            self._setpoints.release(other.command.point, holder_of(other.command.id))
        self._setpoints.restore(entry.command.point)

    # The writer says something ------------------------------------------------------------------------------------

    async def _hear(self, outcome: Outcome) -> None:
        if (command_id := id_of(outcome.holder)) is not None:
            entry = self._active.get(command_id)
            if entry is not None and entry.stage is Stage.BEGUN:
                await self._step(entry, outcome)
            elif entry is not None and entry.stage is Stage.IN_FORCE and outcome.result is Result.OUT_OF_LIMITS:
                verdict = verdict_of(outcome, self._setpoints.setpoint(outcome.point))
                await self._end(entry, verdict.reason or CommandReason.RELEASED)
            if entry is None or entry.stage is not Stage.IN_FORCE:
                return  # it does not say what is in force now
        for one in [one for one in self._active.values() if one.command.point == outcome.point]:
            if one.stage is Stage.ENDING and outcome.result in _FINAL:
                reason = CommandReason(one.why or CommandReason.RELEASED)
                await self._over(one, Verdict(CommandState.REVERTED, reason, _follower(outcome), outcome.read_back))
            elif one.stage is Stage.BEGUN and one.command.value is None and outcome.result in _FINAL | FAILURES:
                verdict = verdict_of(outcome, None)
                detail = verdict.detail if outcome.result in FAILURES else _follower(outcome)
                await self._over(one, Verdict(verdict.state, verdict.reason, detail, verdict.read_back))

    async def _step(self, entry: Entry, outcome: Outcome) -> None:
        verdict = verdict_of(outcome, self._setpoints.setpoint(outcome.point))
        match verdict.state:
            case CommandState.WRITTEN:
                await self.record(entry, verdict)
            case CommandState.VERIFIED:
                entry.ends = self.lease_end(entry)
                await self._in_force(entry, verdict)
            case _:
                await self._over(entry, verdict)

    async def _in_force(self, entry: Entry, verdict: Verdict) -> None:
        entry.stage = Stage.IN_FORCE
        lease_until = None
        if entry.ends is not None:
            lease_until = entry.ends + (self._clock.offset or 0)
            self._wait_for_end(entry, entry.ends)
        await self.record(entry, verdict, lease_until)
        await self._supersede_others(entry)

    async def _supersede_others(self, entry: Entry) -> None:
        for other in self._others(entry, Stage.IN_FORCE):
            await self._over(other, Verdict(CommandState.REVERTED, CommandReason.SUPERSEDED))

    async def _end(self, entry: Entry, why: CommandReason) -> None:
        """Let go of the point. That it is reverted is told when what follows is in force."""
        entry.stage, entry.why = Stage.ENDING, why.value
        await self.record(entry)
        self._setpoints.release(entry.command.point, holder_of(entry.command.id))
        self._setpoints.restore(entry.command.point)

    async def _over(self, entry: Entry, verdict: Verdict) -> None:
        entry.stage = Stage.OVER
        self._active.pop(entry.command.id, None)
        if (timer := self._leases.pop(entry.command.id, None)) is not None:
            timer.cancel()
        await self.record(entry, verdict)
        self._setpoints.release(entry.command.point, holder_of(entry.command.id))

    def _wait_for_end(self, entry: Entry, ends: int) -> None:
        command_id = entry.command.id
        if (timer := self._leases.pop(command_id, None)) is not None:
            timer.cancel()
        left = max((ends - self._clock.now()) / 1000, 0)
        call_later = asyncio.get_running_loop().call_later
        self._leases[command_id] = call_later(left, self._inbox.put_nowait, command_id)

    def _others(self, entry: Entry, *stages: Stage) -> Iterator[Entry]:
        """Older commands for a value of the same point."""
        for other in list(self._active.values()):
            if other is entry:
                return
            if other.command.point == entry.command.point and other.command.value is not None and other.stage in stages:
                yield other

    # After a restart ----------------------------------------------------------------------------------------------

    async def _resume(self) -> None:
        try:
            entries = await self._journal.unfinished()
        except JournalError:
            return
        for entry in entries:
            self._active[entry.command.id] = entry
        entries.sort(key=lambda entry: entry.command.point)
        points = itertools.groupby(entries, key=lambda entry: entry.command.point)
        await asyncio.gather(*[self._resume_point(list(found)) for _, found in points])

    async def _resume_point(self, entries: list[Entry]) -> None:
        """`entries` oldest first. What a device may have been told last comes before what it was told earlier."""
        for entry in entries:
            if entry.stage is Stage.BEGUN and entry.command.value is not None:
                await self._find_out(entry, entry.command.value)
        for entry in reversed(entries):
            if entry.stage is Stage.IN_FORCE:
                await self._resume_claim(entry)
            elif entry.stage is Stage.ENDING:
                self._setpoints.restore(entry.command.point)
            elif entry.stage is Stage.BEGUN:
                self._give_back(entry)

    async def _find_out(self, entry: Entry, wanted: float) -> None:
        """Was it written? Nothing is written to find out."""
        setpoint = self._setpoints.setpoint(entry.command.point)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + FIND_OUT
        while True:
            read = await self._setpoints.read_back(entry.command.point)
            if isinstance(read, float | int) or loop.time() >= deadline:
                break
            await asyncio.sleep(_ASK_AGAIN)
        number = read if isinstance(read, float | int) else None
        if setpoint is not None and number is not None and setpoint.same(wanted, number):
            detail = "The edge restarted during the write; the device has the value."
            await self._in_force(entry, Verdict(CommandState.VERIFIED, None, detail, number))
            return
        says = "cannot be read" if number is None else "has another value"
        detail = f"The edge restarted during the write, and the device {says}."
        await self._over(entry, Verdict(CommandState.FAILED, CommandReason.INTERRUPTED, detail, number))

    async def _resume_claim(self, entry: Entry) -> None:
        await self._supersede_others(entry)  # a crash may have come before that was said
        command = entry.command
        if command.lease is not None and entry.ends is not None:
            if not 0 < entry.ends - self._clock.now() <= command.lease * 1000:
                await self._end(entry, CommandReason.LEASE_ENDED)
                return
            self._wait_for_end(entry, entry.ends)
        if command.value is not None:
            self._setpoints.resume(command.point, holder_of(command.id), COMMAND_PRIORITY, command.value)


def _follower(outcome: Outcome) -> str:
    """What is in force now, where that is not the default."""
    return outcome.detail if outcome.holder is None else f"{outcome.point} is held by {called(outcome.holder)}"
