"""One BACnet device, polled.

A device that does not know ReadPropertyMultiple is read property by property; one that cannot answer so much at once is
asked for less; an object that makes a whole request fail is asked for alone. What was learnt so is kept.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import structlog
from ems_contract.points import Reason

from ems_edge.decode import Value
from ems_edge.driver import DeviceSpec, WriteError
from ems_edge.drivers.bacnet_messages import Peer, Results
from ems_edge.drivers.bacnet_plan import (
    ANY_INSTANCE,
    OBJECT_TYPES,
    STATUS_FLAGS,
    Limits,
    ObjectId,
    ObjectSource,
    Request,
    split,
    wanted,
)
from ems_edge.drivers.bacnet_station import Station, StationError
from ems_edge.drivers.bacnet_values import NULL, encode, flags, number, value_of

if TYPE_CHECKING:
    from ems_edge.drivers.bacnet import Connection

log = structlog.get_logger()

_DEVICE = OBJECT_TYPES["device"]
_MAX_APDU, _SEGMENTATION = 62, 107
_SENDS_SEGMENTS = frozenset({0, 1})
"""segmented-both and segmented-transmit."""
SILENCES = frozenset({Reason.TIMEOUT, Reason.CONNECTION_LOST})
_LEAST = 0.001


class BacnetDevice:
    def __init__(self, spec: DeviceSpec, connection: Connection, station: Station, address: tuple[str, int]) -> None:
        self.key = spec.key
        self.connection = connection
        self.peer = Peer(station, *address)
        self.sources = {source.name: source for source in spec.points if isinstance(source, ObjectSource)}
        self._limits: Limits | None = None
        self._flagless: set[ObjectId] = set()
        self._alone: set[ObjectId] = set()

    async def read(self) -> dict[str, Value]:
        return await self.poll(self.sources.values())

    async def read_back(self, point: str) -> Value:
        return (await self.poll([self.sources[point]]))[point]

    async def write(self, point: str, value: float | None) -> None:
        source = self.sources.get(point)
        if source is None or not source.writable:
            raise ValueError(f"{self.key}.{point} cannot be written")
        given: tuple[int, float | tuple[()]] = (NULL, ()) if value is None else encode(source, value)
        priority = self.connection.priority if source.is_present_value else None
        try:
            await self.peer.write(source.object, source.property_number, given, priority, self.connection.timeout)
        except StationError as error:
            what = "was not given back" if value is None else "was not written"
            detail = f"{self.key}.{point} {what}: {error}"
            raise WriteError(error.reason, detail, refused=error.refused) from None

    async def poll(self, sources: Iterable[ObjectSource]) -> dict[str, Value]:
        """These points, asked for now; all of them within the connection's timeout."""
        asked = list(sources)
        deadline = time.monotonic() + self.connection.timeout
        results: Results = {}
        failures: dict[ObjectId, Reason] = {}
        silence: Reason | None = None
        try:
            self._limits = self._limits or await self._introduce(deadline)
            waiting = deque(split(wanted(asked, self._flagless), self._limits, self._alone))
            while waiting:
                request = waiting.popleft()
                try:
                    results |= await self._ask(request, deadline)
                    self._alone -= {found for found, _ in request}
                except StationError as error:
                    if error.reason in SILENCES:
                        raise
                    if self._adapt(error, request):
                        everything = tuple(chain(request, *waiting))
                        waiting = deque(split(everything, self._limits, self._alone))
                    elif error.refused and len(request) > 1:
                        waiting.extendleft((one,) for one in request)  # one of them is to blame
                    else:
                        failures |= dict.fromkeys((found for found, _ in request), error.reason)
                        self._alone |= {found for found, _ in request if error.refused}
        except StationError as error:
            silence = error.reason
        if not results:
            self._alone.clear()  # no object is to blame for what all of them do
        return {source.name: self._value(source, results, failures, silence) for source in asked}

    def _value(
        self, source: ObjectSource, results: Results, failures: dict[ObjectId, Reason], silence: Reason | None
    ) -> Value:
        tags = results.get((source.object, source.property_number))
        if tags is None:
            if (source.object, source.property_number) in results:
                return Reason.DEVICE_EXCEPTION
            return failures.get(source.object) or silence or Reason.GARBLED
        status = results.get((source.object, STATUS_FLAGS))
        if status is None and source.is_present_value and (source.object, STATUS_FLAGS) in results:
            self._flagless.add(source.object)
        return value_of(source, number(tags), 0 if status is None else flags(status))

    async def _introduce(self, deadline: float) -> Limits:
        """Is it the device that is meant, and how much can it say at once?"""
        expected = self.connection.device
        itself = _DEVICE, ANY_INSTANCE if expected is None else expected
        try:
            longest = number(await self.peer.read_one(itself, _MAX_APDU, _left(deadline)))
            segmentation = number(await self.peer.read_one(itself, _SEGMENTATION, _left(deadline)))
        except StationError as error:
            if error.refused and expected is None:
                return Limits()  # too old for a question that names no instance
            if error.refused:
                log.warning("not the expected device", device=self.key, instance=expected, said=str(error))
            raise
        unknown = isinstance(longest, Reason) or math.isnan(longest)
        apdu = Limits().apdu if unknown else int(min(max(longest, 50), 1476))
        return Limits(apdu, segmented=segmentation in _SENDS_SEGMENTS)

    async def _ask(self, request: Request, deadline: float) -> Results:
        if self._limits is None or self._limits.multiple:
            return await self.peer.read_many(request, _left(deadline))
        ((found, (one,)),) = request
        try:
            return {(found, one): await self.peer.read_one(found, one, _left(deadline))}
        except StationError as error:
            if not error.refused:
                raise
            return {(found, one): None}

    def _adapt(self, error: StationError, request: Request) -> bool:
        """Whether the device can be asked in another way from now on."""
        limits = self._limits or Limits()
        if error.unknown_service and limits.multiple:
            self._limits = replace(limits, multiple=False)
            log.info("no ReadPropertyMultiple, reading each property by itself", device=self.key)
        elif error.too_long and (limits.segmented or len(request) > 1):
            self._limits = limits.smaller()
            log.info("asking for less at once", device=self.key, bytes=self._limits.apdu)
        else:
            return False
        return True


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), _LEAST)
