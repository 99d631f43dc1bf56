"""SunSpec over Modbus: a device's points are found by model and name, wherever the device keeps them.

At its first read a device is walked (`sunspec_walk.py`); from then on its points are read like any other registers,
together with their scale factors, which some devices change as they go, and with the headers of their models: where a
header is no longer what it was (new firmware, another device), nothing is believed and the device is walked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Literal

from ems_contract.points import Reason
from msgspec import Meta

from ems_edge.decode import Codec, Scaling, Type, Value
from ems_edge.driver import DeviceSpec, PointSource, WriteError
from ems_edge.drivers import modbus_connection
from ems_edge.drivers.modbus_device import SpanReader
from ems_edge.drivers.modbus_frames import read
from ems_edge.drivers.modbus_link import LinkError
from ems_edge.drivers.modbus_plan import MAX_WORDS, RegisterSource, plan
from ems_edge.drivers.modbus_turns import Outcome, SharedLink, Turn, Unit
from ems_edge.drivers.modbus_write import Writer, write_error
from ems_edge.drivers.sunspec_models import CODECS, HEADER, Place, place
from ems_edge.drivers.sunspec_walk import BASES, Found, Walk

_HEADER = Codec(Type.UINT32)


class Connection(modbus_connection.Connection, frozen=True, kw_only=True):
    """As Modbus; `base` is where the SunSpec marker is, where it is at none of its usual places.

    A device has every register of its models, so that requests may read across all of them.
    """

    max_gap: Annotated[int, Meta(ge=0, le=MAX_WORDS)] = MAX_WORDS
    write: Literal["auto", "single", "multiple"] = "multiple"
    base: Annotated[int, Meta(ge=0, le=65533)] | None = None


@dataclass(frozen=True, slots=True)
class SunSpecSource(PointSource):
    """`path` in the first of `models` that the device has; `scaling` comes after the device's scale factor.

    `enable` is a point of the same model that is written 1 after the value, and 0 to give the value up.
    """

    models: tuple[int, ...]
    path: str
    scaling: Scaling
    writable: bool = False
    enable: str | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """A source on this device: its model begins at `start`."""

    source: SunSpecSource
    model: int
    start: int
    place: Place

    def factor(self) -> str | None:
        """The name under which its scale factor is read."""
        return None if self.place.factor is None else f"{self.start + self.place.factor} sf"

    def registers(self) -> list[RegisterSource]:
        number = RegisterSource(self.source.name, "holding", self.start + self.place.offset, self.place.codec)
        name = self.factor()
        if name is None or self.place.factor is None:
            return [number]
        return [number, RegisterSource(name, "holding", self.start + self.place.factor, CODECS["sunssf"])]

    def codec(self, exponent: int) -> Codec:
        return _scaled(self.place.codec, self.source.scaling, exponent)

    def value(self, raw: Mapping[str, Value]) -> Value:
        """From the raw numbers that were read."""
        number, exponent = raw[self.source.name], self.place.exponent
        if (name := self.factor()) is not None and not isinstance(number, Reason):
            factor = raw[name]
            if isinstance(factor, Reason):
                return Reason.GARBLED if factor is Reason.OUT_OF_RANGE else factor
            exponent = int(factor)
        if isinstance(number, Reason):
            return number
        whole = self.place.codec.type not in (Type.FLOAT32, Type.FLOAT64)
        return self.codec(exponent).value(int(number) if whole else number)


class SunSpecDevice:
    """One unit. Writable (`driver.WritableDevice`) in what its profile calls writable."""

    def __init__(self, spec: DeviceSpec, connection: Connection, shared: SharedLink) -> None:
        self._key = spec.key
        self._sources = {point.name: point for point in spec.points if isinstance(point, SunSpecSource)}
        self._connection = connection
        self._unit = Unit(connection.unit, connection.timeout, shared)
        self._writer = Writer(connection.write, mask_write=False)
        self._walk: Walk
        """That of the reads; a write, which may come in between, goes its own way."""
        self._located: dict[str, Located] | None
        self._headers: dict[str, int]
        self._reader: SpanReader
        self._forget()

    async def read(self) -> dict[str, Value]:
        return await self._unit.read(self._once)

    async def write(self, point: str, value: float | None) -> None:
        source = self._sources.get(point)
        if source is None or not source.writable:
            raise ValueError(f"{self._key}.{point} cannot be written")
        if value is None and source.enable is None:
            raise WriteError(Reason.OTHER, f"{self._key}.{point}: its model has nothing that switches it off")
        try:
            await self._unit.at_once(lambda turn: self._write(turn, source, value))
        except LinkError as error:
            raise write_error(f"{self._key}.{point}", error) from None

    async def read_back(self, point: str) -> Value:
        async def once(turn: Turn) -> Value:
            located = (await self._find(turn, self._start())).get(point)
            if located is None:
                return Reason.NO_VALUE
            raw: dict[str, Value] = {}
            for span in plan(located.registers(), self._connection.max_gap, self._connection.max_words):
                raw |= span.decode(await turn.request(span.request))
            return located.value(raw)

        try:
            return await self._unit.at_once(once)
        except LinkError as error:
            return error.reason

    def _start(self) -> Walk:
        base = self._connection.base
        return Walk(BASES if base is None else (base,))

    def _forget(self) -> None:
        """Where everything is."""
        self._walk = self._start()
        self._located = None

    async def _find(self, turn: Turn, walk: Walk) -> dict[str, Located]:
        """Raises LinkError."""
        if self._located is None:
            try:
                found = await walk.run(turn.request)
            except LinkError as error:
                if error.reason in (Reason.GARBLED, Reason.DEVICE_EXCEPTION):
                    self._forget()  # another time it may be another device
                raise
            self._settle(found)
        return self._located or {}

    async def _check(self, turn: Turn, located: Located) -> None:
        """That its model is still where it was. Raises LinkError."""
        answer = await turn.request(read("holding", located.start, HEADER))
        if int.from_bytes(answer[2:6]) != self._headers.get(f"{located.start} header"):
            self._forget()
            raise LinkError(Reason.GARBLED, f"model {located.model} is no longer where it was")

    def _settle(self, found: list[Found]) -> None:
        self._located = {
            name: located for name, source in self._sources.items() if (located := _locate(source, found)) is not None
        }
        used = {located.start for located in self._located.values()}
        models = [one for one in found if one.address in used]
        self._headers = {f"{one.address} header": one.model << 16 | one.length for one in models}
        sources = [RegisterSource(f"{one.address} header", "holding", one.address, _HEADER) for one in models]
        for located in self._located.values():
            sources += located.registers()
        wanted = {source.name: source for source in sources}  # many points share a scale factor
        spans = plan(wanted.values(), self._connection.max_gap, self._connection.max_words)
        self._reader = SpanReader(self._key, spans)

    async def _once(self, turn: Turn) -> Outcome:
        try:
            located = await self._find(turn, self._walk)
        except LinkError as error:
            return dict.fromkeys(self._sources, error.reason), error.reason
        raw, failure = await self._reader.read(turn)
        if any(raw[name] != header and not isinstance(raw[name], Reason) for name, header in self._headers.items()):
            self._forget()
            return dict.fromkeys(self._sources, Reason.GARBLED), failure
        return {
            name: located[name].value(raw) if name in located else Reason.NO_VALUE for name in self._sources
        }, failure

    async def _write(self, turn: Turn, source: SunSpecSource, value: float | None) -> None:
        located = (await self._find(turn, self._start())).get(source.name)
        if located is None:
            models = " or ".join(map(str, source.models))
            detail = f"{self._key}.{source.name}: the device has no model {models}"
            raise WriteError(Reason.NO_VALUE, detail, refused=True)
        await self._check(turn, located)
        if value is not None:
            codec = located.codec(await self._exponent(turn, located))
            where = RegisterSource(source.name, "holding", located.start + located.place.offset, codec)
            await self._writer.write(turn, where, value)
        if source.enable is not None:
            switch = place(located.model, source.enable)
            where = RegisterSource(source.enable, "holding", located.start + switch.offset, Codec(switch.codec.type))
            await self._writer.write(turn, where, float(value is not None))

    async def _exponent(self, turn: Turn, located: Located) -> int:
        if located.place.factor is None:
            return located.place.exponent
        answer = await turn.request(read("holding", located.start + located.place.factor, 1))
        factor = CODECS["sunssf"].value(int.from_bytes(answer[2:4], signed=True))
        if isinstance(factor, Reason):
            raise LinkError(factor, "its scale factor makes no sense")
        return int(factor)


def _locate(source: SunSpecSource, found: list[Found]) -> Located | None:
    for number in source.models:
        for one in found:
            if one.model == number:
                where = place(number, source.path)
                if where.end <= one.length + HEADER:
                    return Located(source, number, one.address, where)
    return None


@lru_cache(maxsize=4096)
def _scaled(codec: Codec, scaling: Scaling, exponent: int) -> Codec:
    """The device's scale factor first, then the profile's scaling; in whole numbers, so that a tenth is a tenth."""
    return replace(
        codec,
        type=Type.ENUM if scaling.states and codec.type is Type.UINT16 else codec.type,
        states=scaling.states,
        scale=float(Fraction(repr(scaling.scale)) * Fraction(10) ** exponent),
        offset=scaling.offset,
        sentinels=(*codec.sentinels, *scaling.sentinels),
        minimum=scaling.minimum,
        maximum=scaling.maximum,
    )
