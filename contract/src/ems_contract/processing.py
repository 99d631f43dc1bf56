"""What the edge does with samples before they leave: derived points, and which samples are worth sending.

Local control sees every sample, whatever is sent.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ems_contract.points import Kind

Aggregate = Literal["mean", "minimum", "maximum", "last"]


class DerivedPoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """A point computed on the edge: `key` is a whole point key whose first word is no device's and no rule's.

    `expression` is arithmetic over point keys: `grid_meter.active_power + pv_inverter.active_power`; with
    + - * / ** %, comparisons, `and or not`, `a if b else c`, min, max, abs, round, clamp. It has no value, with the
    reason, whenever one of the points it needs has none; division by 0 is `no_value`, a result too large to be a
    number `out_of_range`. Nothing is converted: the unit is what the author says that the result is in.
    """

    key: str
    name: str
    unit: str
    expression: str
    kind: Kind = Kind.GAUGE


class ReportPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which samples of the points that match `points` (keys, `*` stands for any characters) are sent.

    The first policy that matches a point counts; a point that none matches is sent with each read. A sample is sent
    when it is `deadband` (in the unit) or `deadband_percent` (of the last one sent) away from the last one sent, the
    wider of the two where both are given, any change where neither is; when its quality changed; and in any case once
    in every `heartbeat` s of the clock. A state is sent when it changes, whatever the deadband.

    With a `window` in s, aligned on the clock, samples are first drawn together into one at the window's end by
    `aggregate`, the mean weighted by time; registers and states always by `last`. A window in which some samples have
    no value is uncertain with their reason, one in which none has a value is bad.

    History holds a value for 15 min, its finest averages are of a minute: hence a heartbeat of at most 600 s, and 60 s
    where nobody says otherwise.
    """

    points: list[str]
    deadband: float | None = None
    deadband_percent: float | None = None
    heartbeat: float = 60.0
    window: float | None = None
    aggregate: Aggregate = "mean"
