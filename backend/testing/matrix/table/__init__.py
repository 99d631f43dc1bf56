"""The rows, one file for each area."""

from __future__ import annotations

from testing.matrix.row import Row
from testing.matrix.table import auth, control, edges, people, platform, sites

TABLE: tuple[Row, ...] = (
    *auth.ROWS,
    *people.ROWS,
    *sites.ROWS,
    *edges.ROWS,
    *control.ROWS,
    *platform.ROWS,
)
