"""The Redis server: which binary, its configuration, and its users.

There is no open default user. Each service has its own credential with the keys and channels it needs; every edge
gets its own user from the backend (`ACL SETUSER`, then `ACL SAVE` into the same file).
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis

from ems_stack.processes import Service

WANTED_MAJOR = 7

USERS = Path(__file__).with_name("redis_users.acl")
"""Who may do what; compose.yaml reads the same file."""

SERVICE_USERS = ("backend", "historian", "realtime", "stack")


@dataclass(frozen=True)
class Binary:
    path: Path
    version: tuple[int, int, int]

    @property
    def major(self) -> int:
        return self.version[0]

    @property
    def warning(self) -> str | None:
        """What is weaker with this binary, in one sentence; None if nothing is."""
        if self.major >= WANTED_MAJOR:
            return None
        dotted = ".".join(map(str, self.version))
        return (
            f"Redis {dotted} is older than 7.0 and has no read-only key permissions: isolation is coarser, an edge "
            "could overwrite its own receipt (never another edge's). Install redis-server >= 7 to close this."
        )


def inspect(path: Path) -> Binary:
    """Ask a redis-server for its version. Raises RuntimeError if it is none."""
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", answer.stdout)
    if found is None:
        raise RuntimeError(f"{path} --version does not answer like a Redis server: {answer.stdout or answer.stderr!r}")
    return Binary(path, (int(found[1]), int(found[2]), int(found[3])))


def on_path() -> Binary | None:
    """The first redis-server (or valkey-server) >= 7 on the PATH."""
    for name in ("redis-server", "valkey-server"):
        where = shutil.which(name)
        if where and (binary := inspect(Path(where))).major >= WANTED_MAJOR:
            return binary
    return None


@dataclass(frozen=True)
class RedisServer:
    """One server on the loopback interface. `passwords` has one for each service user.

    `admin_password` adds an all-powerful user `admin`, for tests; `durable=False` keeps nothing on disk.
    """

    home: Path
    port: int
    passwords: Mapping[str, str]
    binary: Binary
    durable: bool = True
    admin_password: str | None = None

    @property
    def acl_file(self) -> Path:
        return self.home / "users.acl"

    def prepare(self) -> None:
        """Write the configuration and refresh the services' users; edges' users in the file stay."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)
        kept = []
        if self.acl_file.exists():
            ours = {"default", "admin", *SERVICE_USERS}
            kept = [line for line in self.acl_file.read_text().splitlines() if line and line.split()[1] not in ours]
        _write_private(self.acl_file, "\n".join([*self._user_lines(), *kept]) + "\n")
        _write_private(self.home / "redis.conf", self._configuration())

    def _user_lines(self) -> list[str]:
        text = USERS.read_text()
        if self.binary.major < WANTED_MAJOR:
            text = text.replace("%R~", "~")
        for name in SERVICE_USERS:
            text = text.replace(f"{{{name}}}", _digest(self.passwords[name]))
        lines = [line for line in text.splitlines() if line.startswith("user ")]
        if self.admin_password:
            lines.append(f"user admin on #{_digest(self.admin_password)} ~* &* +@all")
        return lines

    def _configuration(self) -> str:
        settings = {
            "bind": "127.0.0.1",
            "protected-mode": "yes",
            "port": str(self.port),
            "dir": _quoted(self.home),
            "aclfile": _quoted(self.acl_file),
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory": "512mb",
            "maxmemory-policy": "noeviction",
            "proto-max-bulk-len": "8mb",  # an edge's rights cannot bound how much it sends in one value
            "tcp-keepalive": "60",
            "daemonize": "no",
            "client-output-buffer-limit": "pubsub 64mb 16mb 30",
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())

    def command(self) -> list[str]:
        return [str(self.binary.path), str(self.home / "redis.conf")]

    def service(self) -> Service:
        return Service(name="redis", command=self.command(), cwd=self.home, ready=self.is_ready)

    def url(self, user: str) -> str:
        password = self.admin_password if user == "admin" else self.passwords[user]
        return f"redis://{user}:{quote(password or '', safe='')}@127.0.0.1:{self.port}/0"

    @property
    def bare_url(self) -> str:
        """Without credentials, as edges are told."""
        return f"redis://127.0.0.1:{self.port}/0"

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url("stack"), socket_timeout=2) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # BusyLoading is a ConnectionError
            return False

    def wipe(self) -> None:
        """Remove data and every user, as after a lost disk. Only while the server is stopped."""
        shutil.rmtree(self.home, ignore_errors=True)


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
