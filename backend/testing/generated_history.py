"""Generated history goes the ordinary way: as batches on the edge's backfill stream, which the historian takes in.

The boot is derived from the edge and the range, so a batch that is sent again (the worker was killed) is refused as
a duplicate by the receipt. What is in flight is bounded: a turn fills a stream up and the next turn goes on.
"""

from __future__ import annotations

import importlib.util
import time
import uuid
from collections.abc import Iterator
from itertools import batched

import structlog
from django.db import connection, transaction
from django.db.models import F

from config.redis import client
from ems_contract import keys
from ems_contract.points import Point
from ems_contract.telemetry import Batch, Reading, encode_batch
from testing.models import GeneratedHistory

STEP_MS = 60_000
READINGS_PER_BATCH = 60
BATCH_MS = STEP_MS * READINGS_PER_BATCH
DAY_MS = 86_400_000
IN_FLIGHT_BYTES = 4_000_000
"""Of one edge, roughly."""
BATCH_BYTES = 110_000
"""Of an hour, at most about."""
CHANNEL = "generated_history"
"""A NOTIFY on it tells the worker that there is something to send."""
_NAMESPACE = uuid.UUID("0d0e6f2d-5c55-4c1f-9a7c-1f5d6f1f5b4e")

log = structlog.get_logger()


def installed() -> bool:
    """The simulator makes the data. It is a package of its own, which a production image does not carry."""
    return importlib.util.find_spec("ems_simulator") is not None


def schedule(edge_id: int, site_key: str, days: int) -> None:
    """Until now, in the caller's transaction. `days` is 1 or more."""
    end = time.time_ns() // 1_000_000 // STEP_MS * STEP_MS
    start = end - days * DAY_MS
    GeneratedHistory.objects.create(
        edge_id=edge_id, site_key=site_key, start=start, end=end, batches=-(-(end - start) // BATCH_MS)
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def send() -> None:
    """The worker's job: top the streams up. Raises redis.RedisError; then the next turn goes on from there."""
    for pk in GeneratedHistory.objects.filter(sent__lt=F("batches")).values_list("pk", flat=True):
        with transaction.atomic():
            # Locked, so that the edge is not deleted between the stream and the row.
            row = GeneratedHistory.objects.select_for_update(of=("self", "edge")).select_related("edge")
            _top_up(row.get(pk=pk))


def _top_up(row: GeneratedHistory) -> None:
    redis = client()
    stream = keys.telemetry_stream(row.edge.site_id, row.edge_id, "backfill")
    room = IN_FLIGHT_BYTES - redis.xlen(stream) * BATCH_BYTES
    for batch in batches(row):
        if room <= 0:
            break
        payload = encode_batch(batch)
        redis.xadd(stream, {keys.STREAM_FIELD: payload})
        room -= len(payload)
        row.sent = batch.seq
    row.save(update_fields=["sent"])
    if row.sent == row.batches:
        log.info("generated history is sent", edge=row.edge_id, batches=row.batches)


def batches(row: GeneratedHistory) -> Iterator[Batch]:
    """Those that are not sent yet; the same ones at every call. Needs the simulator."""
    from ems_simulator.history import readings

    boot = str(uuid.uuid5(_NAMESPACE, f"{row.edge_id}:{row.start}:{row.end}"))
    past = readings(row.site_key, row.start + row.sent * BATCH_MS, row.end, STEP_MS)
    for seq, chunk in enumerate(batched(past, READINGS_PER_BATCH), row.sent + 1):
        yield Batch(
            v=1,
            edge=keys.edge_name(row.edge_id),
            boot=boot,
            seq=seq,
            sent=chunk[-1][0],
            readings=[Reading(ts=ts, values=dict(values)) for ts, values in chunk],
        )


def points(site_key: str) -> list[Point]:
    """What the simulated site measures, as its edge would report it. Needs the simulator."""
    from ems_simulator.history import site_points
    from ems_simulator.sites import site

    return [
        Point(
            key=key,
            device=key.partition(".")[0],
            name=point.name.replace("_", " ").capitalize(),
            unit=point.unit,
            kind=point.kind,
            writable=point.writable,
        )
        for key, point in site_points(site(site_key)).items()
    ]
