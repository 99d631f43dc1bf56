"""The configuration of an edge, checked whole before anything of it is started.

It is the contract's EdgeConfig, whether the backend's session, the cache or a standalone bootstrap file gives it.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec
from ems_contract import keys
from ems_contract.points import MAX_KEY_LENGTH, Point, is_point_key
from ems_contract.provisioning import EdgeConfig, SessionAnswer
from ems_contract.telemetry import MAX_BATCH_BYTES

from ems_edge.control import Task
from ems_edge.control_config import RuleBook
from ems_edge.driver import DeviceSpec
from ems_edge.drivers import DRIVERS
from ems_edge.problems import Document, did_you_mean
from ems_edge.processing import Derived
from ems_edge.processing_config import check_derived, check_reporting
from ems_edge.profile import Profiles
from ems_edge.setpoints_limits import Setpoint, check_setpoints, setpoint

INTERVAL_LEAST, INTERVAL_MOST = 0.1, 3600.0
_VALUE_BYTES = 48
"""A value in the image, with its quality and punctuation; its key stands there twice where it is not good."""
_DEVICE = re.compile(r"[a-z][a-z0-9_]{0,47}\Z")


@dataclass(frozen=True)
class Plan:
    """A configuration that was found good, ready to be run."""

    config: EdgeConfig
    devices: Mapping[str, tuple[str, DeviceSpec]]
    """Device key -> (driver's name, what to read)."""
    points: list[Point]
    """All that the edge reports: of its devices, its derived points and its rules."""
    setpoints: list[Setpoint] = field(default_factory=list)
    derived: tuple[Derived, ...] = ()
    """In an order in which each comes after those it is made of."""
    tasks: list[Task] = field(default_factory=list)
    """The rules that are to be run."""

    @property
    def sources(self) -> set[str]:
        """The first words of all point keys: devices, and what stands in their place."""
        return {point.key.partition(".")[0] for point in self.points}


def _check_name(document: Document, where: str, name: str, parse: Callable[[str], int]) -> None:
    try:
        parse(name)
    except ValueError as error:
        raise document.error(where, str(error), f"write {where}_1") from None


def check_url(document: Document, where: str, url: str, schemes: tuple[str, ...]) -> None:
    try:
        parts = urlsplit(url)
        whole = parts.scheme in schemes and bool(parts.hostname or parts.scheme == "unix")
        secret = parts.username is not None or parts.password is not None
        _ = parts.port
    except ValueError:
        whole, secret = False, False
    if secret:  # and the value is not shown
        raise document.error(where, "holds credentials", "leave them out of the address")
    if not whole:
        raise document.error(where, f"{url!r} is no address", f"write {schemes[0]}://host:port")


def check_session(answer: SessionAnswer, profiles: Profiles, file: str) -> Plan:
    """A session from the backend or the cache. Raises ConfigError, with `file` saying which of the two."""
    return check_config(check_access(answer, file).part("config"), profiles)


def check_access(answer: SessionAnswer, file: str) -> Document:
    """All of a session but its configuration: who this edge is, and where its Redis is. Raises ConfigError."""
    document = Document(file, msgspec.to_builtins(answer))
    check_identity(document, answer)
    return document


def check_identity(document: Document, answer: SessionAnswer) -> None:
    _check_name(document, "site", answer.site, keys.site_id)
    _check_name(document, "edge", answer.edge, keys.edge_id)
    check_url(document, "redis.url", answer.redis.url, ("redis", "rediss", "unix"))
    _check_timezone(document, answer.timezone)


def _check_timezone(document: Document, name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        close = difflib.get_close_matches(name, available_timezones(), n=1)
        remedy = f"did you mean {close[0]!r}?" if close else "write an IANA name such as Europe/Berlin"
        raise document.error("timezone", f"{name!r:.60} is no time zone", remedy) from None


def check_config(document: Document, profiles: Profiles) -> Plan:
    config = document.convert(EdgeConfig)
    _check_interval(document, "poll_interval", config.poll_interval)
    devices: dict[str, tuple[str, DeviceSpec]] = {}
    points: list[Point] = []
    for number, device in enumerate(config.devices):
        at = f"devices[{number}]"
        if not _DEVICE.match(device.key):
            remedy = "use lower-case letters, digits and _: grid_meter"
            raise document.error(f"{at}.key", f"{device.key!r} is not a device's key", remedy)
        if device.key in devices:
            raise document.error(f"{at}.key", f"{device.key!r} is there twice", "give each device its own key")
        kind = DRIVERS.get(device.driver)
        if kind is None:
            remedy = did_you_mean(device.driver, DRIVERS)
            raise document.error(f"{at}.driver", f"{device.driver!r} is not a driver", remedy)
        try:
            profile = profiles.get(device.profile)
        except KeyError:
            remedy = did_you_mean(device.profile, profiles.names())
            raise document.error(f"{at}.profile", f"there is no profile {device.profile!r}", remedy) from None
        if profile.driver != device.driver:
            problem = f"{device.profile!r} is for {profile.driver}, the device for {device.driver}"
            raise document.error(f"{at}.profile", problem, "correct one of the two")
        profile.check_connection(document.part(f"{at}.connection"), kind.connection)
        interval = config.poll_interval
        if device.poll_interval is not None:
            interval = device.poll_interval
            _check_interval(document, f"{at}.poll_interval", interval)
        its_points = profile.contract_points(device.key)
        if wrong := next((point.key for point in its_points if not is_point_key(point.key)), None):
            problem = f"makes the point key {wrong!r}, longer than {MAX_KEY_LENGTH} characters"
            raise document.error(f"{at}.key", problem, "shorten it")
        points += its_points
        devices[device.key] = (device.driver, profile.spec(device.key, device.connection, interval))
    _check_together(document, config)
    check_setpoints(document, config, points)
    setpoints = _setpoints(config, points, devices)
    derived, their_points = check_derived(document, config.derived, points, devices)
    intervals = _intervals(points, devices, derived)
    book = RuleBook(document, [*points, *their_points], setpoints, devices, intervals)
    tasks, rule_points = book.check(config.rules)
    points += [*their_points, *rule_points]
    check_reporting(document, config.reporting, points)
    if sum(2 * len(point.key) + _VALUE_BYTES for point in points) > MAX_BATCH_BYTES:
        problem = f"{len(points)} points are more than the current image of one edge can carry"
        raise document.error("devices", problem, "share them between edges")
    return Plan(config, devices, points, setpoints, derived, tasks)


def _setpoints(
    config: EdgeConfig, points: Sequence[Point], devices: Mapping[str, tuple[str, DeviceSpec]]
) -> list[Setpoint]:
    decided = {one.point: one for one in config.setpoints}
    steps = {f"{key}.{source.name}": source.resolution for key, (_, spec) in devices.items() for source in spec.points}
    return [setpoint(one, decided.get(one.key), steps.get(one.key, 0.0)) for one in points if one.writable]


def _intervals(
    points: Sequence[Point], devices: Mapping[str, tuple[str, DeviceSpec]], derived: Sequence[Derived]
) -> dict[str, float]:
    """How often each point is read, s; a derived one as seldom as the rarest of those it is made of."""
    found = {point.key: devices[point.device][1].interval for point in points}
    for one in derived:
        found[one.key] = max(found[point] for point in one.expression.points)
    return found


def _check_together(document: Document, config: EdgeConfig) -> None:
    """What no device shows alone: two that contradict each other, such as two speeds on one serial line."""
    lines: dict[Callable[..., tuple[str, str] | None], dict[str, Any]] = {}
    for number, device in enumerate(config.devices):
        kind = DRIVERS[device.driver]
        connection = msgspec.convert(device.connection, kind.connection)
        lines.setdefault(kind.contradiction, {})[f"devices[{number}]"] = connection
    for contradiction, connections in lines.items():
        if wrong := contradiction(connections):
            at, problem = wrong
            raise document.error(f"{at}.connection", problem, "give both the same settings")


def _check_interval(document: Document, where: str, interval: float) -> None:
    if not (math.isfinite(interval) and INTERVAL_LEAST <= interval <= INTERVAL_MOST):
        remedy = f"give {INTERVAL_LEAST:g} to {INTERVAL_MOST:g} seconds"
        raise document.error(where, f"{interval} is no interval", remedy)
