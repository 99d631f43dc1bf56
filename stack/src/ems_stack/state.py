"""The state directory (`.ems/`, or EMS_STATE_DIR): everything the stack keeps, and nothing else keeps anything.

data/       PostgreSQL's and Redis' files, the edges' stores, the simulator's ledger
logs/       <service>.log, rotated by size
run/        what is running now: lock, process ids, progress, sockets
secrets     generated once, 0600: never in a command line, never in a log
edges/      one bootstrap file and one key file (0600) for each demo edge
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ems_stack import accounts, postgres
from ems_stack.paths import REPOSITORY
from ems_stack.redis_server import SERVICE_USERS

_LONGEST_RUN_DIR = 80
"""A UNIX socket's whole path must stay below about 104 characters."""


class Secrets(msgspec.Struct, frozen=True):
    """Generated at the first start and kept."""

    postgres: str
    redis: dict[str, str]
    django: str

    def __repr__(self) -> str:
        return "Secrets([redacted])"


@dataclass(frozen=True)
class State:
    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def edges(self) -> Path:
        return self.root / "edges"

    @property
    def name(self) -> str:
        """Short and unique for this path, for what must live elsewhere."""
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:12]

    @property
    def sockets(self) -> Path:
        """Where UNIX sockets go: `run/`, or a temporary directory when the clone lies too deep or in a closed place."""
        if chosen := os.environ.get("EMS_RUN_DIR"):
            return Path(chosen) / self.name
        inside = self.run / "sockets"
        account = accounts.unprivileged()
        self.run.mkdir(parents=True, exist_ok=True)
        if len(str(inside)) <= _LONGEST_RUN_DIR and (account is None or accounts.can_reach(account, self.run)):
            return inside
        return Path(tempfile.gettempdir()) / f"ems-{self.name}"

    @property
    def postgres_home(self) -> Path:
        return postgres.place(self.data, self.name)[0]

    def prepare(self) -> None:
        """Make the directories. Idempotent."""
        for path in (self.root, self.data, self.logs, self.run):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o755)  # PostgreSQL's account may have to pass; what is secret is 0600 or lies in a 0700 place
        for private in (self.logs, self.edges):
            private.mkdir(mode=0o700, exist_ok=True)
            private.chmod(0o700)

    def secrets(self) -> Secrets:
        """The secrets, made at the first call."""
        path = self.root / "secrets.json"
        if path.exists():
            return msgspec.json.decode(path.read_bytes(), type=Secrets)
        fresh = Secrets(
            postgres=secrets.token_urlsafe(24),
            redis={user: secrets.token_urlsafe(24) for user in SERVICE_USERS},
            django=secrets.token_urlsafe(48),
        )
        write_private(path, msgspec.json.format(msgspec.json.encode(fresh)))
        return fresh

    def remove(self) -> None:
        """Delete everything, also what had to live elsewhere. The services must be stopped."""
        for path in {self.postgres_home, self.sockets, self.root}:
            shutil.rmtree(path, ignore_errors=True)


def default_state(environment: Mapping[str, str] = os.environ) -> State:
    return State(Path(environment.get("EMS_STATE_DIR") or REPOSITORY / ".ems").absolute())


def write_private(path: Path, content: bytes | str) -> None:
    """Write a file that only this account can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    partial.replace(path)
