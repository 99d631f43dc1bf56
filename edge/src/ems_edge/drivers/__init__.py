"""One module for each protocol; `DRIVERS` finds it by the name that a device's `driver` field gives.

A protocol's module is imported when its first device is met: some of their libraries cost more memory than the rest
of the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ems_edge.driver import Driver
from ems_edge.lazy import Lazy


def _agree(_: Mapping[str, Any]) -> None:
    """No two devices of most protocols can contradict each other."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`make` a driver; `connection` is the struct that a device's connection must fit.

    `contradiction` looks at the connections of several devices: (device, problem) of the first that cannot be, or None.
    """

    make: Callable[[], Driver]
    connection: type[Any]
    contradiction: Callable[[Mapping[str, Any]], tuple[str, str] | None] = _agree


def _bacnet() -> Kind:
    from ems_edge.drivers import bacnet

    return Kind(bacnet.BacnetDriver, bacnet.Connection)


def _modbus() -> Kind:
    from ems_edge.drivers import modbus

    return Kind(modbus.ModbusDriver, modbus.Connection, modbus.contradiction)


def _mqtt() -> Kind:
    from ems_edge.drivers import mqtt

    return Kind(mqtt.MqttDriver, mqtt.Connection)


def _sunspec() -> Kind:
    from ems_edge.drivers import modbus, sunspec

    return Kind(modbus.ModbusDriver, sunspec.Connection, modbus.contradiction)


DRIVERS: Lazy[Kind] = Lazy({"bacnet": _bacnet, "modbus": _modbus, "mqtt": _mqtt, "sunspec": _sunspec})


def make_drivers(names: Iterable[str]) -> dict[str, Driver]:
    """A driver for each name. Protocols that share their lines (SunSpec is Modbus) share one object."""
    makers = {name: DRIVERS[name].make for name in names}
    made = {make: make() for make in makers.values()}
    return {name: made[make] for name, make in makers.items()}
