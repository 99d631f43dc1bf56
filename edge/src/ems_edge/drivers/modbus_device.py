"""A Modbus device whose register map its profile gives."""

from __future__ import annotations

import structlog
from ems_contract.points import Reason

from ems_edge.decode import Value
from ems_edge.driver import DeviceSpec, WriteError
from ems_edge.drivers.modbus_connection import Connection
from ems_edge.drivers.modbus_link import LinkError
from ems_edge.drivers.modbus_plan import READ_ONLY_FUNCTIONS, RegisterSource, Span, plan
from ems_edge.drivers.modbus_turns import Outcome, SharedLink, Turn, Unit
from ems_edge.drivers.modbus_write import Writer, write_error

log = structlog.get_logger()

_REFUSED_REGISTERS = frozenset({2, 3})
"""Exception codes 'illegal data address' and 'illegal data value'."""
_UNREACHABLE = frozenset({10, 11})
"""Exception codes of a gateway: no way to the unit, or no answer from it."""


class SpanReader:
    """Reads spans one after the other, and learns which of them a device wants in smaller parts."""

    def __init__(self, device: str, spans: list[Span]) -> None:
        self._device = device
        self._spans = spans

    async def read(self, turn: Turn) -> Outcome:
        """Every point, and what broke it off: after a silence or a lost link the rest is not asked for."""
        values: dict[str, Value] = {}
        failure: Reason | None = None
        at = 0
        while at < len(self._spans):
            span, reason = self._spans[at], failure
            if reason is None:
                try:
                    values |= span.decode(await turn.request(span.request))
                except LinkError as error:
                    if error.code in _REFUSED_REGISTERS and (parts := span.split()):
                        log.info("reading around a gap", device=self._device, table=span.function, address=span.address)
                        self._spans[at : at + 1] = parts
                        continue
                    reason = error.reason
                    if reason is not Reason.DEVICE_EXCEPTION or error.code in _UNREACHABLE:
                        failure = reason
            if reason is not None:
                values |= dict.fromkeys((point.name for point in span.points), reason)
            at += 1
        return values, failure


class ModbusDevice:
    """One unit. Writable (`driver.WritableDevice`) in what its profile calls writable."""

    def __init__(self, spec: DeviceSpec, connection: Connection, shared: SharedLink) -> None:
        sources = [point for point in spec.points if isinstance(point, RegisterSource)]
        self._key = spec.key
        self._sources = {source.name: source for source in sources}
        self._unit = Unit(connection.unit, connection.timeout, shared)
        self._reader = SpanReader(spec.key, plan(sources, connection.max_gap, connection.max_words))
        self._writer = Writer(connection.write, mask_write=connection.mask_write)

    async def read(self) -> dict[str, Value]:
        return await self._unit.read(self._reader.read)

    async def write(self, point: str, value: float | None) -> None:
        source = self._sources.get(point)
        if source is None or not source.writable or source.function in READ_ONLY_FUNCTIONS:
            raise ValueError(f"{self._key}.{point} cannot be written")
        if value is None:
            detail = f"{self._key}.{point}: Modbus knows no giving up of a register"
            raise WriteError(Reason.OTHER, detail, refused=True)
        try:
            await self._unit.at_once(lambda turn: self._writer.write(turn, source, value))
        except LinkError as error:
            raise write_error(f"{self._key}.{point}", error) from None

    async def read_back(self, point: str) -> Value:
        (span,) = plan([self._sources[point]], max_gap=0)
        try:
            return span.decode(await self._unit.at_once(lambda turn: turn.request(span.request)))[point]
        except LinkError as error:
            return error.reason
