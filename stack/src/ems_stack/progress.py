"""What the stack says while it works: steps with the time they took, notes and warnings.

The background process appends them to a file as JSON lines; the command that waits for it reads the file and
prints. In the foreground they are printed directly. Steps may overlap.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.status import Status

Kind = Literal["started", "progress", "finished", "failed", "note", "warning", "ready", "error", "stopped"]


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """`text` is the step's name or the message; `detail` what came of it; `seconds` how long it took."""

    kind: Kind
    text: str
    detail: str = ""
    seconds: float | None = None


class Sink(Protocol):
    """Takes events, in order, from any thread. Never raises."""

    def __call__(self, event: Event) -> None: ...


class Step:
    """A step in progress: `say` shows how far it is, `done` what came of it."""

    def __init__(self, sink: Sink, name: str) -> None:
        self._sink = sink
        self._name = name
        self.outcome = ""

    def say(self, detail: str) -> None:
        self._sink(Event("progress", self._name, detail))

    def done(self, outcome: str) -> None:
        self.outcome = outcome


class Progress:
    def __init__(self, sink: Sink = lambda _: None) -> None:
        self.sink = sink

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        started = time.monotonic()
        step = Step(self.sink, name)
        self.sink(Event("started", name))
        try:
            yield step
        except BaseException:
            self.sink(Event("failed", name, seconds=time.monotonic() - started))
            raise
        self.sink(Event("finished", name, step.outcome, time.monotonic() - started))

    def note(self, text: str) -> None:
        self.sink(Event("note", text))

    def warn(self, text: str) -> None:
        self.sink(Event("warning", text))


class FileSink:
    """Appends events to a file that `follow` reads."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._file.write(msgspec.json.encode(event) + b"\n")


class ConsoleSink:
    """Prints one line for each finished step; on a terminal also what is under way, in one moving line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._open: dict[str, str] = {}
        self._status: Status | None = None

    def __call__(self, event: Event) -> None:
        with self._lock:
            match event.kind:
                case "started":
                    self._open[event.text] = ""
                case "progress":
                    self._open[event.text] = event.detail
                case "finished":
                    self._open.pop(event.text, None)
                    detail = f"  [dim]{escape(event.detail)}[/]" if event.detail else ""
                    self._print(f"  [green]✓[/] {event.text:<34} [dim]{event.seconds or 0:6.1f} s[/]{detail}")
                case "failed":
                    self._open.pop(event.text, None)
                    self._print(f"  [red]✗[/] {escape(event.text)}")
                case "warning":
                    self._print(f"  [yellow]![/] {escape(event.text)}")
                case "note":
                    self._print(f"  [dim]·[/] {escape(event.text)}")
                case _:
                    pass
            self._show_open()

    def close(self) -> None:
        with self._lock:
            self._open.clear()
            self._show_open()

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)

    def _show_open(self) -> None:
        if not self._console.is_terminal:
            return
        if not self._open:
            if self._status:
                self._status.stop()
            self._status = None
            return
        text = " · ".join(escape(f"{name} {detail}".strip()) for name, detail in self._open.items())
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)


def follow(path: Path, begin: int = 0) -> Iterator[Event | None]:
    """Yield events as they are written; None whenever there is nothing new (the caller waits, or gives up)."""
    with path.open("rb") as file:
        file.seek(begin)
        rest = b""
        while True:
            chunk = file.read(65_536)
            if not chunk:
                yield None
                continue
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield msgspec.json.decode(line, type=Event)
