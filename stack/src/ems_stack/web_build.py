"""The web application's production build, made when its sources changed since the last one."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ems_stack.paths import WEB
from ems_stack.processes import inherited_environment
from ems_stack.services import NEXT

_STAMP = WEB / ".next" / "ems-stamp"
_SKIPPED = {"node_modules", ".next", "coverage", "test-results", "tests"}
_CONFIGURATION = {".ts", ".tsx", ".mjs", ".js", ".json", ".css", ".svg", ".png", ".ico", ".woff2", ".webmanifest"}


class WebBuildError(RuntimeError):
    """The build failed; the message has its last lines."""


def fingerprint(root: Path = WEB) -> str:
    """Changes when a source of the web changes (names and contents, not times)."""
    digest = hashlib.sha256()
    for path in sorted(_sources(root)):
        digest.update(str(path.relative_to(root)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_current() -> bool:
    return _STAMP.exists() and _STAMP.read_text() == fingerprint()


def build(log: Path) -> bool:
    """Build if needed; False when the last build still serves. One build at a time, over all stacks of a clone."""
    if not NEXT.exists():
        raise WebBuildError("the web's packages are not installed; run `make setup`")
    lock = WEB / "node_modules" / ".ems-build.lock"
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if is_current():
            return False
        wanted = fingerprint()
        with log.open("ab") as output:
            done = subprocess.run(
                ["node", str(NEXT), "build"],
                cwd=WEB,
                env={
                    **inherited_environment(),
                    "NEXT_TELEMETRY_DISABLED": "1",
                    "NO_COLOR": "1",
                    "NODE_ENV": "production",
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        if done.returncode != 0:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise WebBuildError(f"the web could not be built; the end of {log}:\n{tail}")
        _STAMP.write_text(wanted)
        return True


def _sources(root: Path) -> Iterator[Path]:
    for path in root.iterdir():
        if path.name in _SKIPPED or path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _sources(path)
        elif path.suffix in _CONFIGURATION and path.name not in {"next-env.d.ts"}:
            yield path
