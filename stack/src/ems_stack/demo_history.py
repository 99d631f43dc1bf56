"""Loads the demo sites' past once, and remembers that it did."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from ems_stack.history_load import IN_FLIGHT_BYTES, STEP_MS, Job, load
from ems_stack.state import write_private

if TYPE_CHECKING:
    from ems_stack.stack import Stack

DAY_MS = 86_400_000


class Range(msgspec.Struct, frozen=True):
    """What is loaded, in ms. Written before the load begins: an interrupted one goes on with the same range."""

    start: int
    end: int
    done: bool = False


def ensure(stack: Stack) -> None:
    if stack.demo is None or stack.options.history_days == 0 or not stack.options.runs("historian"):
        return
    path = stack.state.data / "demo-history.json"
    if path.exists():
        known = msgspec.json.decode(path.read_bytes(), type=Range)
    else:
        end = int(time.time() * 1000) // STEP_MS * STEP_MS
        known = Range(end - stack.options.history_days * DAY_MS, end)
    if known.done:
        return
    write_private(path, msgspec.json.encode(known))
    sites = stack.demo.sites
    jobs = [
        Job(
            site_key=site.key,
            site=site.id,
            edge=site.edge_id,
            start=known.start,
            end=known.end,
            seed=stack.options.simulator_seed,
            in_flight_bytes=IN_FLIGHT_BYTES // len(sites),
            redis_url=stack.table.redis_url("stack"),
        )
        for site in sites
    ]
    days = (known.end - known.start) // DAY_MS
    with stack.progress.step(f"{days} days of history") as step:
        readings = load(jobs, step.say)
        step.done(f"{readings:,} readings of {len(sites)} sites")
    write_private(path, msgspec.json.encode(Range(known.start, known.end, done=True)))
