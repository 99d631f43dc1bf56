"""What a duty of the worker is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """One named duty, done in turns.

    `every`: s between two turns; `listen`: a NOTIFY channel that calls for one at once. `run` does all that is due, and
    returns. It has a thread and a database connection of its own and may
    raise whatever fails, which is told and tried again. Killed anywhere and run again, it must do no harm; two may
    overlap for a moment when a connection was lost.
    """

    name: str
    run: Callable[[], None]
    every: float
    listen: str | None = None
