"""The driver protocol: how the poller reads a device, whatever it speaks.

Call order: `Driver()` once for each protocol; `driver.device(spec)` once for each device, before any read; then
`device.read()` any number of times, never twice at once for the same device, different devices freely at once;
`driver.close()` once, after the last read has returned or was cancelled. `read` may be cancelled at any time.

Errors: `device` raises ValueError for a connection it cannot use. `read` raises nothing for what a device or a network
does: every point of the spec is in the answer, as a number in the point's unit or as a contract `Reason` (timeout,
connection_lost, device_exception, no_value, garbled, out_of_range). A bad value is never 0 and never the last one.

Time: `read` returns within the connection's timeout, plus what it waited for its turn on a shared link. A driver
reconnects by itself, with backoff, and answers `connection_lost` meanwhile. Links are shared inside a driver, so one
object serves every device of its protocol. All intervals and timeouts are in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ems_edge.decode import Codec, Value


@dataclass(frozen=True, slots=True)
class PointSource:
    """Where a device keeps one point; `function` and `address` are the protocol's own (Modbus: `holding`, 0-based)."""

    name: str
    function: str
    address: int
    codec: Codec


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """One device to read. `connection` is the driver's own; `interval` is how often it will be read."""

    key: str
    connection: Mapping[str, str | int | float | bool]
    interval: float
    points: tuple[PointSource, ...]


class Device(Protocol):
    async def read(self) -> dict[str, Value]:
        """All points once: point name -> number or reason."""


class Driver(Protocol):
    def device(self, spec: DeviceSpec) -> Device: ...

    async def close(self) -> None: ...
