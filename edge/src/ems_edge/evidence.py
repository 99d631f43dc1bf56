"""Compares what is in flight with what the streams hold and with what history lists. The rule is in `window.py`."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
import structlog
from ems_contract.keys import LANES, Lane
from ems_contract.receipts import parse_receipts
from ems_contract.telemetry import Envelope

from ems_edge.buffer import Buffer, BufferFullError, Name
from ems_edge.redis_door import RedisDoor
from ems_edge.window import StreamId, Window

log = structlog.get_logger()

_envelope = msgspec.json.Decoder(Envelope)


class Evidence:
    """For one connection. `give_back` takes the names of what must be sent again, `freed` is told of settled ones."""

    def __init__(
        self,
        redis: RedisDoor,
        buffer: Buffer,
        window: Window,
        give_back: Callable[[list[Name]], None],
        freed: Callable[[], None],
    ) -> None:
        self._redis = redis
        self._buffer = buffer
        self._window = window
        self._give_back = give_back
        self._freed = freed
        self._settled: str | None = None

    async def look(self) -> None:
        """Settle what is listed, and send again what is nowhere."""
        # The streams first: what is trimmed after this look is listed in a receipt that is newer than it.
        heads = await self._redis.heads() if self._window.overdue(time.monotonic()) else None
        await self.settle()
        if heads is not None and (lost := self._window.judge(heads, time.monotonic())):
            log.warning("redis lost batches, sending them again", batches=len(lost))
            self._give_back(lost)

    async def settle(self) -> None:
        """Delete from the buffer what the receipt lists. One that cannot be read deletes nothing."""
        text = await self._redis.receipts()
        if text == self._settled:
            return
        try:
            receipts = parse_receipts(text)
        except ValueError as error:
            log.error("the receipt cannot be read, keeping everything", problem=str(error))
            self._settled = text
            return
        if self._window.settle(receipts):
            self._freed()
        try:
            await self._buffer.settle(receipts)
        except BufferFullError as error:
            log.error("cannot delete what history has, trying again", problem=str(error))
        else:
            self._settled = text

    async def survey(self) -> None:
        """Read both streams from end to end: after a restart of either side, memory says nothing about them."""
        started = time.monotonic()
        entries: dict[Name, tuple[Lane, StreamId]] = {}
        sizes: dict[Name, int] = {}
        for lane in LANES:
            async for at, payload in self._redis.walk(lane):
                try:
                    head = _envelope.decode(payload)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    continue  # not ours to judge; the historian sets it aside
                name = Name(head.boot, head.seq)
                entries[name], sizes[name] = (lane, at), len(payload)
        self._window.surveyed(entries, started)
        for name in await self._buffer.claim([name for name in entries if name not in self._window]):
            lane, at = entries[name]
            self._window.put(name, sizes[name], lane, at, started)
        log.info("streams surveyed", entries=len(entries), in_flight=len(self._window))
