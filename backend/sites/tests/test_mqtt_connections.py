"""How a device behind an MQTT broker is reached: the broker, and the variables of its profile's topics."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from sites.connections import check_connection

BROKER = {"host": "10.0.0.9", "port": 8883, "tls": True, "username": "edge", "password": "hidden", "timeout": 0}


@pytest.mark.parametrize(
    "variables",
    [{}, {"base": "home/cellar/shellypro3em-a0dd6c9f4d5c"}, {"portal": "e0ff50a097c0", "grid": 30}],
)
def test_a_broker_and_any_variables_are_taken(variables: dict[str, Any]) -> None:
    check_connection("mqtt", {**BROKER, **variables})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"host": ""}, "host"),
        ({"host": "a b"}, "host"),
        ({"port": 0}, "port"),
        ({"tls": "yes"}, "tls"),
        ({"password": 5}, "password"),
        ({"timeout": -1}, "timeout"),
        ({"Base": "x"}, "Base"),
        ({"base": ""}, "base"),
        ({"base": "a/#"}, "base"),
        ({"base": "+"}, "base"),
        ({"base": "a\nb"}, "base"),
        ({"base": 1.5}, "base"),
        ({"base": True}, "base"),
        ({"base": "x" * 256}, "base"),
    ],
)
def test_a_mistake_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        check_connection("mqtt", {**BROKER, **change})
    detail = caught.value.detail
    assert isinstance(detail, dict)
    assert list(detail["connection"]) == [field]
    assert "hidden" not in str(detail)
