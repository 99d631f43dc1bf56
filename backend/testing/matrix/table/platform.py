"""What developers do."""

from __future__ import annotations

from testing.matrix.grids import DEVELOPERS, SANDBOX
from testing.matrix.row import Row

ROWS = (
    Row("sandboxes_list", DEVELOPERS),
    Row("sandbox_create", DEVELOPERS, body={"name": "Second trial", "sites": ["factory"], "history_days": 0}),
    Row("sandbox_delete", SANDBOX),
)
