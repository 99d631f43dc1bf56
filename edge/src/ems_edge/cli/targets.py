"""What a command line names: devices of a file, or one device by profile and connection.

edge.yaml                             every device of a bootstrap file or a configuration
edge.yaml battery grid.active_power   this device, that point
eastron_sdm120 host=10.0.0.5 unit=2   a device that no file knows yet, by the profile's name or file
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
from ems_contract.provisioning import SessionAnswer, SetpointLimits

from ems_edge.bootstrap import Backend, Settings, check_bootstrap
from ems_edge.config import Plan, check_config, check_session
from ems_edge.decode import Value
from ems_edge.driver import DeviceSpec
from ems_edge.drivers import DRIVERS
from ems_edge.problems import ConfigError, Document, did_you_mean, read_yaml
from ems_edge.profile import Profiles, check_profile
from ems_edge.profile_common import CommonPoint, CommonProfile
from ems_edge.session import SessionCache

Connection = dict[str, str | int | float | bool]

INTERVAL = 5.0
"""How often a device is said to be read, in seconds, where no file says it."""


@dataclass(frozen=True)
class Target:
    """A device, and those of its points that were asked for. `limits`: what people decided, by `<device>.<point>`."""

    key: str
    driver: str
    profile: CommonProfile
    spec: DeviceSpec
    points: tuple[CommonPoint, ...]
    limits: Mapping[str, SetpointLimits]

    def only(self, values: dict[str, Value]) -> dict[str, Value]:
        wanted = {point.key for point in self.points}
        return {name: value for name, value in values.items() if name in wanted}


@dataclass(frozen=True)
class Targets:
    """`store` is that of the bootstrap file, where one was named."""

    devices: tuple[Target, ...]
    store: Path | None = None


def find(source: str, words: Sequence[str], profiles: Path | None = None) -> Targets:
    """Raises ConfigError for a file, a profile, a device, a point or a connection that is wrong."""
    options = [word for word in words if "=" in word]
    names = [word for word in words if "=" not in word]
    known = Profiles(profiles)
    if not _is_file(source):
        return Targets((_by_profile(_named(known, source), names, options),))
    document = read_yaml(Path(source))
    if "points" in document.data:
        return Targets((_by_profile(check_profile(document), names, options),))
    if options:
        problem = f"has the connections itself, {options[0].split('=')[0]} cannot be given"
        raise ConfigError(source, "", problem, "name a profile instead of the file")
    if "devices" in document.data:
        return Targets(_of_plan(source, check_config(document, known), known, names))
    settings = check_bootstrap(document, Path(source).resolve().parent)
    plan = check_session(_session(settings), settings.profiles, source)
    return Targets(_of_plan(source, plan, settings.profiles, names), settings.store)


def _is_file(source: str) -> bool:
    return source.endswith((".yaml", ".yml")) or "/" in source or Path(source).is_file()


def _named(known: Profiles, name: str) -> CommonProfile:
    try:
        return known.get(name)
    except KeyError:
        remedy = did_you_mean(name, known.names(), "`ems-edge profiles` lists them:")
        raise ConfigError(name, "", "is neither a file nor a profile", remedy) from None


def _session(settings: Settings) -> SessionAnswer:
    """The devices of a bootstrap file: its own, or those that its last session with the backend gave."""
    if not isinstance(settings.source, Backend):
        return settings.source
    cached = SessionCache(settings.store).load() if settings.store else None
    if cached is None:
        problem = "leads to a backend, and no session with it is stored yet"
        raise ConfigError(settings.file, "", problem, "run the edge once, or name a profile and its connection")
    return cached


def _by_profile(profile: CommonProfile, names: Sequence[str], options: Sequence[str]) -> Target:
    given = connection(profile.driver, options)
    profile.check_connection(Document("connection", given), DRIVERS[profile.driver].connection)
    spec = profile.spec(profile.profile, given, INTERVAL)
    return Target(profile.profile, profile.driver, profile, spec, _chosen(profile, names), {})


def _chosen(profile: CommonProfile, names: Sequence[str]) -> tuple[CommonPoint, ...]:
    """The points of these names, or all."""
    points = {point.key: point for point in profile.all_points()}
    if unknown := next((name for name in names if name not in points), None):
        raise ConfigError(profile.profile, "", f"there is no point {unknown!r}", did_you_mean(unknown, points))
    return tuple(point for name, point in points.items() if not names or name in names)


def connection(driver: str, options: Sequence[str]) -> Connection:
    """From `host=10.0.0.5 unit=2`; `password=@file` reads the value from a file. Numbers become numbers."""
    given: Connection = {}
    kinds = get_type_hints(DRIVERS[driver].connection)
    for option in options:
        name, _, text = option.partition("=")
        if text.startswith("@"):
            try:
                text = Path(text[1:]).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problem = f"{text[1:]} cannot be read ({type(error).__name__})"
                raise ConfigError("connection", name, problem, "give the path of a readable file") from None
        given[name] = _typed(text, kinds.get(name, str))
    return given


def _typed(text: str, kind: Any) -> str | int | float | bool:
    """The text as its field wants it; where it does not fit, as it is, for the check that names it."""
    for strict in (True, False):
        try:
            value: str | int | float | bool = msgspec.convert(text, kind, strict=strict)
        except msgspec.ValidationError:
            continue
        return value
    return text


def _of_plan(source: str, plan: Plan, known: Profiles, names: Sequence[str]) -> tuple[Target, ...]:
    limits = {one.point: one for one in plan.config.setpoints}
    targets: list[Target] = []
    used: set[str] = set()
    for device in plan.config.devices:
        profile = known.get(device.profile)
        mine = [name for name in names if name.partition(".")[0] == device.key]
        used.update(mine)
        if names and not mine:
            continue
        wanted = [name.partition(".")[2] for name in mine]
        points = _chosen(profile, [] if "" in wanted else wanted)
        driver, spec = plan.devices[device.key]
        targets.append(Target(device.key, driver, profile, spec, points, limits))
    if unknown := next((name for name in names if name not in used), None):
        raise ConfigError(source, "", f"there is no device {unknown!r}", did_you_mean(unknown, plan.devices))
    return tuple(targets)
