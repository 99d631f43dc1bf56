"""What the worker says about itself: for each job how it is, since when, and why. Shared by all its threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import structlog

STUCK_SECONDS = 600.0
LONGEST_REASON = 300

log = structlog.get_logger()


class State(StrEnum):
    STARTING = "starting"
    STANDBY = "standby"
    """Another worker does this job."""
    RUNNING = "running"
    WAITING = "waiting"
    FAILING = "failing"


@dataclass
class _Entry:
    """`since` is when the state began; while a job fails, when it began to fail. Both in s since the epoch."""

    state: State
    since: float
    why: str = ""
    failures: int = 0
    turns: int = 0
    began: float = 0.0


class Status:
    """`fail` and what follows a failure are logged once, however often the job is tried meanwhile."""

    def __init__(self, jobs: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._entries = {name: _Entry(State.STARTING, time.time()) for name in jobs}

    def standby(self, job: str) -> None:
        self._move(job, State.STANDBY)

    def begin(self, job: str) -> None:
        with self._lock:
            self._entries[job].began = time.time()
        self._move(job, State.RUNNING)

    def end(self, job: str) -> None:
        with self._lock:
            self._entries[job].turns += 1
        self._move(job, State.WAITING)

    def fail(self, job: str, error: BaseException) -> int:
        """How often it has failed in a row, this time included."""
        first = str(error).partition("\n")[0]
        with self._lock:
            entry = self._entries[job]
            entry.failures += 1
            news = entry.failures == 1
            if news:
                entry.state, entry.since = State.FAILING, time.time()
            entry.began = 0.0
            entry.why = f"{type(error).__name__}: {first}"[:LONGEST_REASON]
        if news:
            log.error("job failed", job=job, error=entry.why, exc_info=error)
        return entry.failures

    def _move(self, job: str, state: State) -> None:
        """A job that has failed is failing until a turn has ended well, or another worker does it."""
        with self._lock:
            entry = self._entries[job]
            recovered = entry.failures if state in (State.WAITING, State.STANDBY) else 0
            if recovered:
                entry.failures, entry.why = 0, ""
            if state is not State.RUNNING:
                entry.began = 0.0
            if entry.failures or entry.state is state:
                return
            entry.state, entry.since = state, time.time()
        if recovered:
            log.info("job recovered", job=job, failures=recovered)

    def report(self) -> dict[str, Any]:
        now = time.time()
        with self._lock:
            missing = {name: why for name, entry in self._entries.items() if (why := _missing(entry, now))}
            jobs = {
                name: {"state": entry.state, "since": _iso(entry.since), "turns": entry.turns}
                for name, entry in self._entries.items()
            }
        return {
            "status": "not ready" if missing else "ready",
            **({"missing": missing} if missing else {}),
            "jobs": jobs,
        }


def _missing(entry: _Entry, now: float) -> str | None:
    if entry.failures:
        return f"failing since {_iso(entry.since)}, {entry.failures} times: {entry.why}"
    if entry.began and now - entry.began > STUCK_SECONDS:
        return f"in the same turn since {_iso(entry.began)}"
    if not entry.turns and entry.state is not State.STANDBY:
        return "starting"
    return None


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
