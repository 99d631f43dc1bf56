"""One child process: started with its own session and log file, and taken down with everything it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ems_stack.accounts import Account

LOG_BYTES = 10_000_000
LOG_GENERATIONS = 3


@dataclass(frozen=True)
class Service:
    """What to run. `ready` tells whether it serves (not only whether it lives)."""

    name: str
    command: list[str]
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    ready: Callable[[], bool] = lambda: True
    start_seconds: float = 60
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 15
    account: Account | None = None
    health_url: str | None = None


@dataclass(frozen=True)
class ProcessIdentity:
    """A process id alone may be somebody else's by now; with its start time it is unmistakable."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity:
        """Raises ProcessLookupError if there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            raise ProcessLookupError(pid) from None

    def find(self) -> psutil.Process | None:
        """The process, if that very one still runs."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.created) < 1 and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


def spawn(service: Service, log: Path) -> subprocess.Popen[bytes]:
    """Start the service with its output appended to `log`. Raises OSError if the program cannot be run."""
    environment = {**inherited_environment(), **service.environment}
    # Appending: the log can be cut from outside (see `rotate`) while the child writes on.
    with log.open("ab") as output:
        process: subprocess.Popen[bytes] = subprocess.Popen(
            service.command,
            cwd=service.cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **(service.account.popen if service.account else {}),
        )
    return process


def inherited_environment() -> dict[str, str]:
    """Ours without what belongs to the stack itself, to a test run or to another Python: services get their own."""
    foreign = ("EMS_", "PYTEST_", "DJANGO_", "PG")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign) and name not in {"PYTHONPATH", "PYTHONHOME", "NODE_OPTIONS", "NODE_ENV"}
    }


def stop(process: subprocess.Popen[bytes], number: signal.Signals, seconds: float) -> bool:
    """Ask to stop, wait, then kill. Returns whether it stopped by itself."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGCONT)  # one that is paused would not hear
        process.send_signal(number)
    gracefully = True
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        gracefully = False
    kill_group(process.pid)
    process.wait(10)
    return gracefully


def kill_group(leader: int) -> None:
    """Kill what is left of the session that `leader` began."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def end_leftover(identity: ProcessIdentity, seconds: float = 10) -> bool:
    """End a process of an earlier supervisor that died without cleaning up. Returns whether there was one."""
    process = identity.find()
    if process is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        process.resume()
        process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(seconds)
    kill_group(identity.pid)
    return True


def rotate(log: Path, limit: int = LOG_BYTES) -> bool:
    """Copy a long log aside and cut it. The child keeps its handle: it appends."""
    if not log.exists() or log.stat().st_size <= limit:
        return False
    for generation in range(LOG_GENERATIONS - 1, 0, -1):
        older = log.with_name(f"{log.name}.{generation}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{generation + 1}"))
    aside = log.with_name(f"{log.name}.1")
    with log.open("rb+") as source, aside.open("wb") as target:
        aside.chmod(0o600)
        while chunk := source.read(1 << 20):
            target.write(chunk)
        source.truncate(0)
    return True


def last_words(log: Path, lines: int = 15) -> str:
    """The end of a log, for an error message."""
    if not log.exists():
        return "(no output)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:]) or "(no output)"


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.05) -> bool:
    """Poll until the condition holds; False if it did not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
