"""How a Modbus or SunSpec device is reached: a host or a serial line of the edge."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from sites.connections import check_connection


@pytest.mark.parametrize("driver", ["modbus", "sunspec"])
@pytest.mark.parametrize(
    "connection",
    [
        {"host": "10.0.0.7"},
        {"host": "fe80::1", "port": 1502, "unit": 0, "timeout": 0.5, "max_gap": 0, "max_words": 30, "delay": 0.05},
        {"host": "gateway", "framer": "rtu", "unit": 17, "write": "multiple", "mask_write": False},
        {"serial": "/dev/serial/by-id/usb-FTDI_FT232R_A50285BI-if00-port0", "baudrate": 9600, "parity": "none"},
        {"serial": "COM3", "stop_bits": 2, "bytesize": 8, "unit": 247},
    ],
)
def test_a_host_or_a_serial_line_is_taken(driver: str, connection: dict[str, Any]) -> None:
    check_connection(driver, connection)


@pytest.mark.parametrize("driver", ["modbus", "sunspec"])
@pytest.mark.parametrize(
    ("connection", "field"),
    [
        ({}, "host"),
        ({"host": None}, "host"),
        ({"host": "a b"}, "host"),
        ({"host": "x", "serial": "/dev/ttyUSB0"}, "serial"),
        ({"serial": "ttyUSB0"}, "serial"),
        ({"serial": "socket://10.0.0.1:80"}, "serial"),
        ({"serial": "/dev/ttyUSB0", "unit": 0}, "unit"),
        ({"host": "x", "framer": "rtu", "unit": 248}, "unit"),
        ({"host": "x", "framer": "ascii"}, "framer"),
        ({"serial": "/dev/ttyUSB0", "parity": "mark"}, "parity"),
        ({"serial": "/dev/ttyUSB0", "stop_bits": 3}, "stop_bits"),
        ({"host": "x", "max_words": 3}, "max_words"),
        ({"host": "x", "delay": 6}, "delay"),
        ({"host": "x", "write": "both"}, "write"),
    ],
)
def test_a_mistake_is_named(driver: str, connection: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        check_connection(driver, connection)
    detail = caught.value.detail
    assert isinstance(detail, dict)
    assert list(detail["connection"]) == [field]


def test_where_the_models_are_is_for_sunspec() -> None:
    check_connection("sunspec", {"host": "x", "base": 40000})
    with pytest.raises(ValidationError):
        check_connection("modbus", {"host": "x", "base": 40000})
    with pytest.raises(ValidationError):
        check_connection("sunspec", {"host": "x", "base": 70000})
