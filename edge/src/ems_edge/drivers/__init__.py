"""One module for each protocol; `DRIVERS` finds it by the name that a device's `driver` field gives.

A protocol's module is imported when its first device is met: some of their libraries cost more memory than the rest
of the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ems_edge.driver import Driver


@dataclass(frozen=True, slots=True)
class Kind:
    """`make` a driver; `connection` is the struct that a device's connection must fit."""

    make: Callable[[], Driver]
    connection: type[Any]


@cache
def _bacnet() -> Kind:
    from ems_edge.drivers import bacnet

    return Kind(bacnet.BacnetDriver, bacnet.Connection)


@cache
def _modbus() -> Kind:
    from ems_edge.drivers import modbus

    return Kind(modbus.ModbusDriver, modbus.Connection)


@cache
def _mqtt() -> Kind:
    from ems_edge.drivers import mqtt

    return Kind(mqtt.MqttDriver, mqtt.Connection)


class _Drivers(Mapping[str, Kind]):
    """Names are free; looking at one imports it."""

    def __init__(self, kinds: Mapping[str, Callable[[], Kind]]) -> None:
        self._kinds = kinds

    def __getitem__(self, name: str) -> Kind:
        return self._kinds[name]()

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


DRIVERS: Mapping[str, Kind] = _Drivers({"bacnet": _bacnet, "modbus": _modbus, "mqtt": _mqtt})
