"""The web application's production build, made when its sources changed since the last one.

Each build is kept under the fingerprint of its sources and never changed again: a stack that serves one is not
disturbed when another stack of this clone builds the next.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ems_stack.paths import WEB
from ems_stack.processes import inherited_environment, last_words

NEXT = WEB / "node_modules" / "next" / "dist" / "bin" / "next"
KEPT = 4
"""Builds that stay; an older one may still be served by a stack that was never stopped."""

_BUILDS = WEB / "node_modules" / ".ems-builds"  # below web/, so that a build finds its packages
_BUILD_ENVIRONMENT = {"NEXT_TELEMETRY_DISABLED": "1", "NO_COLOR": "1", "NODE_ENV": "production"}
_OUTPUT = ".next"
_NOT_SERVED = {"cache", "dev", "diagnostics", "trace", "trace-build", "types"}
_SKIPPED = {"node_modules", "coverage", "test-results", "tests"}
_SOURCES = {".ts", ".tsx", ".mjs", ".js", ".json", ".css", ".svg", ".png", ".ico", ".woff2", ".webmanifest"}


class WebBuildError(RuntimeError):
    """The build failed; the message has its last lines."""


def fingerprint(root: Path = WEB) -> str:
    """Changes when a source of the web changes (names and contents, not times)."""
    digest = hashlib.sha256()
    for path in sorted(_sources(root)):
        digest.update(str(path.relative_to(root)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def place() -> Path:
    """The directory that `next start` serves for today's sources; it is there once `build` has returned."""
    return _BUILDS / fingerprint()


def build(log: Path) -> bool:
    """Build if needed; False when there is a build of these very sources. Raises WebBuildError."""
    if not NEXT.exists():
        raise WebBuildError("the web's packages are not installed; run `make setup`")
    _BUILDS.mkdir(exist_ok=True)
    with (_BUILDS / "lock").open("w") as handle:  # one build at a time, over all stacks of a clone
        fcntl.flock(handle, fcntl.LOCK_EX)
        wanted = place()
        if wanted.exists():
            return False
        with log.open("ab") as output:
            done = subprocess.run(
                ["node", str(NEXT), "build"],
                cwd=WEB,
                env=inherited_environment() | _BUILD_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        if done.returncode != 0:
            raise WebBuildError(f"the web could not be built; the end of {log}:\n{last_words(log, 20)}")
        _keep(wanted)
        return True


def _keep(wanted: Path) -> None:
    partial = wanted.with_name(f"{wanted.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(
        WEB / _OUTPUT,
        partial / _OUTPUT,
        symlinks=True,
        ignore=lambda folder, names: _NOT_SERVED & set(names) if Path(folder) == WEB / _OUTPUT else set(),
    )
    for name in ("package.json", "next.config.ts"):
        shutil.copy2(WEB / name, partial / name)
    if (WEB / "public").exists():
        shutil.copytree(WEB / "public", partial / "public")
    partial.rename(wanted)
    others = [path for path in _BUILDS.iterdir() if path.is_dir() and path != wanted]
    for old in sorted(others, key=lambda path: path.stat().st_mtime)[: -KEPT + 1]:
        shutil.rmtree(old, ignore_errors=True)


def _sources(root: Path) -> Iterator[Path]:
    for path in root.iterdir():
        if path.name in _SKIPPED or path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _sources(path)
        elif path.suffix in _SOURCES and path.name != "next-env.d.ts":
            yield path
