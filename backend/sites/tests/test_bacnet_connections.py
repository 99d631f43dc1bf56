"""How a BACnet device is reached: what is taken, and which field a mistake names, as on the edge."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from sites.connections import check_connection


@pytest.mark.parametrize(
    "connection",
    [
        {"address": "10.0.0.20"},
        {"address": "ahu-1.plant.example:47809", "device": 2001, "cov": True},
        {"address": "10.0.0.20", "local": "10.0.0.5:47808", "timeout": 1.5, "priority": 16},
        {"address": "10.0.0.20", "cov": True, "cov_confirmed": False, "cov_lifetime": 60},
    ],
)
def test_a_connection_is_taken(connection: dict[str, Any]) -> None:
    check_connection("bacnet", connection)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"address": "http://10.0.0.20"}, "address"),
        ({"device": 4_194_303}, "device"),
        ({"local": "eth0"}, "local"),
        ({"priority": 0}, "priority"),
        ({"priority": 17}, "priority"),
        ({"cov_lifetime": 1}, "cov_lifetime"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        check_connection("bacnet", {"address": "10.0.0.20", **change})
    assert isinstance(caught.value.detail, dict)
    assert field in caught.value.detail["connection"]
