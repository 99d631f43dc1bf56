"""Loads the demo sites' past once, and remembers that it did."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from ems_stack.demo import DemoSite
from ems_stack.history_load import IN_FLIGHT_BYTES, STEP_MS, Job, load
from ems_stack.progress import Progress
from ems_stack.services import Table
from ems_stack.state import write_private

DAY_MS = 86_400_000


class Range(msgspec.Struct, frozen=True):
    """What is loaded, in ms. Written before the load begins: an interrupted one goes on with the same range."""

    start: int
    end: int
    done: bool = False


def ensure(sites: Sequence[DemoSite], table: Table, progress: Progress) -> None:
    """Does nothing when it was done before, or when the options ask for no history."""
    options = table.options
    if options.history_days == 0 or not options.runs("historian"):
        return
    path = table.state.data / "demo-history.json"
    if path.exists():
        known = msgspec.json.decode(path.read_bytes(), type=Range)
    else:
        end = int(time.time() * 1000) // STEP_MS * STEP_MS
        known = Range(end - options.history_days * DAY_MS, end)
    if known.done:
        return
    write_private(path, msgspec.json.encode(known))
    jobs = [
        Job(
            site_key=site.key,
            site=site.id,
            edge=site.edge_id,
            start=known.start,
            end=known.end,
            seed=options.simulator_seed,
            in_flight_bytes=IN_FLIGHT_BYTES // len(sites),
            redis_url=table.redis_url("stack"),
        )
        for site in sites
    ]
    days = (known.end - known.start) // DAY_MS
    with progress.step(f"{days} days of history") as step:
        readings = load(jobs, step.say)
        step.done(f"{readings:,} readings of {len(sites)} sites")
    write_private(path, msgspec.json.encode(Range(known.start, known.end, done=True)))
