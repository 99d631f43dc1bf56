"""Modbus TCP: batched reads of holding, input, coil and discrete points over one connection for each endpoint.

Who may hold the shared connection how long: while others use the link too, a healthy unit at most a tenth of the
shortest interval (and half a second at least); one that needs longer is asked again after the others, and from then on
last, with what is left of the cycle.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import Annotated

import msgspec
import structlog
from ems_contract.points import Reason

from ems_edge.decode import Value
from ems_edge.driver import Device, DeviceSpec
from ems_edge.drivers.modbus_link import Link, LinkError
from ems_edge.drivers.modbus_plan import MAX_WORDS, RegisterSource, Span, plan

log = structlog.get_logger()

TURN_SHARE = 0.1
TURN_AT_LEAST = 0.5
COURTESY = 0.02
"""How long a slow unit holds back at a tick, so that the others are in line before it."""
LEFTOVER_SHARE = 0.95
LEFTOVER_AT_LEAST = 0.05
_REFUSED_REGISTERS = frozenset({2, 3})
"""Exception codes 'illegal data address' and 'illegal data value'."""


class Connection(msgspec.Struct, frozen=True):
    """A device's `connection`. `timeout` in s; `max_gap` is how many unused registers a request may read across."""

    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 502
    unit: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
    timeout: Annotated[float, msgspec.Meta(gt=0, le=60)] = 1.0
    max_gap: Annotated[int, msgspec.Meta(ge=0, le=MAX_WORDS)] = 8


class ModbusDriver:
    """Knows one link for each (host, port)."""

    def __init__(self) -> None:
        self._links: dict[tuple[str, int], SharedLink] = {}

    def device(self, spec: DeviceSpec) -> Device:
        try:
            connection = msgspec.convert(dict(spec.connection), Connection)
        except msgspec.ValidationError as error:
            raise ValueError(f"{spec.key}: {error}") from None
        shared = self._links.setdefault(
            (connection.host, connection.port), SharedLink(Link(connection.host, connection.port))
        )
        shared.intervals.append(spec.interval)
        return ModbusDevice(spec, connection, shared)

    async def close(self) -> None:
        for shared in self._links.values():
            shared.link.drop()


class SharedLink:
    """A link and the schedule of those who share it; polls are aligned on their interval (`poller.py`)."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.intervals: list[float] = []

    def turn_limit(self) -> float:
        if len(self.intervals) < 2:
            return math.inf
        return max(TURN_SHARE * min(self.intervals), TURN_AT_LEAST)

    def leftover(self) -> float:
        """Seconds until the next device on this link is due."""
        if len(self.intervals) < 2:
            return math.inf
        now = time.time()
        quiet = min(interval - now % interval for interval in self.intervals)
        return max(quiet * LEFTOVER_SHARE, LEFTOVER_AT_LEAST)


class ModbusDevice:
    """One unit. `_slowness` is how long its last read took where that was longer than a turn, infinite for silence."""

    def __init__(self, spec: DeviceSpec, connection: Connection, shared: SharedLink) -> None:
        self._key = spec.key
        self._connection = connection
        self._shared = shared
        self._slowness = 0.0
        self._spans = plan([point for point in spec.points if isinstance(point, RegisterSource)], connection.max_gap)

    async def read(self) -> dict[str, Value]:
        turns, timeout = self._shared.link.turns, self._connection.timeout
        if self._slowness:
            await asyncio.sleep(COURTESY)
        else:
            limit = min(timeout, self._shared.turn_limit())
            async with turns.take(0.0):
                values, failure = await self._read_spans(limit)
            if failure is not Reason.TIMEOUT or limit == timeout:
                return values
        async with turns.take(self._slowness):
            return (await self._read_spans(min(timeout, self._shared.leftover())))[0]

    async def _read_spans(self, limit: float) -> tuple[dict[str, Value], Reason | None]:
        """Every point, and what broke off the read: after a silence or a lost link the rest is not asked for."""
        values: dict[str, Value] = {}
        failure: Reason | None = None
        started = time.monotonic()
        for span in tuple(self._spans):
            reason = failure
            if reason is None:
                try:
                    left = max(limit - (time.monotonic() - started), 0.001)
                    words = await self._shared.link.request(self._connection.unit, span, left)
                except LinkError as error:
                    reason = error.reason
                    if reason is Reason.DEVICE_EXCEPTION:
                        self._respect_refusal(span, error)
                    else:
                        failure = reason
                else:
                    values |= span.decode(words)
                    continue
            values |= dict.fromkeys((point.name for point in span.points), reason)
        took = time.monotonic() - started
        slow = took > self._shared.turn_limit() / 2
        self._slowness = math.inf if failure is Reason.TIMEOUT else took if slow else 0.0
        return values, failure

    def _respect_refusal(self, span: Span, error: LinkError) -> None:
        """Some devices refuse a request that touches registers they do not have: read around the gaps from now on."""
        parts = span.split()
        if error.code in _REFUSED_REGISTERS and len(parts) > 1:
            at = self._spans.index(span)
            self._spans[at : at + 1] = parts
            log.info("reading around gaps", device=self._key, function=span.function, address=span.address)
