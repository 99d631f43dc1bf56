"""A historian in a thread, for tests that need no process of its own."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from typing import Any

from ems_contract.telemetry import Reading
from telemetry import streams
from telemetry.compactor import Compactor
from telemetry.historian import Historian, now_ms
from telemetry.status import Status
from telemetry.tests.ledger import EDGE, SITE, reading

EDGES = [(SITE, EDGE)]


class Running:
    """A historian in a thread of its own, as `manage.py historian` runs it."""

    def __init__(
        self, database: dict[str, Any], url: str, edges: list[tuple[int, int]], compacts: bool = False
    ) -> None:
        self.status = Status()
        self.historian = Historian(
            streams.Streams(streams.connect(url)), database, lambda: list(edges), self.status, retention_days=400
        )
        self._thread = threading.Thread(target=self.historian.run)
        self._compactor = Compactor(self.historian, database, self.status, lambda *_: None) if compacts else None

    def start(self) -> None:
        self._thread.start()
        if self._compactor:
            self._compactor.start()

    def stop(self) -> None:
        self.historian.stopping.set()
        self._thread.join(10)
        if self._compactor:
            self._compactor.stop(10)
        assert not self._thread.is_alive()

    def missing(self) -> dict[str, str]:
        return dict(self.status.report().get("missing", {}))


@contextlib.contextmanager
def running(
    database: dict[str, Any], url: str, edges: list[tuple[int, int]] = EDGES, compacts: bool = False
) -> Iterator[Running]:
    one = Running(database, url, edges, compacts)
    one.start()
    try:
        yield one
    finally:
        one.stop()


clock = itertools.count(now_ms())
"""An edge never issues a time twice."""


def power(value: float) -> Reading:
    return reading(next(clock), {"meter.power": value, "meter.reads": value})
