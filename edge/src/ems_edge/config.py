"""The bootstrap file, and the configuration it leads to. Everything is checked before anything is started.

With a backend:   {url: http://127.0.0.1:8000, key: ems_... (or key_file: path), store: directory}
Standalone:       {store: directory, site: site_1, edge: edge_1, redis: {url, username, password}, config: {...}}
                  timezone: Europe/Berlin, for schedules; UTC if not said
Both may have:    profiles: a directory of own profiles
                  store_limit: bytes of batches kept, 2 GiB if not said;  store_days: for how long, a year if not said
                  backfill_rate: bytes a second that late batches may take beside live ones, 3 MiB if not said

`config` is the contract's EdgeConfig, the same that the backend's session gives. Paths are relative to the file.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec
from ems_contract import keys
from ems_contract.points import MAX_KEY_LENGTH, Point, is_point_key
from ems_contract.provisioning import EdgeConfig, RedisAccess, SessionAnswer
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

STORE_LIMIT = 2 * 1024**3
STORE_LIMIT_LEAST = 32 * MAX_BATCH_BYTES
STORE_DAYS, STORE_DAYS_MOST = 365.0, 36_500.0
BACKFILL_RATE, BACKFILL_RATE_LEAST = 3 * 1_048_576, 1_024
_DAY_MS = 86_400_000
INTERVAL_LEAST, INTERVAL_MOST = 0.1, 3600.0
_VALUE_BYTES = 48
"""A value in the image, with its quality and punctuation; its key stands there twice where it is not good."""
_KEY = re.compile(r"ems_[A-Za-z0-9]+_[A-Za-z0-9_-]+\Z")
_DEVICE = re.compile(r"[a-z][a-z0-9_]{0,47}\Z")
_BACKEND_FIELDS = ("url", "key", "key_file")
_STANDALONE_FIELDS = ("site", "edge", "redis", "config", "timezone")


class _Bootstrap(msgspec.Struct, frozen=True):
    store: str | None = None
    store_limit: int = STORE_LIMIT
    store_days: float = STORE_DAYS
    backfill_rate: int = BACKFILL_RATE
    profiles: str | None = None
    url: str | None = None
    key: str | None = None
    key_file: str | None = None
    site: str | None = None
    edge: str | None = None
    redis: RedisAccess | None = None
    config: EdgeConfig | None = None
    timezone: str = "UTC"

    def __repr__(self) -> str:
        return "_Bootstrap([redacted])"


@dataclass(frozen=True)
class Backend:
    """Where the session is opened, and with which API key."""

    url: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """What `run` needs. `source` is a backend, or the session that a standalone file amounts to.

    `store` is None only for a standalone edge without a disk: it then buffers in memory. `store_age` in ms;
    `backfill_rate` in bytes a second.
    """

    file: str
    store: Path | None
    store_limit: int
    profiles: Profiles
    source: Backend | SessionAnswer
    store_age: int = round(STORE_DAYS * _DAY_MS)
    backfill_rate: int = BACKFILL_RATE


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


def check_bootstrap(document: Document, folder: Path) -> Settings:
    """`folder` is where the file lies. Raises ConfigError."""
    boot = document.convert(_Bootstrap)
    if boot.store_limit < STORE_LIMIT_LEAST:
        raise document.error("store_limit", f"{boot.store_limit} is too small", f"give {STORE_LIMIT_LEAST} or more")
    if not 0 < boot.store_days <= STORE_DAYS_MOST:
        remedy = f"give a number up to {STORE_DAYS_MOST:g}"
        raise document.error("store_days", f"{boot.store_days} is no number of days", remedy)
    if boot.backfill_rate < BACKFILL_RATE_LEAST:
        remedy = f"give {BACKFILL_RATE_LEAST} bytes a second or more"
        raise document.error("backfill_rate", f"{boot.backfill_rate} is too little", remedy)
    directory = folder / boot.profiles if boot.profiles else None
    if directory is not None and not directory.is_dir():
        raise document.error("profiles", f"{directory} is no directory", "give the directory of your profiles")
    profiles = Profiles(directory)
    given = document.data.keys()
    strangers = [name for name in _STANDALONE_FIELDS if name in given]
    if "url" in given and strangers:
        remedy = f"leave out {' and '.join(strangers)}, or url for a standalone edge"
        raise document.error(strangers[0], "comes from the backend when there is a url", remedy)
    if "url" not in given and not strangers:
        raise document.error("url", "is missing", "give the backend's address, or site, edge, redis and config")
    source = _backend(document, boot, folder) if boot.url is not None else _standalone(document, boot, profiles)
    if boot.store is None and isinstance(source, Backend):
        raise document.error("store", "is missing", "give a directory on this machine's disk")
    store = folder / boot.store if boot.store else None
    age = round(boot.store_days * _DAY_MS)
    return Settings(document.file, store, boot.store_limit, profiles, source, age, boot.backfill_rate)


def _backend(document: Document, boot: _Bootstrap, folder: Path) -> Backend:
    _check_url(document, "url", boot.url or "", ("http", "https"))
    if (boot.key is None) == (boot.key_file is None):
        raise document.error("key", "is needed once", "give either key or key_file")
    key = boot.key
    where = "key"
    if boot.key_file is not None:
        where = "key_file"
        try:
            key = (folder / boot.key_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            problem = f"{folder / boot.key_file} cannot be read ({type(error).__name__})"
            raise document.error(where, problem, "give the path of the file that holds the key") from None
    if key is None or not _KEY.match(key):
        raise document.error(where, "is not an API key", "it looks like ems_<prefix>_<secret>; make one in the backend")
    return Backend((boot.url or "").rstrip("/"), key)


def _standalone(document: Document, boot: _Bootstrap, profiles: Profiles) -> SessionAnswer:
    if unused := [name for name in _BACKEND_FIELDS if name in document.data]:
        raise document.error(unused[0], "is for an edge with a backend", "leave it out, or give a url as well")
    if boot.site is None or boot.edge is None or boot.redis is None or boot.config is None:
        missing = next(name for name in ("site", "edge", "redis", "config") if getattr(boot, name) is None)
        raise document.error(missing, "is missing", "a standalone edge needs site, edge, redis and config")
    _check_name(document, "site", boot.site, keys.site_id)
    _check_name(document, "edge", boot.edge, keys.edge_id)
    _check_url(document, "redis.url", boot.redis.url, ("redis", "rediss", "unix"))
    _check_timezone(document, boot.timezone)
    check_config(document.part("config"), profiles)
    return SessionAnswer(boot.edge, boot.edge, boot.site, boot.site, boot.timezone, boot.redis, boot.config)


def _check_name(document: Document, where: str, name: str, parse: Callable[[str], int]) -> None:
    try:
        parse(name)
    except ValueError as error:
        raise document.error(where, str(error), f"write {where}_1") from None


def _check_url(document: Document, where: str, url: str, schemes: tuple[str, ...]) -> None:
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
    _check_name(document, "site", answer.site, keys.site_id)
    _check_name(document, "edge", answer.edge, keys.edge_id)
    _check_url(document, "redis.url", answer.redis.url, ("redis", "rediss", "unix"))
    _check_timezone(document, answer.timezone)
    return document


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
