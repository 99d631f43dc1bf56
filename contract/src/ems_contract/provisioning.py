"""How an edge gets its configuration: `POST /api/edge/session` with an API key, then `PUT /api/edge/points`.

The same `EdgeConfig` as a local YAML file serves an edge without a backend.
"""

from __future__ import annotations

import msgspec

from ems_contract.control import ControlRule
from ems_contract.points import Point
from ems_contract.processing import DerivedPoint, ReportPolicy


class Device(msgspec.Struct, frozen=True, omit_defaults=True):
    """An addressable protocol endpoint.

    `key` is the first word of its points' keys, `profile` names a register map, `connection` is the driver's own
    (Modbus TCP: host, port, unit, timeout in s) and may hold a password. `poll_interval` in s overrides the edge's.
    """

    key: str
    name: str
    driver: str
    profile: str
    connection: dict[str, str | int | float | bool]
    poll_interval: float | None = None

    def __repr__(self) -> str:
        return f"Device(key={self.key!r}, driver={self.driver!r}, profile={self.profile!r})"


class SetpointLimits(msgspec.Struct, frozen=True, omit_defaults=True):
    """What people decided for a writable point, in its unit; None: what its profile says."""

    point: str
    minimum: float | None = None
    maximum: float | None = None
    default: float | None = None


class EdgeConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an edge needs to run. `revision` changes whenever anything in it does; `poll_interval` in s."""

    revision: str
    devices: list[Device]
    poll_interval: float = 5.0
    setpoints: list[SetpointLimits] = []
    derived: list[DerivedPoint] = []
    reporting: list[ReportPolicy] = []
    rules: list[ControlRule] = []


class RedisAccess(msgspec.Struct, frozen=True):
    """Where and as whom this edge publishes. `url` carries no credentials."""

    url: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"RedisAccess(url={self.url!r}, username={self.username!r}, password='[redacted]')"


class SessionRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """`boot` as in the edge's batches; `software` is name and version, for the operator."""

    boot: str
    software: str


class SessionAnswer(msgspec.Struct, frozen=True):
    """`site` and `edge` as named on the wire (`site_7`, `edge_3`); `timezone` is IANA."""

    edge: str
    edge_name: str
    site: str
    site_name: str
    timezone: str
    redis: RedisAccess
    config: EdgeConfig


class PointsReport(msgspec.Struct, frozen=True):
    """All points that the edge's devices and profiles define; Django upserts them and never reuses an id."""

    points: list[Point]
