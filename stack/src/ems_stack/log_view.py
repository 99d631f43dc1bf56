"""Follows the services' logs: one stream, each line with its service's name in front."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.text import Text

_COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green", "bright_yellow")
_TAIL = 16_384


@dataclass
class Follower:
    """Reads what is appended to the logs of a directory; new logs are picked up, cut ones (rotation) read anew."""

    directory: Path
    service: str | None = None
    lines_before: int = 10
    _offsets: dict[Path, int] = field(default_factory=dict)
    _rest: dict[Path, bytes] = field(default_factory=dict)

    def poll(self) -> Iterator[tuple[str, str]]:
        """Yield (service, line) for everything new."""
        for path in sorted(self.directory.glob(f"{self.service or '*'}.log")):
            size = path.stat().st_size
            first_look = path not in self._offsets
            offset = self._offsets.get(path, max(0, size - _TAIL))
            if size < offset:
                offset, self._rest[path] = 0, b""
            if size == offset and not first_look:
                continue
            with path.open("rb") as file:
                file.seek(offset)
                *lines, self._rest[path] = (self._rest.get(path, b"") + file.read(size - offset)).split(b"\n")
            self._offsets[path] = size
            shown = lines[max(0, len(lines) - self.lines_before) :] if first_look else lines
            for line in shown:
                yield path.stem, line.decode(errors="replace")


def show(console: Console, follower: Follower, closing: threading.Event) -> None:
    """Print until `closing` is set."""
    colours: dict[str, str] = {}
    while True:
        for service, line in follower.poll():
            colour = colours.setdefault(service, _COLOURS[len(colours) % len(_COLOURS)])
            console.print(Text(f"{service:<12} ", style=colour) + Text(line), soft_wrap=True)
        if closing.wait(0.2):
            return
