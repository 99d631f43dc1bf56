"""What the edge tells the backend besides samples: steps of commands, what rules did, configurations it took.

Delivery: at least once, in order; an event survives restarts of the edge and of Redis. The backend takes events out of
the stream once they are recorded, and never the stream itself, so the stream's last id tells what Redis still knows: a
Redis that was wiped, or came back without its last second, knows less than it once took, and is told that part again
(after what is new, where it was wiped at that very moment). Of events that nobody takes the newest 20,000 are kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from typing import Protocol

import msgspec
import structlog
from ems_contract.edge_events import EdgeEvent

from ems_edge.command_file import JournalError
from ems_edge.events_journal import EventJournal
from ems_edge.redis_door import RedisDoor
from ems_edge.window import StreamId

log = structlog.get_logger()

CHUNK = 64
MOST_IN_STREAM = 10_000
"""Beyond it nothing is added: the backend is away, and Redis' memory is not ours to fill."""
CHECK_EVERY = 10.0
FULL_PAUSE = 1.0
_MOST_UNKEPT = 1_000


class Teller(Protocol):
    def tell(self, event: EdgeEvent) -> None:
        """Never blocks. Kept on the disk, and told at least once, in order, over restarts and losses of Redis."""


class Events:
    """`run` for the edge's whole life, `send` for each connection to Redis."""

    def __init__(self, journal: EventJournal, check_every: float = CHECK_EVERY) -> None:
        self._journal = journal
        self._check_every = check_every
        self._queue: list[bytes] = []
        self._queued = asyncio.Event()
        self._kept = asyncio.Event()
        self._idle = asyncio.Event()
        self._closing = False
        self._sent = 0
        """The number of the newest event that was sent, in order."""
        self._unkept: deque[bytes] = deque(maxlen=_MOST_UNKEPT)
        """For a disk that takes nothing: these are sent all the same, if the edge lives on."""

    def tell(self, event: EdgeEvent) -> None:
        self._queue.append(msgspec.json.encode(event))
        self._idle.clear()
        self._queued.set()

    def kept(self) -> None:
        """Something else has put an event into the journal."""
        self._idle.clear()
        self._kept.set()

    def close(self) -> None:
        """`run` ends when all that was told is kept."""
        self._closing = True
        self._queued.set()

    async def run(self) -> None:
        while not (self._closing and not self._queue):
            await self._queued.wait()
            self._queued.clear()
            payloads, self._queue = self._queue, []
            if not payloads:
                continue
            try:
                await self._journal.keep(payloads)
            except JournalError:
                self._unkept.extend(payloads)
            self._kept.set()

    async def flush(self, deadline: float) -> None:
        """Wait until everything is sent, `deadline` s at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                await self._idle.wait()

    async def send(self, redis: RedisDoor) -> None:
        """Until cancelled. Raises what RedisDoor does."""
        while True:
            self._kept.clear()
            try:
                pause = await self._send_all(redis)
            except JournalError:
                pause = FULL_PAUSE
            if pause is not None:
                await asyncio.sleep(pause)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._check_every):
                    await self._kept.wait()

    async def _send_all(self, redis: RedisDoor) -> float | None:
        """None when everything was sent; else for how many s Redis is to be left alone."""
        while True:
            known, length = await redis.events_stream()
            await self._compare(known)
            events = await self._journal.unsent(self._sent, CHUNK)
            unkept = list(itertools.islice(self._unkept, CHUNK))
            if not events and not unkept:
                if not self._queue:
                    self._idle.set()
                return None
            if length >= MOST_IN_STREAM:
                return FULL_PAUSE
            known, ids = await redis.tell([*(event.payload for event in events), *unkept])
            lost = await self._compare(known)  # it may have been wiped since it was asked
            taken = list(itertools.takewhile(lambda at: at is not None, ids))
            for _ in taken[len(events) :]:
                self._unkept.popleft()
            marks = [(event.number, at) for event, at in zip(events, taken, strict=False) if at is not None]
            if marks:
                self._sent = 0 if lost else marks[-1][0]
                with contextlib.suppress(JournalError):  # then it is said again after a restart
                    await self._journal.mark_sent(marks)
            if len(taken) < len(ids):
                return FULL_PAUSE

    async def _compare(self, known: StreamId) -> bool:
        """Whether Redis knows less than it once took; then that is to be told again."""
        if known >= self._journal.newest:
            return False
        self._sent = 0
        lost = await self._journal.mark_lost(after=known)
        log.warning("redis lost events, telling them again", events=lost)
        return True
