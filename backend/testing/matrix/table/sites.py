"""Organizations, sites and what is on them; history; the edges' own endpoints."""

from __future__ import annotations

from testing.matrix.grids import ANY_CREDENTIAL, EDGES, VIEW_SITE
from testing.matrix.row import Row

ROWS = (
    Row("validate_token", ANY_CREDENTIAL),
    Row("organizations_list", ANY_CREDENTIAL),
    Row("sites_list", ANY_CREDENTIAL),
    Row("site", VIEW_SITE),
    Row("site_points", VIEW_SITE),
    Row("site_assets", VIEW_SITE),
    Row("historical", VIEW_SITE, query={"site": "{site}", "points": "{point_key}", "from": "0"}),
    Row("edge_session", EDGES, body={"boot": "6f1d7a52-0c2b-4b7c-9a43-0f6f5f0d2b11", "software": "1.0"}),
    Row("edge_points", EDGES, body={"points": []}),
)
