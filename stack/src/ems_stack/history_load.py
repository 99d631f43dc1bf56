"""The demo sites' past, sent the way an edge would send it: batches on the edge's backfill stream.

So it takes the same path as every other sample (receipt, batch, compaction). The boot is derived from the edge and the
range, so a second load of the same range is refused as duplicate by the receipt. What is in flight is bounded.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import batched
from multiprocessing import get_context

import redis
from ems_contract import keys
from ems_contract.receipts import Ranges, covers, parse_receipts
from ems_contract.telemetry import Batch, Reading, encode_batch

STEP_MS = 60_000
READINGS_PER_BATCH = 60
IN_FLIGHT_BYTES = 32_000_000
WORKERS = 2
STALLED_SECONDS = 60
_NAMESPACE = uuid.UUID("6f1f5b4e-0f0e-5c55-9d0e-6f2d0a7c1f5d")


class HistoryLoadError(RuntimeError):
    """History does not take what was sent; the message says where it stands."""


@dataclass(frozen=True)
class Job:
    """The past of one site: from `start` (included) to `end` (excluded), in ms."""

    site_key: str
    site: int
    edge: int
    start: int
    end: int
    seed: int
    in_flight_bytes: int
    redis_url: str = field(repr=False)

    @property
    def boot(self) -> str:
        return str(
            uuid.uuid5(_NAMESPACE, f"{self.site_key}:{self.site}:{self.edge}:{self.start}:{self.end}:{self.seed}")
        )

    @property
    def batches(self) -> int:
        readings = -(-(self.end - self.start) // STEP_MS)
        return -(-readings // READINGS_PER_BATCH)

    @property
    def stream(self) -> str:
        return keys.telemetry_stream(self.site, self.edge, "backfill")


def load(jobs: Sequence[Job], say: Callable[[str], None] = lambda _: None) -> int:
    """Send everything and return when history has committed all of it. Returns the number of readings.

    Raises HistoryLoadError when nothing is committed for STALLED_SECONDS.
    """
    if not jobs:
        return 0
    total = sum(job.batches for job in jobs)
    client = redis.Redis.from_url(jobs[0].redis_url)
    # Spawned, not forked: this process has threads.
    with client, ProcessPoolExecutor(min(WORKERS, len(jobs)), mp_context=get_context("spawn")) as pool:
        work = [pool.submit(send, job) for job in jobs]
        committed, moved = -1, time.monotonic()
        while committed < total or not all(one.done() for one in work):
            for one in work:
                if one.done():
                    one.result()  # a failure ends the wait
            now_committed = sum(_count(_done(client, job)) for job in jobs)
            if now_committed != committed:
                committed, moved = now_committed, time.monotonic()
                say(f"{committed * 100 // total} %")
            elif time.monotonic() - moved > STALLED_SECONDS:
                raise HistoryLoadError(
                    f"history committed {committed} of {total} batches and then nothing for {STALLED_SECONDS} s; "
                    "the historian's log says why"
                )
            time.sleep(0.2)
    return sum(-(-(job.end - job.start) // STEP_MS) for job in jobs)


def send(job: Job) -> None:
    """Put every batch of a job that is not committed on the stream. Runs in a process of its own."""
    with redis.Redis.from_url(job.redis_url) as client:
        for _ in range(3):
            done = _done(client, job)
            if _count(done) >= job.batches:
                return
            _send_missing(client, job, done)
            while client.xlen(job.stream):
                time.sleep(0.1)
        # The stream is empty before the receipt is written: one last look belongs to `load`.


def _send_missing(client: redis.Redis, job: Job, done: Ranges) -> None:
    sent = sent_bytes = 0
    for batch in batches(job):
        if covers(done, batch.seq):
            continue
        payload = encode_batch(batch)
        sent += 1
        sent_bytes += len(payload)
        while client.xlen(job.stream) * (sent_bytes / sent) > job.in_flight_bytes:
            time.sleep(0.02)
        client.xadd(job.stream, {keys.STREAM_FIELD: payload})


def batches(job: Job) -> Iterator[Batch]:
    """The job's batches, seq 1, 2, ...; the same ones at every call."""
    from ems_simulator.history import readings

    edge = keys.edge_name(job.edge)
    past = readings(job.site_key, job.start, job.end, STEP_MS, job.seed)
    for seq, chunk in enumerate(batched(past, READINGS_PER_BATCH), 1):
        yield Batch(
            v=1,
            edge=edge,
            boot=job.boot,
            seq=seq,
            sent=chunk[-1][0],
            readings=[Reading(ts=ts, values=dict(values)) for ts, values in chunk],
        )


def _done(client: redis.Redis, job: Job) -> Ranges:
    acked = client.get(keys.telemetry_acked(job.site, job.edge))
    return parse_receipts(acked.decode()).get(job.boot, []) if isinstance(acked, bytes) else []


def _count(ranges: Ranges) -> int:
    return sum(last - first + 1 for first, last in ranges)
