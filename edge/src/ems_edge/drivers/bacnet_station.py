"""The edge's own place on a BACnet network: one socket, shared by all devices that are reached through it.

It asks, and hears notifications of changes; it offers nothing, and does not answer a Who-Is: an edge is no device.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from bacpypes3.apdu import (
    AbortPDU,
    AbortReason,
    ConfirmedCOVNotificationRequest,
    ErrorPDU,
    ErrorRejectAbortNack,
    IAmRequest,
    RejectPDU,
    RejectReason,
    SimpleAckPDU,
    UnconfirmedCOVNotificationRequest,
    UnconfirmedRequestPDU,
    WhoIsRequest,
)
from bacpypes3.basetypes import Segmentation
from bacpypes3.errors import ServicesError, UnrecognizedService
from bacpypes3.local.device import DeviceObject
from bacpypes3.pdu import Address, LocalBroadcast
from ems_contract.points import Reason

from ems_edge.drivers.bacnet_plan import LAST_INSTANCE, ObjectId
from ems_edge.drivers.bacnet_values import Tag
from ems_edge.drivers.bacnet_wire import WiredApplication, bound, socket_address

log = structlog.get_logger()

RESEND = 1.0
"""s after which an unanswered request is sent again, as long as its time is not up: a datagram may be lost."""
BACKOFF = 2.0
_OPENING = 2
_HEARD = (IAmRequest, ConfirmedCOVNotificationRequest, UnconfirmedCOVNotificationRequest)
_TOO_LONG = frozenset(
    int(AbortReason(name))
    for name in ("buffer-overflow", "segmentation-not-supported", "apdu-too-long", "out-of-resources")
)


class StationError(Exception):
    """A request without a usable answer. `reason` is what samples get; the message says what the device said.

    `refused`: the device itself said no. `unknown_service`: it does not know this kind of request at all.
    `too_long`: it could not answer in the space it has.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        refused: bool = False,
        unknown_service: bool = False,
        too_long: bool = False,
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.refused = refused
        self.unknown_service = unknown_service
        self.too_long = too_long


@dataclass(frozen=True, slots=True)
class Announced:
    """What an I-Am says."""

    address: tuple[str, int]
    instance: int
    vendor: int


type Listener = Callable[[ObjectId, list[tuple[int, list[Tag]]]], None]
"""Called with the object and [(property, its tags)] of a notification."""


def tags_of(value: Any) -> list[Tag]:
    """The tags of a value, without those that say where it begins and ends."""
    tags: list[Tag] = list(value.tagList)
    return tags[1:-1] if tags and tags[0].tag_class == _OPENING else tags


class _Application(WiredApplication):
    def __init__(self, device: DeviceObject, listeners: dict[int, Listener]) -> None:
        super().__init__(device)
        self.listeners = listeners
        self.scanners: set[Callable[[Announced], None]] = set()

    async def indication(self, apdu: Any) -> None:
        if isinstance(apdu, _HEARD):
            await super().indication(apdu)
        elif not isinstance(apdu, UnconfirmedRequestPDU):
            await self.response(RejectPDU(reason=UnrecognizedService.rejectReason, context=apdu))

    async def do_IAmRequest(self, apdu: Any) -> None:  # noqa: N802 -- bacpypes3's name
        where = socket_address(apdu.pduSource)
        for scanner in tuple(self.scanners):
            scanner(Announced(where, int(apdu.iAmDeviceIdentifier[1]), int(apdu.vendorID)))

    async def do_ConfirmedCOVNotificationRequest(self, apdu: Any) -> None:  # noqa: N802
        if not self._heard(apdu):
            raise ServicesError(errorCode="unknownSubscription")  # so that the device forgets it
        await self.response(SimpleAckPDU(context=apdu))

    async def do_UnconfirmedCOVNotificationRequest(self, apdu: Any) -> None:  # noqa: N802
        self._heard(apdu)

    def _heard(self, apdu: Any) -> bool:
        listener = self.listeners.get(int(apdu.subscriberProcessIdentifier))
        if listener is None:
            return False
        kind, instance = apdu.monitoredObjectIdentifier
        listener(
            (int(kind), int(instance)),
            [(int(one.propertyIdentifier), tags_of(one.value)) for one in apdu.listOfValues],
        )
        return True


