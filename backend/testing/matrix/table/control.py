"""Commands to devices, and what edges do and say by themselves."""

from __future__ import annotations

from testing.matrix.grids import ADD_TO_SITE, ANY_CREDENTIAL, VIEW_SITE
from testing.matrix.row import Row

ROWS = (
    Row("commands_list", ANY_CREDENTIAL),
    # No site of the scene allows its operators to control.
    Row("command_create", ADD_TO_SITE, body={"site": "{site}", "point": "{setpoint}", "value": 1.0, "lease": 60}),
    Row("command", VIEW_SITE),
    Row("control_events_list", VIEW_SITE),
    Row("edge_status", VIEW_SITE),
)
