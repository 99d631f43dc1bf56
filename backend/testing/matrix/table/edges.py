"""Edges, their keys and their devices; what an edge itself may ask."""

from __future__ import annotations

from testing.matrix.grids import ADD_TO_SITE, ANY_CREDENTIAL, EDGES, MANAGE_SITE, VIEW_SITE
from testing.matrix.row import Row

_BOOT = "6f1d7a52-0c2b-4b7c-9a43-0f6f5f0d2b11"
_CONNECTION = {"host": "10.0.0.5", "port": 502, "unit": 1}

ROWS = (
    Row("edges_list", ANY_CREDENTIAL),
    Row("edge_create", ADD_TO_SITE, body={"site": "{site}", "name": "New"}),
    Row("edge", VIEW_SITE),
    Row("edge_change", MANAGE_SITE, body={"name": "Renamed"}),
    Row("edge_delete", MANAGE_SITE, path={"id": "{keyless_edge}"}),
    Row("edge_keys_list", MANAGE_SITE),
    Row("edge_key_create", MANAGE_SITE),
    Row("edge_key", MANAGE_SITE),
    Row("edge_key_delete", MANAGE_SITE),
    Row("devices_list", ANY_CREDENTIAL),
    Row(
        "device_create",
        ADD_TO_SITE,
        body={
            "edge": "{edge}",
            "asset": "{asset}",
            "key": "new_meter",
            "name": "New",
            "driver": "modbus",
            "profile": "stl_meter",
            "connection": _CONNECTION,
        },
    ),
    Row("device", VIEW_SITE),
    Row("device_change", MANAGE_SITE, body={"edge": "{edge}", "asset": "{asset}", "name": "Renamed"}),
    Row("device_delete", MANAGE_SITE),
    Row("edge_session", EDGES, body={"boot": _BOOT, "software": "1.0"}),
    Row("edge_points", EDGES, body={"points": []}),
)
