"""What a whole edge's tests hold it against: the reads that its devices answered, and what history has of them."""

from __future__ import annotations

import asyncio
import time

from ems_contract.provisioning import Device
from ems_contract.telemetry import GAP_EDGE_DOWN

from edge_support.devices import Endpoint
from edge_support.edge_process import EdgeProcess
from edge_support.historian import Historian

READS = "grid_meter.reads"


async def until_ready(edge: EdgeProcess) -> None:
    deadline = time.monotonic() + 20
    while (state := await edge.ready()).get("status") != "ready":
        assert edge.running, edge.log.decode()
        assert time.monotonic() < deadline, (state, edge.log.decode())
        await asyncio.sleep(0.02)


async def ingesting(historian: Historian, done: asyncio.Event) -> None:
    while not done.is_set():
        historian.ingest()
        await asyncio.sleep(0.05)
    historian.ingest()


def check_ledger(devices: Endpoint, historian: Historian, lives: int) -> None:
    """Every answered read is in history once, but for those in progress at a kill."""
    counted = [one.counter for one in devices.answered if one.unit == 1]
    stored = historian.values(READS)
    assert len(stored) == len(set(stored)), "a read is in history twice"
    assert set(stored) <= set(counted)
    missing = sorted(set(counted) - set(stored), key=lambda one: one or 0)
    assert len(missing) <= lives, f"lost {missing}"
    gaps = [gap for batch in historian.batches.values() for gap in batch.gaps or ()]
    committing = {name.boot for name in historian.batches}  # a life may be killed before its first commit
    assert [gap.reason for gap in gaps].count(GAP_EDGE_DOWN) == len(committing) - 1
    ordered = [
        reading.ts
        for name in sorted(historian.batches, key=lambda name: historian.batches[name].readings[0].ts)
        for reading in historian.batches[name].readings
    ]
    assert ordered == sorted(set(ordered)), "a ts was issued twice or went back"


def all_in(devices: Endpoint, historian: Historian, lives: int) -> bool:
    return len(devices.answered) - len(historian.values(READS)) <= lives


def a_meter(devices: Endpoint, key: str = "grid_meter", unit: int = 1, profile: str = "stl_meter") -> Device:
    return Device(key, key, "modbus", profile, {"host": "127.0.0.1", "port": devices.port, "unit": unit})
