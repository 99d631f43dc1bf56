"""A device as its registers show it: the physics, overlaid by pins, frozen values and counter resets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ems_contract.points import Kind
from pymodbus.constants import ExcCodes

from ems_simulator.codec import NotEncodableError, decode, encode
from ems_simulator.live import LiveSite
from ems_simulator.registers import READS, Bank, RegisterPoint, register_map
from ems_simulator.sites import Device

_READS_LIMIT = 1 << 32


@dataclass(slots=True)
class Pin:
    """A point held at `value` (as the register decodes; None is "no value"), and when that first left the socket."""

    words: tuple[int, ...]
    value: float | None
    first_answer: float | None = None


class Answer(NamedTuple):
    """Words for the wire. `reads` is the counter they carry, and `pins` the names of the pinned points in them."""

    words: list[int]
    reads: int | None
    pins: tuple[str, ...]


class PointRefusedError(ValueError):
    """The point does not exist, or cannot be pinned to this value; the message says why and what can be done."""


class DeviceImage:
    """The registers of one device of a live site. `reads` counts the answered reads that covered it."""

    def __init__(self, device: Device, live: LiveSite, reads: int = 0) -> None:
        self.device = device
        self.map = register_map(device.profile)
        self.reads = reads
        self.pins: dict[str, Pin] = {}
        self._live = live
        self._frozen: dict[str, float] | None = None
        self._offsets: dict[str, float] = {}
        self._cached: dict[int, list[int]] = {}
        self._cached_at = -1

    # Reading -----------------------------------------------------------------------------------------------------

    def value(self, name: str) -> float:
        """What the point shows without a pin, in its unit."""
        if name == READS:
            return self.reads
        if self._frozen is not None and not self.map.points[name].writable:
            return self._frozen[name]
        return self._live.value(f"{self.device.key}.{name}") - self._offsets.get(name, 0.0)

    def read(self, function: int, address: int, count: int) -> Answer | ExcCodes:
        """The answer to a read, for `answered` once it is written."""
        bank = self._bank(function)
        if bank is None or address + count > bank.size:
            return ExcCodes.ILLEGAL_ADDRESS
        covered = [point for point in bank.points if point.address >= address and point.end <= address + count]
        words = self._words(bank)[address : address + count]
        reads = (self.reads + 1) % _READS_LIMIT if any(point.name == READS for point in covered) else None
        for register, word in self._reads_words(bank, self.reads if reads is None else reads):
            if address <= register < address + count:
                words[register - address] = word
        pins = tuple(point.name for point in covered if point.name in self.pins) if self.pins else ()
        return Answer(words, reads, pins)

    def answered(self, answer: Answer, at_ms: float) -> None:
        """The answer was written to the socket at this time."""
        if answer.reads is not None:
            self.reads = answer.reads
        for name in answer.pins:
            pin = self.pins[name]
            if pin.first_answer is None:
                pin.first_answer = at_ms

    def _reads_words(self, bank: Bank, reads: int) -> list[tuple[int, int]]:
        """(register, word) of the `reads` counter, if it is in this bank: it changes from answer to answer."""
        counter = next((point for point in bank.points if point.name == READS), None)
        if counter is None:
            return []
        return list(enumerate(encode(counter, reads, self.map.word_order), start=counter.address))

    def _bank(self, function: int) -> Bank | None:
        return next((bank for bank in self.map.banks if function in bank.functions), None)

    def _words(self, bank: Bank) -> list[int]:
        """All words of a bank; encoded once for each second or change."""
        if self._cached_at != self._live.second:
            self._cached.clear()
            self._cached_at = self._live.second
        key = bank.functions[0]
        if key not in self._cached:
            words = [0] * bank.size
            for point in bank.points:
                pin = self.pins.get(point.name)
                value = self.value(point.name)
                words[point.address : point.end] = pin.words if pin else encode(point, value, self.map.word_order)
            self._cached[key] = words
        return self._cached[key]

    # Writing -----------------------------------------------------------------------------------------------------

    def write(self, address: int, words: list[int]) -> ExcCodes | None:
        """Write holding registers: exactly one writable point, within its limits. None is success."""
        bank = self._bank(3)
        point = next((p for p in bank.points if p.address == address and p.width == len(words)), None) if bank else None
        if point is None or not point.writable:
            return ExcCodes.ILLEGAL_ADDRESS
        value = decode(point, words, self.map.word_order)
        low, high = self.limits(point)
        if value is None or not low <= value <= high:
            return ExcCodes.ILLEGAL_VALUE
        if self.device.key == "battery":
            self._live.set_battery(int(value))
        else:
            self._live.set_room(value)
        self._cached.clear()
        return None

    def limits(self, point: RegisterPoint) -> tuple[float, float]:
        """What a writable point accepts, in its unit."""
        site = self._live.site
        if site.battery and self.device.key == "battery":
            return -site.battery.power_kw * 1000.0, site.battery.power_kw * 1000.0
        if site.hvac and self.device.key == "hvac":
            return site.hvac.minimum_setpoint, site.hvac.maximum_setpoint
        raise PointRefusedError(f"{self.device.key}.{point.name} has no limits; it is not writable")

    # Pins and faults ---------------------------------------------------------------------------------------------

    def point(self, name: str) -> RegisterPoint:
        """Raises PointRefusedError."""
        if name not in self.map.points:
            names = ", ".join(self.map.points)
            raise PointRefusedError(f"{self.device.key} has no point {name!r}; choose from {names}")
        return self.map.points[name]

    def pin(self, name: str, value: float | None) -> Pin:
        """Hold a point at a value until `unpin`; None is "no value". Raises PointRefusedError."""
        point = self.point(name)
        if name == READS:
            raise PointRefusedError("reads counts the answers and cannot be pinned; pin another point")
        try:
            words = encode(point, value, self.map.word_order)
        except NotEncodableError as error:
            raise PointRefusedError(f"{self.device.key}.{error}") from None
        self.pins[name] = Pin(words, decode(point, words, self.map.word_order))
        self._cached.clear()
        return self.pins[name]

    def unpin(self, name: str) -> bool:
        """True if it was pinned. Raises PointRefusedError."""
        self._cached.clear()
        return self.pins.pop(self.point(name).name, None) is not None

    def freeze(self, frozen: bool) -> None:
        """Hold every value (but `reads` and setpoints) as it is now, or let go."""
        if frozen and self._frozen is None:
            self._frozen = {name: self.value(name) for name in self.map.points}
            self._cached.clear()
        elif not frozen and self._frozen is not None:
            self._frozen = None
            self._cached.clear()

    def reset_counters(self) -> None:
        """The energy counters begin again at 0."""
        for name, point in self.map.points.items():
            if point.kind is Kind.REGISTER and name != READS:
                self._offsets[name] = self._live.value(f"{self.device.key}.{name}")
        if self._frozen is not None:
            self._frozen |= dict.fromkeys(self._offsets, 0.0)
        self._cached.clear()
