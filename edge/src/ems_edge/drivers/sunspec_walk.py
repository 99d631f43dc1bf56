"""Which SunSpec models a device has, and where: found by walking from one to the next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ems_contract.points import Reason

from ems_edge.drivers.modbus_frames import Request, read
from ems_edge.drivers.modbus_link import LinkError
from ems_edge.drivers.sunspec_models import HEADER

BASES = (40000, 0, 50000)
"""Where the marker may be; almost every device has it at 40000."""
_MARKER = b"SunS"
_END = 0xFFFF
_MOST_MODELS = 200

Ask = Callable[[Request], Awaitable[bytes]]
"""The PDU of the answer. Raises LinkError."""


@dataclass(frozen=True, slots=True)
class Found:
    """A model on the device: `address` is where its ID is, `length` what its second register says."""

    model: int
    address: int
    length: int


class Walk:
    """Of one device. What an interrupted walk has found is kept, so a slow device is walked over several reads."""

    def __init__(self, bases: Sequence[int] = BASES) -> None:
        self._bases = list(bases)
        self._at: int | None = None
        self._found: list[Found] = []

    async def run(self, ask: Ask) -> list[Found]:
        """In the device's order. Raises LinkError; `garbled` where there is no SunSpec to be found."""
        at = self._at if self._at is not None else await self._start(ask)
        while at < 0x10000 - HEADER:
            self._at = at
            try:
                pdu = await ask(read("holding", at, HEADER))
            except LinkError as error:
                if error.reason is Reason.DEVICE_EXCEPTION and self._found:
                    break  # some devices have no end
                raise
            model, length = int.from_bytes(pdu[2:4]), int.from_bytes(pdu[4:6])
            if model == _END:
                break
            if at + HEADER + length > 0x10000:
                break  # what stands behind the last model of a device without an end, or a lie
            self._found.append(Found(model, at, length))
            if len(self._found) > _MOST_MODELS:
                raise LinkError(Reason.GARBLED, f"more than {_MOST_MODELS} models")
            at += HEADER + length
        return self._found

    async def _start(self, ask: Ask) -> int:
        refused: LinkError | None = None
        while self._bases:
            base = self._bases[0]
            try:
                pdu = await ask(read("holding", base, 2))
            except LinkError as error:
                if error.reason is not Reason.DEVICE_EXCEPTION:
                    raise
                refused, pdu = error, b""
            if pdu[2:] == _MARKER:
                return base + 2
            self._bases.pop(0)
        raise refused or LinkError(Reason.GARBLED, "there is no SunSpec marker")
