"""Answers become batches: time, seq, quality, gaps, the image, and never one too large."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec
from edge_support.waiting import until
from ems_contract.points import Reason
from ems_contract.telemetry import (
    GAP_BUFFER_FULL,
    GAP_EDGE_DOWN,
    MAX_BATCH_BYTES,
    MAX_READINGS,
    Batch,
    Gap,
    decode_batch,
)
from ems_edge.buffer import BufferFullError, Name, NewBatch
from ems_edge.buffer_memory import MemoryBuffer
from ems_edge.clock import Clock
from ems_edge.decode import Value
from ems_edge.image import Image
from ems_edge.poller import Answer
from ems_edge.recorder import Recorder

NOON = 1_790_000_000_000
BOOT = str(uuid.uuid4())


@dataclass
class Outlet:
    batches: list[Batch] = field(default_factory=list)

    def offer(self, name: Name, payload: bytes) -> None:
        batch = decode_batch(payload, edge="edge_1")
        assert (batch.boot, batch.seq) == name
        assert len(payload) <= MAX_BATCH_BYTES
        self.batches.append(batch)


class Stubborn(MemoryBuffer):
    """A disk that is full, or slow, for a while."""

    full = False
    hold: asyncio.Event | None = None

    async def append(self, batch: NewBatch) -> None:
        if self.hold is not None:
            await self.hold.wait()
        if self.full:
            await self.note_gap(Gap(batch.first, batch.last, GAP_BUFFER_FULL, *batch.name, batch.name.seq))
            raise BufferFullError("no space left on device")
        await super().append(batch)


@dataclass
class Line:
    buffer: Stubborn
    clock: Clock
    image: Image
    outlet: Outlet
    recorder: Recorder

    async def batches(self, count: int) -> list[Batch]:
        return await until(
            lambda: self.outlet.batches[:count] * (len(self.outlet.batches) >= count), f"{count} batches"
        )


@contextlib.asynccontextmanager
async def recording(last_ts: int | None = None) -> AsyncIterator[Line]:
    buffer, clock, image, outlet = Stubborn(50_000_000), Clock(last_ts), Image("edge_1", BOOT), Outlet()
    recorder = Recorder("edge_1", BOOT, buffer, clock, image, outlet, last_ts)
    task = asyncio.create_task(recorder.run())
    try:
        yield Line(buffer, clock, image, outlet, recorder)
    finally:
        recorder.close()
        await task


def answer(device: str, wanted: int, **values: Value) -> Answer:
    return Answer(device, wanted, {f"{device}.{name}": value for name, value in values.items()})


async def test_what_was_read_together_is_one_reading_of_one_batch() -> None:
    async with recording() as line:
        line.recorder.add([answer("a", NOON, power=1.0), answer("b", NOON, power=2.0, state=Reason.TIMEOUT)])
        (batch,) = await line.batches(1)
    assert (batch.v, batch.edge, batch.boot, batch.seq, batch.gaps) == (1, "edge_1", BOOT, 1, None)
    (reading,) = batch.readings
    assert reading.ts == NOON
    assert reading.values == {"a.power": 1.0, "b.power": 2.0, "b.state": None}
    assert reading.quality == {"b.state": "timeout"}


async def test_a_straggler_has_its_own_ts_and_times_only_grow() -> None:
    async with recording() as line:
        line.recorder.add([answer("slow", NOON + 300, power=1.0), answer("a", NOON, power=2.0)])
        await line.batches(1)
        line.recorder.add([answer("a", NOON + 100, power=3.0)])
        first, second = await line.batches(2)
    assert [reading.ts for reading in first.readings] == [NOON, NOON + 300]
    assert [reading.ts for reading in second.readings] == [NOON + 301]
    assert (first.seq, second.seq) == (1, 2)


async def test_a_clock_that_is_wrong_makes_good_values_uncertain_and_leaves_bad_ones_bad() -> None:
    async with recording() as line:
        wall = line.clock.now()
        line.clock.measure(wall + 3_600_000, wall, wall)
        line.recorder.add([answer("a", NOON, power=1.0, state=Reason.TIMEOUT)])
        (batch,) = await line.batches(1)
    assert batch.readings[0].values == {"a.power": 1.0, "a.state": None}
    assert batch.readings[0].quality == {"a.power": "unsynchronised_clock", "a.state": "timeout"}


async def test_a_sample_from_the_future_is_flagged_and_never_the_latest() -> None:
    async with recording() as line:
        line.recorder.add([answer("a", NOON, power=1.0)])
        await line.batches(1)
        wall = line.clock.now()
        line.clock.measure(wall - 86_400_000, wall, wall)
        line.recorder.add([answer("a", NOON + 86_400_000, power=2.0)])
        _, second = await line.batches(2)
        assert second.readings[0].quality == {"a.power": "future"}
        image = line.image.encode()
    assert image is not None
    latest = decode_batch(image)
    assert latest.readings[0].values == {"a.power": 1.0}
    assert latest.seq == 2


async def test_the_first_batch_after_an_earlier_life_says_how_long_the_edge_was_down() -> None:
    async with recording(last_ts=NOON - 60_000) as line:
        line.recorder.add([answer("a", NOON, power=1.0)])
        await line.batches(1)
        line.recorder.add([answer("a", NOON + 1000, power=1.0)])
        first, second = await line.batches(2)
    assert first.gaps == [Gap(NOON - 60_000, NOON, GAP_EDGE_DOWN)]
    assert second.gaps is None


async def test_a_batch_that_could_not_be_stored_is_a_gap_in_the_next_and_the_outage_is_still_told() -> None:
    async with recording(last_ts=NOON - 60_000) as line:
        line.buffer.full = True
        line.recorder.add([answer("a", NOON, power=1.0)])
        await until(lambda: line.recorder.problem, "the failure")
        assert line.image.encode() is None
        line.buffer.full = False
        line.recorder.add([answer("a", NOON + 1000, power=2.0)])
        (batch,) = await line.batches(1)
        assert not line.recorder.problem
    assert batch.seq == 2
    assert batch.gaps == [
        Gap(NOON - 60_000, NOON + 1000, GAP_EDGE_DOWN),
        Gap(NOON, NOON, GAP_BUFFER_FULL, BOOT, 1, 1),
    ]


async def test_a_slow_disk_makes_fewer_batches_and_loses_nothing() -> None:
    async with recording() as line:
        line.buffer.hold = asyncio.Event()
        for second in range(50):
            line.recorder.add([answer("a", NOON + second * 1000, power=float(second))])
            await asyncio.sleep(0)
        line.buffer.hold.set()
        first, second_batch = await line.batches(2)
    values = [reading.values["a.power"] for batch in (first, second_batch) for reading in batch.readings]
    assert values == [float(second) for second in range(50)]


async def test_a_million_points_are_split_into_batches_that_are_accepted() -> None:
    points = 40_000
    wide = Answer("wide", NOON, {f"wide.point_number_{number}": float(number) for number in range(points)})
    async with recording() as line:
        line.recorder.add([wide, answer("a", NOON, power=1.0)])
        await until(lambda: sum(len(r.values) for b in line.outlet.batches for r in b.readings) == points + 1, "all")
        image = line.image.encode()
    assert len(line.outlet.batches) > 3
    assert {reading.ts for batch in line.outlet.batches for reading in batch.readings} == {NOON}
    assert image is not None
    assert sum(len(reading.values) for reading in decode_batch_of_any_size(image).readings) == points + 1


def decode_batch_of_any_size(payload: bytes) -> Batch:
    return msgspec.json.decode(payload, type=Batch)


async def test_no_batch_has_more_readings_than_are_accepted() -> None:
    async with recording() as line:
        line.recorder.add([answer("a", NOON + number, power=1.0) for number in range(9_000)])
        await until(lambda: sum(len(batch.readings) for batch in line.outlet.batches) == 9_000, "all readings")
    assert max(len(batch.readings) for batch in line.outlet.batches) <= MAX_READINGS


async def test_when_the_disk_does_not_answer_the_oldest_answers_are_a_gap() -> None:
    async with recording() as line:
        line.buffer.hold = asyncio.Event()
        line.recorder.add([answer("a", NOON, power=0.0)])
        await asyncio.sleep(0)
        line.recorder.add([answer("a", NOON + number, power=1.0) for number in range(1, 10_011)])
        line.buffer.hold.set()
        await until(lambda: sum(len(batch.readings) for batch in line.outlet.batches) == 10_001, "the newest")
    gaps = [gap for batch in line.outlet.batches for gap in batch.gaps or ()]
    assert gaps == [Gap(NOON + 1, NOON + 10, GAP_BUFFER_FULL)]


async def test_the_image_forgets_devices_that_are_no_more() -> None:
    async with recording() as line:
        line.recorder.add([answer("a", NOON, power=1.0), answer("b", NOON, power=2.0)])
        await line.batches(1)
        line.image.keep_only(["b"])
        image = line.image.encode()
    assert image is not None
    assert decode_batch(image).readings[0].values == {"b.power": 2.0}
