"""A site's past, fast: what an edge would have read from the simulated devices, without devices.

The values are those that the registers decode to, and the counters go on seamlessly in a simulator of the same seed
that is started afterwards (see `physics.anchor`): at the same second both say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ems_simulator.codec import quantize
from ems_simulator.objects import ObjectPoint, object_map
from ems_simulator.physics import (
    AUTOMATIC,
    DEFAULT_SEED,
    State,
    anchor,
    initial_state,
    left_today,
    quarter,
    run,
    sample,
    simulate,
)
from ems_simulator.registers import READS, RegisterPoint, register_map
from ems_simulator.signals import signals
from ems_simulator.sites import Device, Site, site


def readings(
    site_key: str, start_ms: int, end_ms: int, step_ms: int = 60_000, seed: int = DEFAULT_SEED
) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield (ts in ms, {point key: value in the point's unit}) at start_ms, start_ms + step_ms, ... before end_ms.

    Every point of the site but the `reads` counters. Physics has a resolution of one second: a ts within a second
    shows that second. A history that begins before `anchor(end)` sees the meters replaced, once a quarter: their
    counters begin again at 0, as they would in the field.

    Raises ValueError for a step that is not positive, UnknownSiteError for a site that is none.
    """
    if step_ms <= 0:
        raise ValueError(f"step_ms: {step_ms} is not a step; write a positive number of ms")
    found = site(site_key)
    return _readings(found, start_ms, end_ms, step_ms, seed)


def _readings(
    found: Site, start_ms: int, end_ms: int, step_ms: int, seed: int
) -> Iterator[tuple[int, dict[str, float]]]:
    points = site_points(found)
    ts = start_ms
    newest = anchor(end_ms // 1000)
    installed = -1
    state: State | None = None
    while ts < end_ms:
        minute = ts // 60_000
        meters = newest if minute >= newest else quarter(ts // 1000)
        if state is None or meters != installed:
            installed = meters
            state = initial_state(found, installed)
        state = run(found, seed, state, minute)
        # One UTC day at a time, and never across the replacement of the meters.
        until = minute + left_today(minute)
        span = simulate(found, seed, state, until - minute)
        state = span.end
        stamps = np.arange(ts, min(until * 60_000, end_ms), step_ms, dtype=np.int64)
        shown = signals(found, seed, sample(span, stamps // 1000), AUTOMATIC)
        columns = [quantize(point, shown[key]).tolist() for key, point in points.items()]
        for stamp, *values in zip(stamps.tolist(), *columns, strict=True):
            yield stamp, dict(zip(points, values, strict=True))
        ts += step_ms * len(stamps)


def site_points(found: Site) -> dict[str, RegisterPoint | ObjectPoint]:
    """Point key -> where and how a device shows it; `reads` counters left out."""
    return {
        f"{device.key}.{name}": point
        for device in found.devices
        for name, point in device_points(device).items()
        if name != READS
    }


def device_points(device: Device) -> Mapping[str, RegisterPoint | ObjectPoint]:
    """By name, whatever the device speaks."""
    return object_map(device.profile).points if device.protocol == "bacnet" else register_map(device.profile).points
