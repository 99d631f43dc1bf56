"""An uplink with all that it needs, and a producer whose values count from 1."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from ems_contract import keys
from ems_contract.provisioning import RedisAccess
from ems_contract.telemetry import Batch, Reading, decode_batch, encode_batch
from ems_edge.buffer import Name, NewBatch
from ems_edge.buffer_memory import MemoryBuffer
from ems_edge.clock import Clock, wall_ms
from ems_edge.image import Image
from ems_edge.uplink import Tuning, Uplink

from edge_support.redis_process import RedisProcess
from edge_support.waiting import until

LIVE, BACKFILL = (keys.telemetry_stream(1, 1, lane) for lane in keys.LANES)
KEY = "a.power"
QUICK = Tuning(look=0.1, look_in_backfill=0.05, grace=0.4, deadline=1.0)
"""The same rules, ten times as fast."""


@dataclass
class Line:
    server: RedisProcess
    buffer: MemoryBuffer
    image: Image
    clock: Clock
    uplink: Uplink
    boot: str
    asked: list[str] = field(default_factory=list)
    seq: int = 0

    async def make(self, count: int = 1, size: int = 0) -> None:
        for _ in range(count):
            self.seq += 1
            name = Name(self.boot, self.seq)
            values: dict[str, float | None] = {KEY: float(self.seq)}
            values |= {f"a.filler_{number}": 0.0 for number in range(size // 20)}
            reading = Reading(wall_ms(), values)
            payload = encode_batch(Batch(1, "edge_1", *name, wall_ms(), [reading]))
            await self.buffer.append(NewBatch(name, payload, reading.ts, reading.ts))
            self.image.update(self.seq, [("a", reading)])
            self.uplink.offer(name, payload)

    async def online(self) -> None:
        await until(lambda: self.uplink.online, "a connection", 15)

    async def offline(self) -> None:
        await until(lambda: not self.uplink.online, "the loss to be noticed", 15)

    async def left(self, count: int, seconds: float = 15.0) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while (stats := await self.buffer.stats()).batches != count:
            assert asyncio.get_running_loop().time() < deadline, f"{stats.batches} left, not {count}"
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def lined(
    server: RedisProcess, access: RedisAccess | None = None, tuning: Tuning = QUICK, buffer: Any = None
) -> AsyncIterator[Line]:
    buffer = buffer or MemoryBuffer(50_000_000)
    boot, clock, asked = str(uuid.uuid4()), Clock(), list[str]()
    image = Image("edge_1", boot)
    uplink = Uplink(
        1,
        1,
        buffer,
        clock,
        image,
        access or server.edge_user(),
        refused=lambda: asked.append("session"),
        config_changed=lambda: asked.append("config"),
        tuning=tuning,
    )
    task = asyncio.create_task(uplink.run())
    try:
        yield Line(server, buffer, image, clock, uplink, boot, asked)
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


def entries(server: RedisProcess, stream: str) -> list[int]:
    return [decode_batch(fields[b"batch"]).seq for _, fields in server.admin.xrange(stream)]


def latest(server: RedisProcess) -> Batch:
    text = server.admin.hget(keys.telemetry_latest(1), "edge_1")
    assert isinstance(text, bytes)
    return decode_batch(text, edge="edge_1")
