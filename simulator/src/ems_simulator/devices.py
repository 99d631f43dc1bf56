"""A device as its registers show it."""

from __future__ import annotations

from typing import NamedTuple

from pymodbus.constants import ExcCodes

from ems_simulator.codec import NotEncodableError, decode, encode
from ems_simulator.image import READS_LIMIT, Image, Pin, PointRefusedError
from ems_simulator.live import LiveSite
from ems_simulator.registers import READS, Bank, RegisterPoint, register_map
from ems_simulator.sites import Device


class Answer(NamedTuple):
    """Words for the wire. `reads` is the counter they carry, and `pins` the names of the pinned points in them."""

    words: list[int]
    reads: int | None
    pins: tuple[str, ...]


class DeviceImage(Image[RegisterPoint]):
    """The registers of one device of a live site."""

    def __init__(self, device: Device, live: LiveSite, reads: int = 0) -> None:
        self.map = register_map(device.profile)
        super().__init__(device, live, self.map.points, reads)
        self._cached: dict[int, list[int]] = {}
        self._cached_at = -1

    # Reading -----------------------------------------------------------------------------------------------------

    def read(self, function: int, address: int, count: int) -> Answer | ExcCodes:
        """The answer to a read, for `answered` once it is written."""
        bank = self._bank(function)
        if bank is None or address + count > bank.size:
            return ExcCodes.ILLEGAL_ADDRESS
        covered = [point for point in bank.points if point.address >= address and point.end <= address + count]
        words = self._words(bank)[address : address + count]
        reads = (self.reads + 1) % READS_LIMIT if any(point.name == READS for point in covered) else None
        for register, word in self._reads_words(bank, self.reads if reads is None else reads):
            if address <= register < address + count:
                words[register - address] = word
        pins = tuple(point.name for point in covered if point.name in self.pins) if self.pins else ()
        return Answer(words, reads, pins)

    def answered(self, answer: Answer, at_ms: float) -> None:
        """The answer was written to the socket at this time."""
        if answer.reads is not None:
            self.reads = answer.reads
        self.left(answer.pins, at_ms)

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

    # Pins --------------------------------------------------------------------------------------------------------

    def _pinned(self, point: RegisterPoint, value: float | None) -> Pin:
        try:
            words = encode(point, value, self.map.word_order)
        except NotEncodableError as error:
            raise PointRefusedError(f"{self.device.key}.{error}") from None
        return Pin(decode(point, words, self.map.word_order), words)

    def _changed(self) -> None:
        self._cached.clear()
