"""Sites and what is on them, and who may do what there; history."""

from __future__ import annotations

from testing.matrix.grids import (
    ADD_TO_ORGANIZATION,
    ADD_TO_SITE,
    ADMINISTER_SITE,
    ANY_CREDENTIAL,
    LOGIN,
    MANAGE_SITE,
    ROLE_ON_SITE,
    VIEW_SITE,
)
from testing.matrix.row import Row

_PLACE = {"timezone": "Europe/Berlin", "latitude": 52.5, "longitude": 13.4}

ROWS = (
    Row("validate_token", ANY_CREDENTIAL),
    Row("sites_list", ANY_CREDENTIAL),
    Row("site_create", ADD_TO_ORGANIZATION, body={"organization": "{organization}", "name": "New", **_PLACE}),
    Row("site", VIEW_SITE),
    Row("site_change", MANAGE_SITE, body={"name": "Renamed"}),
    Row("site_delete", ADMINISTER_SITE.meeting(409), body={"name": "Own"}),  # its edge has a live key
    Row("site_access_explained", MANAGE_SITE),
    Row("site_access_list", LOGIN),
    Row("site_access_create", ADD_TO_SITE, body={"site": "{site}", "email": "{newcomer_email}", "role": "viewer"}),
    Row("site_access", MANAGE_SITE),
    Row("site_access_change", ROLE_ON_SITE, body={"role": "operator"}),
    Row("site_access_delete", ROLE_ON_SITE),
    Row("site_assets", VIEW_SITE),
    Row("assets_list", ANY_CREDENTIAL),
    Row("asset_create", ADD_TO_SITE, body={"site": "{site}", "parent": "{asset}", "kind": "meter", "name": "New"}),
    Row("asset", VIEW_SITE),
    Row("asset_change", MANAGE_SITE, body={"parent": None, "name": "Renamed"}),
    Row("asset_delete", MANAGE_SITE),
    Row("site_points", VIEW_SITE),
    Row("points_list", ANY_CREDENTIAL),
    Row("point", VIEW_SITE),
    Row("point_change", MANAGE_SITE, body={"asset": "{asset}", "maximum": 5.0}),
    Row(
        "site_points_adopt",
        MANAGE_SITE,
        body={"points": [{"id": "{loose_point}", "name": "Found", "unit": "W", "kind": "gauge", "asset": "{asset}"}]},
    ),
    Row("historical", VIEW_SITE, query={"site": "{site}", "points": "{point_key}", "from": "0", "to": "3600000"}),
)
