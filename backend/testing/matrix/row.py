"""One line of the table: an operation, its grid, and how to call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testing.matrix.grid import Grid

EMPTY: Mapping[str, str] = {}


@dataclass(frozen=True)
class Row:
    """`operation` is the operation id of the description.

    In `path`, `query` and `body`, a text `{asset}` stands for the id of the target's asset and `{own.asset}` always for
    that of the own site. A path parameter needs no entry where the collection before it says what it is
    (`/edges/{pk}`: an edge). `cookie`: the actor's refresh cookie goes with the call.
    """

    operation: str
    grid: Grid
    body: Any = None
    query: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    path: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    cookie: bool = False
