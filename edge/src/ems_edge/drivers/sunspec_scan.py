"""What a SunSpec device has: its names, its models, and what of each it has implemented."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ems_contract.points import Reason

from ems_edge import driver
from ems_edge.decode import Value, decode
from ems_edge.drivers.modbus_frames import read
from ems_edge.drivers.modbus_link import LinkError
from ems_edge.drivers.modbus_scan import Asking, Given, asking, at_once, described, each
from ems_edge.drivers.sunspec import Connection
from ems_edge.drivers.sunspec_models import HEADER, Place, places
from ems_edge.drivers.sunspec_walk import BASES, Found, Walk

_COMMON = 1
_NAMES = {"maker": (2, 16), "device": (18, 16), "version": (42, 8), "serial": (50, 16)}
"""Offset and registers of the texts in the common model (Mn, Md, Vr, SN)."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A model on the device, with its registers as they were."""

    found: Found
    data: bytes

    def implemented(self) -> list[Place]:
        """The points that the device does not call "not implemented"; a counter at 0 cannot be told from one."""
        return [
            place
            for place in places(self.found.model, self.found.length)
            if self._number(place) is not Reason.NO_VALUE or _may_be_zero(place)
        ]

    def _number(self, place: Place) -> Value:
        codec = place.codec
        return decode(struct.unpack_from(f">{codec.words}H", self.data, 2 * place.offset), codec)


@dataclass(frozen=True, slots=True)
class Survey:
    """`says` are the device's own names: maker, device, version, serial."""

    says: Mapping[str, str]
    models: Sequence[Surveyed]


async def scan(
    connection: Given, units: Iterable[int] = (1,), hosts: Sequence[str] = ()
) -> AsyncIterator[driver.Found]:
    """Each unit that speaks SunSpec, with the numbers of its models; parameters and errors as `modbus_scan.scan`."""
    wanted = list(units)
    async for found in at_once(each(connection, hosts, Connection), lambda line: _units(line, wanted)):
        yield found


async def _units(line: Connection, units: Sequence[int]) -> AsyncIterator[driver.Found]:
    async with asking(line) as asked:
        for unit in units:
            try:
                found = await _walk(line, asked, unit)
                says = await _says(asked, unit, found)
            except LinkError as error:
                if error.reason is Reason.CONNECTION_LOST:
                    return  # nobody is there
                continue
            name = " ".join(filter(None, (says.get("maker"), says.get("device")))) or f"unit {unit}"
            models = ", ".join(str(one.model) for one in found)
            yield driver.Found(name, described(line, unit), {**says, "models": models})


async def survey(connection: Given) -> Survey:
    """Everything that one device has. Raises ValueError for a connection that cannot be, OSError for silence."""
    (line,) = each(connection, (), Connection)
    async with asking(line) as asked:
        try:
            found = await _walk(line, asked, line.unit)
            says = await _says(asked, line.unit, found)
            shown = [(one, await _registers(line, asked, one)) for one in found]
        except LinkError as error:
            raise OSError(f"unit {line.unit} at {line.line.place}: {error}") from None
    return Survey(says, [Surveyed(one, data) for one, data in shown if data is not None])


async def _walk(line: Connection, asked: Asking, unit: int) -> list[Found]:
    walk = Walk(BASES if line.base is None else (line.base,))
    return await walk.run(lambda request: asked.ask(unit, request))


async def _says(asked: Asking, unit: int, found: Sequence[Found]) -> dict[str, str]:
    says: dict[str, str] = {}
    common = next((one for one in found if one.model == _COMMON), None)
    if common is not None:
        for name, (offset, count) in _NAMES.items():
            pdu = await asked.ask(unit, read("holding", common.address + offset, count))
            text = pdu[2:].split(b"\0")[0].decode("utf-8", "replace").strip()
            if text and text.isprintable():
                says[name] = text
    return says


async def _registers(line: Connection, asked: Asking, one: Found) -> bytes | None:
    """None for a model that the device itself refuses to show. Raises LinkError."""
    data, end = b"", one.length + HEADER
    for start in range(0, end, line.max_words):
        count = min(line.max_words, end - start)
        try:
            data += (await asked.ask(line.unit, read("holding", one.address + start, count)))[2:]
        except LinkError as error:
            if error.reason is Reason.DEVICE_EXCEPTION:
                return None
            raise
    return data


def _may_be_zero(place: Place) -> bool:
    return place.point.type.startswith("acc") and place.point.mandatory == "M"
