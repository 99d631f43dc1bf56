"""Alert events, published on `alerts:site_7` and forwarded to every viewer of the site. Times in ms."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlertState(StrEnum):
    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


class AlertEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change of one alert. `id` is the alert's, the same in all its events."""

    v: int
    id: str
    state: AlertState
    severity: Severity
    ts: int
    rule: str
    message: str
    point: str | None = None
    value: float | None = None
    by: str | None = None
