"""What is said to one BACnet device: bacpypes3's messages, from and to plain numbers."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any

from bacpypes3.apdu import (
    ReadPropertyACK,
    ReadPropertyMultipleACK,
    ReadPropertyMultipleRequest,
    ReadPropertyRequest,
    SubscribeCOVRequest,
    WritePropertyRequest,
)
from bacpypes3.basetypes import PropertyReference, ReadAccessSpecification
from bacpypes3.constructeddata import SequenceOf
from bacpypes3.primitivedata import Double, Enumerated, Integer, Null, ObjectIdentifier, Real, Unsigned
from ems_contract.points import Reason

from ems_edge.drivers.bacnet_plan import ANY_INSTANCE, ObjectId, Request
from ems_edge.drivers.bacnet_station import Station, StationError, tags_of
from ems_edge.drivers.bacnet_values import DOUBLE, ENUMERATED, INTEGER, NULL, REAL, UNSIGNED, Tag

_PRIMITIVES: dict[int, Any] = {
    NULL: Null,
    UNSIGNED: Unsigned,
    INTEGER: Integer,
    REAL: Real,
    DOUBLE: Double,
    ENUMERATED: Enumerated,
}
type Results = dict[tuple[ObjectId, int], list[Tag] | None]
"""The tags of each property that was answered; None for one that the device has not."""


class Peer:
    """One device at an address, asked from a station. Methods take at most `limit` s and raise StationError."""

    def __init__(self, station: Station, host: str, port: int) -> None:
        self.station = station
        self._host = host
        self._port = port

    async def read_one(self, found: ObjectId, number: int, limit: float, index: int | None = None) -> list[Tag]:
        request = ReadPropertyRequest(objectIdentifier=ObjectIdentifier(found), propertyIdentifier=number)
        if index is not None:
            request.propertyArrayIndex = index
        answer = await self._ask(request, limit)
        if not isinstance(answer, ReadPropertyACK):
            raise StationError(Reason.GARBLED, "not an answer to ReadProperty")
        kind, instance = answer.objectIdentifier
        same = (int(kind), int(instance)) == found or found == (int(kind), ANY_INSTANCE)
        if not same or int(answer.propertyIdentifier) != number:
            raise StationError(Reason.GARBLED, "an answer to another question")
        return tags_of(answer.propertyValue)

    async def read_many(self, asked: Request, limit: float) -> Results:
        """What could not be read of it is None, or not there."""
        specifications = [
            ReadAccessSpecification(
                objectIdentifier=ObjectIdentifier(found),
                listOfPropertyReferences=[PropertyReference(propertyIdentifier=number) for number in numbers],
            )
            for found, numbers in asked
        ]
        several = SequenceOf(ReadAccessSpecification)(specifications)
        answer = await self._ask(ReadPropertyMultipleRequest(listOfReadAccessSpecs=several), limit)
        if not isinstance(answer, ReadPropertyMultipleACK):
            raise StationError(Reason.GARBLED, "not an answer to ReadPropertyMultiple")
        results: Results = {}
        for one in answer.listOfReadAccessResults:
            kind, instance = one.objectIdentifier
            for element in one.listOfResults:
                value = element.readResult.propertyValue
                key = (int(kind), int(instance)), int(element.propertyIdentifier)
                results[key] = None if value is None else tags_of(value)
        return results

    async def write(
        self, found: ObjectId, number: int, value: tuple[int, float | tuple[()]], priority: int | None, limit: float
    ) -> None:
        request = WritePropertyRequest(
            objectIdentifier=ObjectIdentifier(found),
            propertyIdentifier=number,
            propertyValue=_PRIMITIVES[value[0]](value[1]),
        )
        if priority is not None:
            request.priority = priority
        await self._ask(request, limit)

    async def subscribe(self, found: ObjectId, process: int, confirmed: bool, lifetime: int, limit: float) -> None:
        """Or renew what is subscribed to; `lifetime` 0 cancels."""
        request = SubscribeCOVRequest(
            subscriberProcessIdentifier=process, monitoredObjectIdentifier=ObjectIdentifier(found)
        )
        if lifetime:
            request.issueConfirmedNotifications, request.lifetime = confirmed, lifetime
        await self._ask(request, limit)

    async def _ask(self, request: Any, limit: float) -> Any:
        return await self.station.ask(await self._address(), self._port, request, limit)

    async def _address(self) -> str:
        try:
            return str(ipaddress.IPv4Address(self._host))
        except ValueError:
            pass
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self._host, self._port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
        except OSError as error:
            raise StationError(Reason.CONNECTION_LOST, f"{self._host}: {error.strerror}") from None
        return str(found[0][4][0])
