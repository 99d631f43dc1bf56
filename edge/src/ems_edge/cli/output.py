"""What the commands say: tables, JSON and progress, plain in a pipe, and never a secret."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Never

import msgspec
import typer
from ems_contract import logs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

OK, FAILED, WRONG = 0, 1, 2
"""Exit codes: well, it could not be done, what was given is wrong."""
_PIPE_WIDTH = 1000
"""In a pipe no line is folded."""
_SECRETS = frozenset({"password", "key", "token", "secret"})

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, for a machine.")]


def console(*, stderr: bool = False) -> Console:
    """Colours and the terminal's width on a terminal, neither in a pipe."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _PIPE_WIDTH, highlight=False, markup=False)


def plain(text: str) -> str:
    """Without what a terminal would obey: names and answers come from devices, and a device may say anything."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)


def say(text: str) -> None:
    console().print(plain(logs.redact(text)), soft_wrap=True)


def note(text: str) -> None:
    """Beside the answer: on standard error."""
    console(stderr=True).print(plain(logs.redact(text)), soft_wrap=True, style="dim")


def sentence(error: Exception, remedy: str) -> str:
    """What a driver says, with a remedy where it gives none itself."""
    return str(error) if ";" in str(error) else f"{error}; {remedy}"


def complain(message: str) -> None:
    """One sentence on standard error, with its remedy."""
    console(stderr=True).print(plain(logs.redact(message)), soft_wrap=True, style="red")


def fail(message: str, code: int) -> Never:
    complain(message)
    raise typer.Exit(code)


def table(columns: Mapping[str, str], rows: Iterable[Sequence[str | Text]]) -> None:
    """`columns`: title -> justification, left or right."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for title, justify in columns.items():
        drawn.add_column(title, justify="right" if justify == "right" else "left")
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row))
    console().print(drawn)


def emit(data: Any) -> None:
    """JSON, indented; NaN and infinity become null."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")


def progress() -> Progress:
    """On standard error, and only where somebody looks at it."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def shown(connection: Mapping[str, Any]) -> dict[str, Any]:
    """A connection as it may be seen."""
    return {name: logs.REDACTED if name in _SECRETS else value for name, value in connection.items()}


def in_words(connection: Mapping[str, Any]) -> str:
    """`host=10.0.0.5 unit=2`, as it is given on the command line."""
    return " ".join(f"{name}={value}" for name, value in shown(connection).items())


def number(value: float) -> str:
    """Seven digits at most, without an exponent for what people measure: 230.1, 1500, 0.05."""
    if abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return f"{value:.7g}"


def moment(ms: int | None) -> str:
    return "-" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def size(count: int) -> str:
    """1.5 MiB."""
    amount, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{number(round(amount, 1))} {unit}"


def span(seconds: float) -> str:
    """How long: 12 s, 5 min, 3.5 h, 2.1 d."""
    for unit, length in (("d", 86_400), ("h", 3_600)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
