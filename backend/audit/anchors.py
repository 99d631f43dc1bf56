"""The ends of the chains, written down where no administrator of the database can reach: a file, and the log.

`EMS_AUDIT_ANCHORS` names a directory, best on another machine or write-once storage. Each month has a file of lines
{"at": ISO 8601, "organization": 7, "position": 120, "hash": hex}, only ever appended to.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import structlog
from django.conf import settings

EVERY_SECONDS = 60.0
"""A chain is anchored at most this often, and this is how much of its end could be cut off without a trace."""

log = structlog.get_logger()


class BadAnchors(Exception):
    """A line of the anchors' files is none; the message names file and line."""


@dataclass(frozen=True)
class Head:
    """A place in a chain and the hash there; the end of it when it was written down."""

    organization: int
    position: int
    hash: bytes


class Anchors:
    """`directory` None: only the log has them."""

    def __init__(self, directory: Path | None, every: float = EVERY_SECONDS) -> None:
        self._directory = directory
        self._every = every
        self._last: dict[int, tuple[float, int]] | None = None

    @classmethod
    def configured(cls) -> Self:
        return cls(settings.AUDIT_ANCHORS)

    def write(self, heads: Iterable[Head], now: float) -> None:
        """Those that grew since they were written, each at most every so often. `now` in s. Raises OSError."""
        if self._last is None:
            self._last = {head.organization: (0.0, head.position) for head in self.read()}
        due = []
        for head in heads:
            at, position = self._last.get(head.organization, (0.0, 0))
            if head.position > position and now - at >= self._every:
                due.append(head)
        if not due:
            return
        at_text = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
        if self._directory is not None:
            self._append(due, at_text)
        for head in due:
            self._last[head.organization] = (now, head.position)
            log.info("audit anchor", organization=head.organization, position=head.position, hash=head.hash.hex())

    def _append(self, heads: Iterable[Head], at: str) -> None:
        directory: Path = self._directory  # type: ignore[assignment]
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = [
            {"at": at, "organization": head.organization, "position": head.position, "hash": head.hash.hex()}
            for head in heads
        ]
        with (directory / f"anchors-{at[:7]}.ndjson").open("a", encoding="utf-8") as file:
            file.write("".join(f"{json.dumps(line)}\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> Iterator[Head]:
        """All of them, oldest first. Raises BadAnchors, OSError."""
        if self._directory is None:
            return
        for path in sorted(self._directory.glob("anchors-*.ndjson")):
            with path.open(encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    if line.endswith("\n"):  # else it is being written, or the writer was killed
                        yield _head(line, f"{path.name}, line {number}")


def _head(line: str, where: str) -> Head:
    try:
        fields = json.loads(line)
        return Head(int(fields["organization"]), int(fields["position"]), bytes.fromhex(fields["hash"]))
    except (ValueError, KeyError, TypeError) as error:
        raise BadAnchors(f"{where}: {line.strip()[:100]!r} is no anchor") from error
