"""One module for each protocol; `DRIVERS` finds it by the name that a device's `driver` field gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ems_edge.driver import Driver
from ems_edge.drivers import modbus


@dataclass(frozen=True, slots=True)
class Kind:
    """`make` a driver; `connection` is the struct that a device's connection must fit."""

    make: Callable[[], Driver]
    connection: type[Any]


DRIVERS: dict[str, Kind] = {"modbus": Kind(modbus.ModbusDriver, modbus.Connection)}
