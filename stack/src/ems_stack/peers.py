"""Find what the tests hold the edge against, and what the bench holds the live service against; or install it.

A program is looked for on the PATH, then taken from Debian's packages where that is allowed. A Node package comes from
`peers/package-lock.json`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ems_stack.debian import install_package
from ems_stack.paths import REPOSITORY

PEERS = REPOSITORY / "peers"
PROGRAMS: Mapping[str, str] = {
    "mosquitto": "mosquitto",
    "mosquitto_pub": "mosquitto-clients",
    "mosquitto_sub": "mosquitto-clients",
    "mbpoll": "mbpoll",
}
"""Program -> the Debian package that has it."""
COMPARED: Mapping[str, str] = {"mosquitto": "mosquitto", "nats-server": "nats-server"}
"""What `make bench` measures beside the live service where it is installed; nobody installs it for that."""
_ALSO = (Path("/usr/sbin"), Path("/usr/local/sbin"), Path("/opt/homebrew/sbin"))
"""Where a broker may lie that a person's PATH does not name."""


class NoPeerError(RuntimeError):
    """It is not there and could not be installed; the message says what to do."""


def program(name: str, say: Callable[[str], None] = lambda _: None) -> Path:
    """One of PROGRAMS. Raises NoPeerError."""
    if found := _on_path(name):
        return found
    package = PROGRAMS[name]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"Installing Debian's {package} for the tests")
        with _one_at_a_time():
            if install_package(package) and (found := _on_path(name)):
                return found
    raise NoPeerError(
        f"the tests need {name} and it was not found; install it (Debian: apt-get install {package}; macOS: brew "
        f"install {package.removesuffix('-clients')})"
    )


def installed(name: str) -> Path:
    """One of COMPARED, if it is there. Raises NoPeerError."""
    if found := _on_path(name):
        return found
    raise NoPeerError(f"{name} is not installed (Debian: apt-get install {COMPARED[name]}; macOS: brew install {name})")


def script(name: str, say: Callable[[str], None] = lambda _: None) -> list[str]:
    """The command that runs `peers/<name>.mjs`, to which its arguments are added. Raises NoPeerError."""
    node = shutil.which("node")
    if node is None:
        raise NoPeerError("the tests need Node.js 20 or newer and no `node` is on the PATH; install it")
    with _one_at_a_time():
        _install_packages(say)
    return [node, str(PEERS / f"{name}.mjs")]


def package_file(path: str, say: Callable[[str], None] = lambda _: None) -> Path:
    """A file of one of the packages of `peers/`, such as `ws/package.json`. Raises NoPeerError."""
    with _one_at_a_time():
        _install_packages(say)
    return PEERS / "node_modules" / path


def prepare(say: Callable[[str], None]) -> None:
    """Everything at once, before the tests start. Raises NoPeerError."""
    for name in PROGRAMS:
        program(name, say)
    with _one_at_a_time():
        _install_packages(say)


def _install_packages(say: Callable[[str], None]) -> None:
    lock, stamp = PEERS / "package-lock.json", PEERS / "node_modules" / ".ems-stamp"
    wanted = lock.read_bytes()
    if stamp.is_file() and stamp.read_bytes() == wanted:
        return
    say("Packages of the peers")
    words = ["npm", "ci", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(words, cwd=PEERS, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoPeerError(f"npm ci in peers/ failed: {done.stderr.strip()[-500:]}")
    stamp.write_bytes(wanted)


def _on_path(name: str) -> Path | None:
    if where := shutil.which(name):
        return Path(where)
    return next((folder / name for folder in _ALSO if os.access(folder / name, os.X_OK)), None)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two test processes must not install the same thing at once."""
    with (PEERS / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
