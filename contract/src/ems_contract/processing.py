"""What the edge does with samples before they leave: derived points, and which samples are worth sending.

Local control sees every sample, whatever is sent.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ems_contract.points import Kind

Aggregate = Literal["mean", "minimum", "maximum", "last"]


class DerivedPoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """A point computed on the edge: `key` is a whole point key whose first word is no device's.

    `expression` is arithmetic over point keys: `grid_meter.active_power + pv_inverter.active_power`; with
    + - * / ** %, comparisons, `and or not`, `a if b else c`, min, max, abs, round, clamp. It has no value, with the
    reason, whenever one of the points it needs has none.
    """

    key: str
    name: str
    unit: str
    expression: str
    kind: Kind = Kind.GAUGE


class ReportPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which samples of the points that match `points` (keys, `*` stands for any characters) are sent.

    The first policy that matches a point counts; a point that none matches is sent with each read. A sample is sent
    when it is `deadband` (in the unit) or `deadband_percent` (of the last one sent) away from the last one sent, when
    its quality changed, and in any case `heartbeat` s after the last one. With a `window` in s, samples are first
    drawn together into one by `aggregate`; registers and states always by `last`. The window's quality is the worst.
    """

    points: list[str]
    deadband: float | None = None
    deadband_percent: float | None = None
    heartbeat: float = 300.0
    window: float | None = None
    aggregate: Aggregate = "mean"
