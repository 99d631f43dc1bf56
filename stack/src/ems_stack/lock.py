"""The locks in requirements/: made from the rooms' pyproject.toml by `make lock`, verified by `make check`.

`dev.txt` has everything a developer's environment needs. The others are what one image needs, at the same versions.
No lock names an index or a host: each machine brings its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ems_stack.paths import REPOSITORY

ROOMS = ("contract", "client", "edge", "realtime", "simulator", "backend", "stack", "prove")
IMAGES: dict[str, tuple[str, ...]] = {
    "edge": ("contract", "edge"),
    "realtime": ("contract", "realtime"),
    "simulator": ("contract", "simulator"),
    "backend": ("contract", "backend"),
}
OLDEST_PYTHON = "3.12"
_HOST = re.compile(r"https?://|^\s*(-i|--index-url|--extra-index-url|--find-links|--trusted-host)\b", re.MULTILINE)
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def lock_file(name: str) -> Path:
    return REPOSITORY / "requirements" / f"{name}.txt"


def compile_all(*, upgrade: bool = False) -> None:
    """Write every lock. Existing pins stay unless `upgrade`."""
    everything = [str(REPOSITORY / "requirements" / "dev.in"), *map(_pyproject, ROOMS)]
    _compile(everything, "dev", ["--upgrade"] if upgrade else [])
    same_versions = ["--constraint", str(lock_file("dev"))]
    for image, rooms in IMAGES.items():
        _compile([str(REPOSITORY / "requirements" / "image.in"), *map(_pyproject, rooms)], image, same_versions)
    _compile([str(REPOSITORY / "requirements" / "bootstrap.in")], "bootstrap", same_versions)
    _compile([str(REPOSITORY / "requirements" / "redis.in")], "redis", ["--no-deps"])


def problems() -> list[str]:
    """What is wrong with the committed locks, as sentences; empty when all is well."""
    found = [
        f"{path.name} names a host or an index ({match[0].strip()!r}); run `make lock`"
        for path in sorted((REPOSITORY / "requirements").glob("*.txt"))
        if (match := _HOST.search(path.read_text()))
    ]
    for name, rooms in {"dev": ROOMS, **IMAGES}.items():
        if not lock_file(name).exists():
            found.append(f"requirements/{name}.txt is missing; run `make lock`")
            continue
        pins = _pins(lock_file(name))
        for room in rooms:
            found.extend(
                f"{room}/pyproject.toml wants {wanted}, requirements/{name}.txt has "
                f"{pins.get(canonicalize_name(wanted.name), 'nothing')}; run `make lock`"
                for wanted in _wanted(room)
                if not _satisfied(wanted, pins)
            )
    return found


def _pins(lock: Path) -> dict[str, str]:
    return {canonicalize_name(package): version for package, version in _PIN.findall(lock.read_text())}


def _satisfied(wanted: Requirement, pins: dict[str, str]) -> bool:
    if wanted.name in _ours() or (wanted.marker and not wanted.marker.evaluate()):
        return True
    pin = pins.get(canonicalize_name(wanted.name))
    return pin is not None and wanted.specifier.contains(pin, prereleases=True)


def _wanted(room: str) -> list[Requirement]:
    project = tomllib.loads(Path(_pyproject(room)).read_text())["project"]
    return [Requirement(line) for line in project.get("dependencies", [])]


def _pyproject(room: str) -> str:
    return str(REPOSITORY / room / "pyproject.toml")


def _ours() -> list[str]:
    return [f"ems-{room}" for room in ROOMS]


def _compile(sources: list[str], name: str, options: list[str]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as excludes:
        excludes.write("\n".join(_ours()))
        excludes.flush()
        command = [
            str(Path(sys.executable).with_name("uv")),
            "pip",
            "compile",
            *sources,
            f"--output-file={lock_file(name)}",
            f"--excludes={excludes.name}",
            f"--python-version={OLDEST_PYTHON}",
            *("--universal --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet".split()),
            *options,
        ]
        subprocess.run(command, check=True, cwd=REPOSITORY, env={**os.environ, "UV_FIND_LINKS": ""})
