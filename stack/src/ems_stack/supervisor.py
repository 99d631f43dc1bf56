"""Keeps services running: starts, watches, restarts with backoff, stops, and remembers their process ids.

One thread watches; every public method may be called from any thread. A service is meant to be up (`start`) or
down (`stop`, `kill`); only one that is meant to be up is restarted when it ends.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import msgspec

from ems_stack import processes
from ems_stack.processes import ProcessIdentity, Service

_log = logging.getLogger(__name__)
_TICK = 0.1
_ROTATE_EVERY = 10.0


class ServiceState(StrEnum):
    DOWN = "down"
    UP = "up"
    WAITING = "waiting to restart"


@dataclass(frozen=True)
class Backoff:
    """Seconds to wait before the next start: doubling, forgotten after a quiet while."""

    first: float = 0.5
    longest: float = 30.0
    forgive_after: float = 30.0

    def wait(self, crashes: int) -> float:
        return min(self.longest, self.first * 2.0 ** (max(1, crashes) - 1))


class StartError(RuntimeError):
    """A service did not become ready. The message has the end of its log."""


class Status(msgspec.Struct, frozen=True):
    """What `status` tells of a service; `since` in s since the epoch."""

    name: str
    state: ServiceState
    pid: int | None
    restarts: int
    since: float


@dataclass
class _Entry:
    service: Service
    wanted: bool = False
    process: subprocess.Popen[bytes] | None = None
    since: float = field(default_factory=time.time)
    crashes: int = 0
    restarts: int = 0
    start_at: float = 0.0

    @property
    def state(self) -> ServiceState:
        if self.process is not None:
            return ServiceState.UP
        return ServiceState.WAITING if self.wanted else ServiceState.DOWN


class Supervisor:
    def __init__(self, logs: Path, pid_file: Path, backoff: Backoff = Backoff()) -> None:
        self._logs = logs
        self._pid_file = pid_file
        self._backoff = backoff
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._next_rotation = time.monotonic() + _ROTATE_EVERY
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()

    # What the caller says -----------------------------------------------------------------------------------------

    def add(self, service: Service) -> None:
        """Make a service known, or replace what is known of one that is down."""
        with self._lock:
            known = self._entries.get(service.name)
            if known and known.process is not None:
                raise RuntimeError(f"{service.name} is running and cannot be replaced")
            self._entries[service.name] = _Entry(service)

    def start(self, name: str, *, wait: bool = True) -> None:
        """Start a service, if it is not up, and wait until it is ready. Raises StartError."""
        with self._lock:
            entry = self._entry(name)
            entry.wanted = True
            entry.crashes = 0
            if entry.process is None:
                self._spawn(entry)
        if wait:
            self.wait_ready(name)

    def wait_ready(self, name: str, seconds: float | None = None) -> None:
        """Raises StartError when the service is not ready in time, or keeps ending."""
        entry = self._entry(name)
        limit = entry.service.start_seconds if seconds is None else seconds
        deadline = time.monotonic() + limit
        while not (entry.process is not None and entry.service.ready()):
            if self._closing.is_set() or not entry.wanted:
                raise StartError(f"{name} was stopped while it started")
            if entry.crashes >= 3 or time.monotonic() > deadline:
                what = "keeps ending" if entry.crashes >= 3 else f"was not ready within {limit:.0f} s"
                log = self.log_file(name)
                raise StartError(f"{name} {what}. The end of {log}:\n{processes.last_words(log)}")
            time.sleep(2 * _TICK)

    def stop(self, name: str) -> bool:
        """Stop gracefully; kill after the service's time. Returns whether it went by itself."""
        with self._lock:
            entry = self._entry(name)
            entry.wanted = False
            process, entry.process = entry.process, None
            entry.since = time.time()
        if process is None:
            return True
        gracefully = processes.stop(process, entry.service.stop_signal, entry.service.stop_seconds)
        self._remember()
        return gracefully

    def stop_all(self) -> list[str]:
        """Stop everything in reverse order of `add`; returns the names that had to be killed."""
        return [name for name in reversed(list(self._entries)) if not self.stop(name)]

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL, *, revive: bool = False) -> None:
        """Send a deadly signal and wait for the end. The service stays down unless `revive`."""
        with self._lock:
            entry = self._entry(name)
            process = entry.process
            if process is None:
                raise RuntimeError(f"{name} is not running")
            entry.wanted = revive
            process.send_signal(number)
        if not processes.wait_until(lambda: entry.process is not process, 30):
            raise RuntimeError(f"{name} did not end within 30 s of {number.name}")

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)

    def pause(self, name: str) -> None:
        """Freeze a process (SIGSTOP): it holds its connections and answers nothing."""
        self._signal(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        self._signal(name, signal.SIGCONT)

    def status(self) -> list[Status]:
        with self._lock:
            return [
                Status(
                    name=name,
                    state=entry.state,
                    pid=entry.process.pid if entry.process else None,
                    restarts=entry.restarts,
                    since=entry.since,
                )
                for name, entry in self._entries.items()
            ]

    def close(self) -> list[str]:
        """Stop everything and end the watcher. The object is of no more use."""
        killed = self.stop_all()
        self._closing.set()
        self._watcher.join(5)
        self._pid_file.unlink(missing_ok=True)
        return killed

    def log_file(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    @property
    def names(self) -> list[str]:
        return list(self._entries)

    # The watcher --------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._closing.wait(_TICK):
            with self._lock:
                for entry in self._entries.values():
                    self._look_after(entry)
            if time.monotonic() >= self._next_rotation:
                self._next_rotation = time.monotonic() + _ROTATE_EVERY
                for name in self.names:
                    processes.rotate(self.log_file(name))

    def _look_after(self, entry: _Entry) -> None:
        if entry.process is not None:
            code = entry.process.poll()
            if code is None:
                return
            processes.kill_group(entry.process.pid)
            lived = time.time() - entry.since
            entry.process = None
            entry.since = time.time()
            if entry.wanted:
                entry.crashes = 1 if lived > self._backoff.forgive_after else entry.crashes + 1
                pause = self._backoff.wait(entry.crashes)
                entry.start_at = time.monotonic() + pause
                _log.warning("%s ended with %s; starting again in %.1f s", entry.service.name, code, pause)
            self._remember()
        elif entry.wanted and time.monotonic() >= entry.start_at:
            entry.restarts += 1
            try:
                self._spawn(entry)
            except StartError as error:  # its program is gone; the watcher must live on for the others
                _log.error("%s", error)

    def _spawn(self, entry: _Entry) -> None:
        try:
            entry.process = processes.spawn(entry.service, self.log_file(entry.service.name))
        except OSError as error:
            entry.wanted = False
            raise StartError(f"{entry.service.name} cannot be started: {error}") from error
        entry.since = time.time()
        _log.info("%s started as process %d", entry.service.name, entry.process.pid)
        self._remember()

    def _remember(self) -> None:
        """Write down who runs, so that a later supervisor can end what a killed one left behind."""
        with self._lock:
            known: dict[str, ProcessIdentity] = {}
            for name, entry in self._entries.items():
                if entry.process is not None:
                    with contextlib.suppress(ProcessLookupError):
                        known[name] = ProcessIdentity.of(entry.process.pid)
            partial = self._pid_file.with_suffix(".partial")
            partial.write_bytes(msgspec.json.encode(known))
            partial.replace(self._pid_file)

    def _entry(self, name: str) -> _Entry:
        try:
            return self._entries[name]
        except KeyError:
            raise ValueError(f"there is no service {name!r}; known are {', '.join(self._entries)}") from None

    def _signal(self, name: str, number: signal.Signals) -> None:
        process = self._entry(name).process
        if process is None:
            raise RuntimeError(f"{name} is not running")
        process.send_signal(number)


def end_leftovers(pid_file: Path) -> list[str]:
    """End what a supervisor that was killed left running; returns the services' names. Newest first."""
    with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
        known = msgspec.json.decode(pid_file.read_bytes(), type=dict[str, ProcessIdentity])
        ended = [name for name, identity in reversed(known.items()) if processes.end_leftover(identity)]
        pid_file.unlink()
        return ended
    return []
