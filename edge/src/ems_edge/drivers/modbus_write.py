"""Writes of coils and holding registers, and of single bits of them. What a device does not know is remembered.

A write is acknowledged by the device's echo of it (`modbus_frames.py`); anything else is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ems_contract.points import Reason

from ems_edge.decode import Codec, Type, decode, encode
from ems_edge.driver import WriteError
from ems_edge.drivers.modbus_frames import read, write_bit, write_multiple, write_single
from ems_edge.drivers.modbus_link import LinkError
from ems_edge.drivers.modbus_plan import RegisterSource
from ems_edge.drivers.modbus_turns import Turn

_ILLEGAL_FUNCTION = 1
_MEANINGS = {
    1: "does not know this function",
    2: "has no such register to write",
    3: "refuses the value",
    4: "failed",
    5: "needs longer for it",
    6: "is busy",
    7: "refuses it",
    10: "cannot be reached by its gateway",
    11: "does not answer its gateway",
}


def write_error(point: str, error: LinkError) -> WriteError:
    """A sentence; refused where the device answered with an exception."""
    if error.code is None:
        return WriteError(error.reason, f"{point}: not written: {error}")
    meaning = _MEANINGS.get(error.code, "refuses it")
    return WriteError(error.reason, f"{point}: the device {meaning} (exception {error.code})", refused=True)


class Writer:
    """Of one unit. Its methods raise LinkError."""

    def __init__(self, mode: Literal["auto", "single", "multiple"], *, mask_write: bool) -> None:
        self._mode = mode
        self._mask_write = mask_write

    async def write(self, turn: Turn, source: RegisterSource, value: float) -> None:
        """Raises ValueError for a value that the type cannot hold, before anything is sent."""
        words = encode(value, source.codec)
        if decode(words, source.codec) is Reason.NO_VALUE:
            raise ValueError(f"{value} is the number by which the device says that it has none")
        if source.function == "coil":
            await self._put(turn, "coil", source.address, [int(words[0] != 0)])
        elif source.codec.type is Type.BIT:
            await self._put_bit(turn, source.address, source.codec, words[0])
        else:
            await self._put(turn, "holding", source.address, words)

    async def _put(self, turn: Turn, function: str, address: int, values: Sequence[int]) -> None:
        if self._mode == "multiple" or (self._mode == "auto" and len(values) > 1):
            await turn.request(write_multiple(function, address, values))
            return
        try:
            for offset, value in enumerate(values):
                await turn.request(write_single(function, address + offset, value))
        except LinkError as error:
            if self._mode != "auto" or error.code != _ILLEGAL_FUNCTION:
                raise
            self._mode = "multiple"
            await self._put(turn, function, address, values)

    async def _put_bit(self, turn: Turn, address: int, codec: Codec, word: int) -> None:
        """`word` is the register with only this bit, or without it."""
        mask = encode(1, Codec(Type.BIT, byte_order=codec.byte_order, bit=codec.bit))[0]
        if self._mask_write:
            try:
                await turn.request(write_bit(address, mask.bit_length() - 1, int(word != 0)))
            except LinkError as error:
                if error.code != _ILLEGAL_FUNCTION:
                    raise
                self._mask_write = False
            else:
                return
        # Nobody else on this link comes between; another master, or the device itself, may.
        answer = await turn.request(read("holding", address, 1))
        await self._put(turn, "holding", address, [int.from_bytes(answer[2:4]) & ~mask | word])
