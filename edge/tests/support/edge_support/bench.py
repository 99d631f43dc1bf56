"""`ems-edge` as it is typed: in a thread of its own, so that a device of this process can answer it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from ems_edge.main import app, only_errors
from typer.testing import CliRunner


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[list[str]]:
        """The table on standard output, without its head."""
        return [line.split() for line in self.out.splitlines()[1:]]


def typed(*words: object, answer: str | None = None) -> Said:
    """`answer` is what a person types when asked."""
    logs = structlog.get_config()
    only_errors()
    try:
        result = CliRunner().invoke(app, [str(word) for word in words], input=answer)
    finally:
        structlog.configure(**logs)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


async def ems_edge(*words: object, answer: str | None = None) -> Said:
    return await asyncio.to_thread(typed, *words, answer=answer)
