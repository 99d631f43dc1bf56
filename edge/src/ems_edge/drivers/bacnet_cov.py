"""A BACnet device that tells changes by itself (COV), and is polled where it does not.

Subscriptions are renewed at half their lifetime. An object that refuses one is polled; after half a lifetime it is
asked again. What was told is believed as long as the device speaks: after two intervals without a word from it, and
every minute in any case, everything is read. A device that did not answer then, or whose values have moved by more than
their COV increment without a word, has lost the subscriptions (it was restarted): they are made again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

import structlog

from ems_edge.decode import Scaling, Value
from ems_edge.driver import Changed, DeviceSpec
from ems_edge.drivers.bacnet_device import SILENCES, BacnetDevice
from ems_edge.drivers.bacnet_plan import COV_INCREMENT, PRESENT_VALUE, STATUS_FLAGS, ObjectId, ObjectSource
from ems_edge.drivers.bacnet_station import Station, StationError
from ems_edge.drivers.bacnet_values import flags, number, value_of

if TYPE_CHECKING:
    from ems_edge.drivers.bacnet import Connection

log = structlog.get_logger()

BELIEVED_INTERVALS = 2
CHECKED_EVERY = 60.0
RENEWED_AT = 0.5
"""Of the lifetime."""
RETRY = 5.0
"""s between attempts to subscribe at a device that does not answer, or seems to forget."""
FAREWELL = 1.0
"""s for cancelling all subscriptions when the edge stops; what is left expires."""
_ANALOG = frozenset({0, 1, 2, 12, 24, 45, 46, 48, 54})
"""Object types that have a COV increment."""


class CovDevice(BacnetDevice):
    def __init__(self, spec: DeviceSpec, connection: Connection, station: Station, address: tuple[str, int]) -> None:
        super().__init__(spec, connection, station, address)
        self._interval = spec.interval
        self._objects: dict[ObjectId, list[ObjectSource]] = {}
        for source in self.sources.values():
            if source.is_present_value:
                self._objects.setdefault(source.object, []).append(source)
        self._subscribed: set[ObjectId] = set()
        self._refusing: set[ObjectId] = set()
        self._increments: dict[ObjectId, float] = {}
        self._told: dict[str, Value] = {}
        self._told_at: dict[str, float] = {}
        self._known: dict[str, Value] = {}
        self._spoke = self._checked = float("-inf")
        self._lost = asyncio.Event()
        self._changed: Changed | None = None
        self._process = 0
        self._keeping: asyncio.Task[None] | None = None

    def watch(self, changed: Changed) -> None:
        self._changed = changed
        self._process = self.peer.station.listen(self._heard)
        self._keeping = asyncio.create_task(self._keep(), name=f"cov {self.key}")

    async def read(self) -> dict[str, Value]:
        now = time.monotonic()
        silent = now - max(self._spoke, self._checked) > BELIEVED_INTERVALS * self._interval
        due = now - self._checked > max(CHECKED_EVERY, self._interval)
        believed = {} if silent or due else {name: value for name, value in self._known.items() if self._is_told(name)}
        rest = [source for name, source in self.sources.items() if name not in believed]
        values = await self.poll(rest) if rest else {}
        if not believed:
            values = self._check(values, now)
        return {name: believed[name] if name in believed else values[name] for name in self.sources}

    async def close(self) -> None:
        if self._keeping is None:
            return
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)
        farewells = [self._subscribe(found, lifetime=0, limit=FAREWELL) for found in self._subscribed]
        await asyncio.gather(*farewells, return_exceptions=True)
        self.peer.station.unlisten(self._process)

    # What it says -------------------------------------------------------------------------------------------------

    def _is_told(self, name: str) -> bool:
        source = self.sources[name]
        return source.is_present_value and source.object in self._subscribed

    def _heard(self, found: ObjectId, values: list[tuple[int, Any]]) -> None:
        properties = dict(values)
        if found not in self._objects or PRESENT_VALUE not in properties:
            return
        raw = number(properties[PRESENT_VALUE])
        status = flags(properties[STATUS_FLAGS]) if STATUS_FLAGS in properties else 0
        told = {source.name: value_of(source, raw, status) for source in self._objects[found]}
        self._spoke = time.monotonic()
        self._told |= told
        self._told_at |= dict.fromkeys(told, self._spoke)
        self._known |= told
        if self._changed is not None:
            self._changed(told)

    def _check(self, values: dict[str, Value], began: float) -> dict[str, Value]:
        """After everything was read: was something not told? What was told meanwhile is newer than the answer."""
        meanwhile = {name: self._told[name] for name, at in self._told_at.items() if at >= began}
        self._known = values | meanwhile
        if all(value in SILENCES for value in self._known.values()):
            self._subscribed.clear()  # whoever does not answer may not know us when it is back
            self._lost.set()
            return self._known
        self._checked = time.monotonic()
        untold = [name for name in values if self._is_told(name) and self._moved(name, values[name])]
        if untold and not meanwhile:
            log.info("changes were not told, subscribing again", device=self.key, points=untold)
            self._lost.set()
        return self._known

    def _moved(self, name: str, value: Value) -> bool:
        told = self._told.setdefault(name, value)  # some devices do not begin with a notification
        if isinstance(told, float) and isinstance(value, float):
            source = self.sources[name]
            return abs(value - told) > self._increments.get(source.object, 0.0) * abs(source.scaling.scale) * 1.01
        return told != value

    # Subscriptions ------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        while True:
            self._lost.clear()
            answered = await self._subscribe_all()
            wait = self.connection.cov_lifetime * RENEWED_AT if answered else RETRY
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._lost.wait()
                    await asyncio.sleep(min(RETRY, self._interval))

    async def _subscribe_all(self) -> bool:
        """Whether the device answered to it, be it with a no."""
        for found in self._objects:
            try:
                await self._subscribe(found, self.connection.cov_lifetime, self.connection.timeout)
            except StationError as error:
                self._subscribed.discard(found)
                if not error.refused:
                    return False
                if found not in self._refusing:
                    name = self._objects[found][0].name
                    log.info("not told of changes, polling", device=self.key, point=name, said=str(error))
                self._refusing.add(found)
                if error.unknown_service:
                    return True
            else:
                self._subscribed.add(found)
                self._refusing.discard(found)
        await self._learn_increments()
        return True

    async def _learn_increments(self) -> None:
        new = [found for found in self._subscribed if found[0] in _ANALOG and found not in self._increments]
        plain = Scaling()
        asked = {found: ObjectSource(f"{found}", found, COV_INCREMENT, plain) for found in new}
        values = await self.poll(asked.values()) if asked else {}
        for found, source in asked.items():
            increment = values[source.name]
            self._increments[found] = increment if isinstance(increment, float) else float("inf")

    async def _subscribe(self, found: ObjectId, lifetime: int, limit: float) -> None:
        await self.peer.subscribe(found, self._process, self.connection.cov_confirmed, lifetime, limit)
