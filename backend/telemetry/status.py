"""What the historian says about itself: problems by name, counters. Shared by its threads and its health server."""

from __future__ import annotations

import threading
import time
from typing import Any

import structlog

STALLED_SECONDS = 15.0

log = structlog.get_logger()


class Status:
    """`fail` and `recover` log only when something changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._problems: dict[str, str] = {"historian": "starting"}
        self._counters: dict[str, int] = {}
        self._facts: dict[str, Any] = {}
        self._turned = time.monotonic()

    def fail(self, name: str, why: str) -> None:
        with self._lock:
            news = self._problems.get(name) != why
            self._problems[name] = why
        if news:
            log.error("not ready", part=name, error=why)

    def recover(self, *names: str) -> None:
        with self._lock:
            ended = [name for name in names if self._problems.pop(name, None) is not None]
        for name in ended:
            log.info("ready", part=name)

    def turn(self) -> None:
        """The main loop is alive."""
        self._turned = time.monotonic()

    def count(self, **amounts: int) -> None:
        with self._lock:
            for name, amount in amounts.items():
                self._counters[name] = self._counters.get(name, 0) + amount

    def note(self, **facts: Any) -> None:
        with self._lock:
            self._facts.update(facts)

    def report(self) -> dict[str, Any]:
        silent = time.monotonic() - self._turned
        with self._lock:
            missing = dict(self._problems)
            if silent > STALLED_SECONDS:
                missing["historian"] = f"has not turned for {silent:.0f} s"
            return {
                "status": "not ready" if missing else "ready",
                **({"missing": missing} if missing else {}),
                **self._facts,
                "counters": dict(self._counters),
            }
