"""Profiles: what a device's points are and where it keeps them, as data.

A new kind of device is a new file of about 35 lines, and no code; `driver` says for which protocol, and with it what
else may stand there: `profile_modbus.py` and its siblings.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from ems_edge.lazy import Lazy
from ems_edge.problems import Document, did_you_mean, parse_yaml, read_yaml, shown
from ems_edge.profile_common import WORD, CommonProfile, check_points


def _bacnet() -> type[CommonProfile]:
    from ems_edge.profile_bacnet import BacnetProfile

    return BacnetProfile


def _modbus() -> type[CommonProfile]:
    from ems_edge.profile_modbus import ModbusProfile

    return ModbusProfile


def _mqtt() -> type[CommonProfile]:
    from ems_edge.profile_mqtt import MqttProfile

    return MqttProfile


def _sunspec() -> type[CommonProfile]:
    from ems_edge.profile_sunspec import SunSpecProfile

    return SunSpecProfile


KINDS: Lazy[type[CommonProfile]] = Lazy({"bacnet": _bacnet, "modbus": _modbus, "mqtt": _mqtt, "sunspec": _sunspec})
"""What a profile may say, by its `driver`."""


class Profiles:
    """All profiles by name: those of `directory`, then those that come with the edge. Each is read once."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._loaded: dict[str, CommonProfile] = {}

    def names(self) -> list[str]:
        own = self._directory.glob("*.yaml") if self._directory else ()
        return sorted({*(path.stem for path in own), *_built_in()})

    def get(self, name: str) -> CommonProfile:
        """Raises KeyError for a name that no file has, ConfigError for a file that is no profile."""
        if name not in self._loaded:
            self._loaded[name] = check_profile(self._document(name))
        return self._loaded[name]

    def _document(self, name: str) -> Document:
        if not WORD.match(name):
            raise KeyError(name)
        if self._directory and (path := self._directory / f"{name}.yaml").is_file():
            return read_yaml(path)
        if name in _built_in():
            return parse_yaml(_built_in()[name], f"ems_edge/profiles/{name}.yaml")
        raise KeyError(name)


@cache
def _built_in() -> dict[str, str]:
    """Name -> text."""
    folder = resources.files("ems_edge") / "profiles"
    return {
        entry.name.removesuffix(".yaml"): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    }


def check_profile(document: Document) -> CommonProfile:
    """Everything that can be known without a device. Raises ConfigError."""
    if "driver" not in document.data:
        raise document.error("driver", "is missing", "add it")
    driver = document.data["driver"]
    if not isinstance(driver, str) or driver not in KINDS:
        word = driver if isinstance(driver, str) else ""
        raise document.error("driver", f"{shown(driver)} is not a driver", did_you_mean(word, KINDS))
    profile = document.convert(KINDS[driver])
    if not WORD.match(profile.profile):
        raise document.error("profile", f"{profile.profile!r} is not a name", "use lower-case words: stl_meter")
    check_points(document, profile.all_points())
    profile.check(document)
    return profile