class Station:
    """Opens its socket when it is first needed, and again, with backoff, where the port was taken."""

    def __init__(self, host: str, port: int) -> None:
        self._local = host, port
        self._application: _Application | None = None
        self._opening = asyncio.Lock()
        self._not_before = 0.0
        self._listeners: dict[int, Listener] = {}
        self._processes = random.randrange(1, 1 << 20)  # noqa: S311 -- so that a restarted edge is not its former self
        # It reports every late or foreign datagram as an error; we answer for them as sample quality.
        logging.getLogger("bacpypes3").setLevel(logging.CRITICAL)

    async def ask(self, host: str, port: int, request: Any, limit: float) -> Any:
        """The answer to a confirmed request within `limit` seconds. Raises StationError."""
        application = await self._opened()
        request.pduDestination = Address(f"{host}:{port}")
        answer = application.request(request)
        try:
            async with asyncio.timeout(limit):
                return await answer
        except TimeoutError:
            raise StationError(Reason.TIMEOUT, f"no answer in {limit:.2f} s") from None
        except ErrorRejectAbortNack as refusal:
            raise _refused(refusal) from None
        finally:
            if not answer.done() or answer.cancelled():
                application.abandon(request)

    def listen(self, listener: Listener) -> int:
        """A process identifier of its own, under which `listener` hears the notifications it subscribes to."""
        self._processes += 1
        self._listeners[self._processes] = listener
        return self._processes

    def unlisten(self, process: int) -> None:
        self._listeners.pop(process, None)

    async def who_is(
        self, to: tuple[str, int], low: int, high: int, announced: Callable[[Announced], None], *, broadcast: bool
    ) -> None:
        """Ask once; `announced` hears every I-Am until the station is closed. Raises StationError."""
        application = await self._opened()
        application.scanners.add(announced)
        application.wire.broadcast = to
        request = WhoIsRequest(destination=LocalBroadcast() if broadcast else Address(f"{to[0]}:{to[1]}"))
        if (low, high) != (0, LAST_INSTANCE):
            request.deviceInstanceRangeLowLimit, request.deviceInstanceRangeHighLimit = low, high
        application.request(request)

    def close(self) -> None:
        if self._application is not None:
            self._application.close()
            self._application = None

    async def _opened(self) -> _Application:
        async with self._opening:
            if self._application is None:
                if time.monotonic() < self._not_before:
                    raise StationError(Reason.CONNECTION_LOST, "waiting to try the local port again")
                try:
                    own = bound(*self._local)
                except OSError as error:
                    self._not_before = time.monotonic() + BACKOFF
                    detail = f"local UDP port {self._local[1]} on {self._local[0]}: {error.strerror}"
                    log.warning("bacnet port not opened", detail=detail, remedy="free it, or set `local` to another")
                    raise StationError(Reason.CONNECTION_LOST, detail) from None
                application = _Application(_self_description(), self._listeners)
                await application.start(own)
                self._application = application
            return self._application


def _self_description() -> DeviceObject:
    """Whom the application layer takes us for: long messages, segments, and our own patience."""
    return DeviceObject(
        objectIdentifier=("device", LAST_INSTANCE),
        objectName="ems-edge",
        maxApduLengthAccepted=1476,
        segmentationSupported=Segmentation("segmented-both"),
        maxSegmentsAccepted=64,
        apduTimeout=int(RESEND * 1000),
        numberOfApduRetries=60,
    )


def _refused(refusal: Any) -> StationError:
    if isinstance(refusal, AbortPDU):
        reason = int(refusal.apduAbortRejectReason)
        if reason == int(AbortReason("no-response")):
            return StationError(Reason.TIMEOUT, "no answer")
        detail = f"aborted: {AbortReason(reason)}"
        return StationError(Reason.DEVICE_EXCEPTION, detail, refused=True, too_long=reason in _TOO_LONG)
    if isinstance(refusal, RejectPDU):
        reason = int(refusal.apduAbortRejectReason)
        return StationError(
            Reason.DEVICE_EXCEPTION,
            f"rejected: {RejectReason(reason)}",
            refused=True,
            unknown_service=reason == int(RejectReason("unrecognized-service")),
            too_long=reason == int(RejectReason("buffer-overflow")),
        )
    if isinstance(refusal, ErrorPDU):
        kind, code = getattr(refusal, "errorClass", None), getattr(refusal, "errorCode", None)
        if str(code) == "invalid-tag" and str(kind) == "communication":  # ours, for an answer that was none
            return StationError(Reason.GARBLED, "an answer that cannot be read")
        unknown = str(code) == "reject-unrecognized-service"
        return StationError(Reason.DEVICE_EXCEPTION, f"error: {kind}, {code}", refused=True, unknown_service=unknown)
    return StationError(Reason.GARBLED, f"an answer of an unknown kind: {type(refusal).__name__}")
