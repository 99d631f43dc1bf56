"""The driver protocol: how a device is read and written, whatever it speaks.

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

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ems_contract.points import Reason

from ems_edge.decode import Value


@dataclass(frozen=True, slots=True)
class PointSource:
    """Where a device keeps one point. Each driver has its own kind, which says where that is on its protocol."""

    name: str

    @property
    def resolution(self) -> float:
        """One step of the device's number, in the point's unit; 0 where it has none (a float)."""
        return 0.0


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """One device. `connection` is the driver's own and may hold a password; `interval` is how often it is read."""

    key: str
    connection: Mapping[str, str | int | float | bool]
    interval: float
    points: tuple[PointSource, ...]

    def __repr__(self) -> str:
        return f"DeviceSpec({self.key!r}, {len(self.points)} points)"


class Device(Protocol):
    async def read(self) -> dict[str, Value]:
        """All points once: point name -> number or reason."""


class WriteError(Exception):
    """The value is not in force, or nobody knows. `refused`: surely not; the device itself said no, or cannot.

    `reason` is what a sample would have; the message is a sentence that names point and cause.
    """

    def __init__(self, reason: Reason, detail: str, *, refused: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.refused = refused


@runtime_checkable
class WritableDevice(Device, Protocol):
    """Besides: `write` and `read_back`, at any time, also while a `read` is under way; never two at once."""

    async def write(self, point: str, value: float | None) -> None:
        """Hold the point at `value`, in its unit; None gives it up (BACnet: relinquishes the priority).

        Returns once the device has acknowledged it. Raises WriteError, also for None where the protocol has no giving
        up, and ValueError for a value that the point's type cannot hold or a point that cannot be written.
        """

    async def read_back(self, point: str) -> Value:
        """What the device says now of a point that was written. Raises nothing, as `read`."""


Changed = Callable[[dict[str, Value]], None]
"""Some points of a device, just now: point name -> number or reason."""


@runtime_checkable
class PushingDevice(Device, Protocol):
    """Besides: it says itself when something changed (MQTT, BACnet COV). `read` then gives what it knows, at once."""

    def watch(self, changed: Changed) -> None:
        """Call `changed`, in the event loop, whenever the device said something. Called once, before any read."""


@dataclass(frozen=True, slots=True)
class Found:
    """A device that a scan came across: how to reach it, what it says of itself, and the profile that fits, if any.

    A scan is a driver's own `async def scan(...) -> AsyncIterator[Found]`; it finds what answers, and raises nothing
    for what does not.
    """

    name: str
    connection: Mapping[str, str | int | float | bool]
    says: Mapping[str, str]
    profile: str | None = None


class Driver(Protocol):
    def device(self, spec: DeviceSpec) -> Device: ...

    async def close(self) -> None: ...
