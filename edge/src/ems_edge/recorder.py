"""Makes batches of what the poller read: time, seq, one commit to the buffer, then to the uplink.

One task, so that order by seq is order in the store. While a commit is under way the next answers gather, so a slow
disk makes fewer and larger batches and never holds up a poll.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

import msgspec
import structlog
from ems_contract.points import Reason
from ems_contract.telemetry import (
    GAP_BUFFER_FULL,
    GAP_EDGE_DOWN,
    MAX_BATCH_BYTES,
    MAX_READINGS,
    Batch,
    Gap,
    Reading,
    encode_batch,
)

from ems_edge.buffer import Buffer, BufferFullError, Name, NewBatch
from ems_edge.clock import Clock
from ems_edge.image import Image, merge
from ems_edge.poller import Answer

log = structlog.get_logger()

MAX_WAITING = 10_000
"""Answers that wait for a disk that does not answer; beyond it the oldest are lost, and a gap says so."""
MAX_GAPS = 100
"""Gaps in one batch; the others wait for the next."""
_TARGET_BYTES = MAX_BATCH_BYTES // 2
_VALUE_BYTES = 60
"""A value, its quality and the punctuation around it are never longer, the key (twice) apart."""


class Outlet(Protocol):
    """Where a committed batch goes."""

    def offer(self, name: Name, payload: bytes) -> None:
        """Must not block. The batch is lent to the outlet, which gives it back where it does not publish it."""


class Recorder:
    """`down_since` is the last ts of an earlier life: the first batch reports the time from then on as a gap."""

    def __init__(
        self,
        edge: str,
        boot: str,
        buffer: Buffer,
        clock: Clock,
        image: Image,
        outlet: Outlet,
        down_since: int | None,
    ) -> None:
        self._edge = edge
        self._boot = boot
        self._buffer = buffer
        self._clock = clock
        self._image = image
        self._outlet = outlet
        self._down_since = down_since
        self._waiting: list[Answer] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._seq = 0
        self.problem = ""
        """Why the last batch could not be stored, for /readyz."""

    def add(self, answers: list[Answer]) -> None:
        self._waiting += answers
        self._wake.set()

    def close(self) -> None:
        """`run` ends when what was added is committed."""
        self._closing = True
        self._wake.set()

    async def run(self) -> None:
        while not (self._closing and not self._waiting):
            await self._wake.wait()
            self._wake.clear()
            answers, self._waiting = self._waiting, []
            if len(answers) > MAX_WAITING:
                answers = await self._give_up(answers)
            for part in _parts(self._stamped(answers)):
                await self._record(part)

    async def _give_up(self, answers: list[Answer]) -> list[Answer]:
        lost, kept = answers[:-MAX_WAITING], answers[-MAX_WAITING:]
        log.error("answers lost, the store is too slow", answers=len(lost))
        await self._buffer.note_gap(Gap(lost[0].wanted, max(lost[-1].wanted, lost[0].wanted), GAP_BUFFER_FULL))
        return kept

    def _stamped(self, answers: list[Answer]) -> list[tuple[str, Reading]]:
        """A reading for each device; those who want the same time share it."""
        issued: dict[int, tuple[int, Reason | None]] = {}
        for wanted in sorted({answer.wanted for answer in answers}):
            issued[wanted] = self._clock.issue(wanted)
        return [(answer.device, _reading(answer, *issued[answer.wanted])) for answer in answers]

    async def _record(self, part: list[tuple[str, Reading]]) -> None:
        readings = merge(reading for _, reading in part)
        first, last = readings[0].ts, readings[-1].ts
        gaps = self._buffer.gaps()[:MAX_GAPS]
        if self._down_since is not None:
            gaps.insert(0, Gap(self._down_since, max(first, self._down_since), GAP_EDGE_DOWN))
        self._seq += 1
        name = Name(self._boot, self._seq)
        payload = encode_batch(Batch(1, self._edge, *name, self._clock.now(), readings, gaps or None))
        try:
            await self._buffer.append(NewBatch(name, payload, first, last, tuple(gaps), self._clock.last))
        except BufferFullError as error:
            log.error("a batch is lost, the store takes no more", seq=name.seq, problem=str(error))
            self.problem = str(error)
            return
        self.problem = ""
        self._down_since = None
        self._image.update(name.seq, part)
        self._outlet.offer(name, payload)


def _reading(answer: Answer, ts: int, doubt: Reason | None) -> Reading:
    values: dict[str, float | None] = {}
    quality: dict[str, str] = {}
    for key, value in answer.values.items():
        if isinstance(value, Reason):
            values[key], quality[key] = None, value.value
        else:
            values[key] = value
            if (why := doubt or answer.doubts.get(key)) is not None:
                quality[key] = why.value
    return Reading(ts, values, quality or None)


def _parts(stamped: list[tuple[str, Reading]]) -> Iterable[list[tuple[str, Reading]]]:
    """Split so that no batch comes near the largest that is accepted."""
    part: list[tuple[str, Reading]] = []
    size = 0
    for device, reading in stamped:
        estimate = sum(2 * len(key) + _VALUE_BYTES for key in reading.values)
        for piece, weight in _pieces(reading, estimate):
            if part and (size + weight > _TARGET_BYTES or len(part) >= MAX_READINGS):
                yield part
                part, size = [], 0
            part.append((device, piece))
            size += weight
    if part:
        yield part


def _pieces(reading: Reading, estimate: int) -> Iterable[tuple[Reading, int]]:
    """One device may have more points than fit in a batch; its pieces keep its ts."""
    if estimate <= _TARGET_BYTES:
        yield reading, estimate
        return
    count = -(-estimate // _TARGET_BYTES)
    keys = list(reading.values)
    for number in range(count):
        chosen = keys[number::count]
        quality = {key: reading.quality[key] for key in chosen if reading.quality and key in reading.quality}
        yield (
            msgspec.structs.replace(
                reading, values={key: reading.values[key] for key in chosen}, quality=quality or None
            ),
            estimate // count,
        )
