"""Debian's packages, for what no wheel carries. Only as root, and only when something is really missing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_POLICY = Path("/usr/sbin/policy-rc.d")


def install_package(name: str) -> bool:
    """apt-get install, with an update of the lists if the first try fails. Returns whether it is there now."""
    install = ["install", "-y", "--no-install-recommends", name]
    with _no_services_started():
        return _apt(install) or (_apt(["update"]) and _apt(install))


def _apt(words: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(["apt-get", *words], env=environment, capture_output=True, check=False).returncode == 0


@contextmanager
def _no_services_started() -> Iterator[None]:
    """A package of a server would start it on its usual port; the stack runs its own and needs only the program."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)
