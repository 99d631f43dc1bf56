"""BACnet/IP on a real socket: bacpypes3's device with objects, priorities and COV, filled from the simulated site.

Values are brought up to now before each answer, and once a second while somebody is subscribed, so that changes are
told within a second.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Iterable
from typing import Any, Protocol

from bacpypes3.apdu import (
    ConfirmedRequestPDU,
    Error,
    ReadPropertyMultipleRequest,
    ReadPropertyRequest,
    RejectPDU,
    SubscribeCOVRequest,
    WhoHasRequest,
    WhoIsRequest,
    WritePropertyRequest,
)
from bacpypes3.app import Application
from bacpypes3.appservice import ABORTED, ApplicationServiceAccessPoint
from bacpypes3.comm import bind
from bacpypes3.errors import ExecutionError
from bacpypes3.ipv4.link import NormalLinkLayer
from bacpypes3.netservice import NetworkServiceAccessPoint, NetworkServiceElement
from bacpypes3.pdu import IPv4Address
from bacpypes3.primitivedata import Null

from ems_simulator import bacnet_objects
from ems_simulator.bacnet_image import BacnetImage
from ems_simulator.clock import wall_ms
from ems_simulator.faults import FaultKind, Faults
from ems_simulator.registers import READS

_TICK = 1.0
_PRESENT_VALUE = frozenset({85, 8, 105})
"""present-value, and `all` and `required`, which have it in them."""
_NOTIFICATION = 1
"""The service of a change that is told; in the ledger beside those of answers."""
_SERVED = (
    ReadPropertyRequest, ReadPropertyMultipleRequest, WritePropertyRequest, SubscribeCOVRequest, WhoIsRequest,
    WhoHasRequest,
)  # fmt: skip
_PATIENCE_MS = 3_600_000
"""Of the application layer, for answers that a fault delays."""


class BacnetSite(Protocol):
    """What the server needs of its site."""

    faults: Faults

    def advance(self) -> None:
        """Bring the site up to now."""

    def told(self, image: BacnetImage, service: int, values: dict[str, float | None], reads: int | None) -> None:
        """A read was answered with these values, now."""


def listen(host: str, port: int) -> socket.socket:
    """A UDP socket. Raises OSError when the port is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        bound.setblocking(False)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


class BacnetServer:
    """One device on one UDP socket. `forget` is what a restart does to it."""

    def __init__(self, bound: socket.socket, seed: int) -> None:
        self.port: int = bound.getsockname()[1]
        self._bound = bound
        self._garbler = random.Random(seed)  # noqa: S311 (noise, not a secret)
        self._device: _Device | None = None
        self._ticking: asyncio.Task[None] | None = None
        logging.getLogger("bacpypes3").setLevel(logging.CRITICAL)  # it reports every datagram that it cannot read

    async def open(self, site: BacnetSite, image: BacnetImage) -> None:
        self._device = _Device(site, image, self._garbler)
        await self._device.start(self._bound)
        self._ticking = asyncio.create_task(self._device.tick(), name="bacnet changes")

    def forget(self) -> None:
        """Lose every subscription."""
        if self._device is not None:
            self._device.forget()

    def close(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        if self._device is not None:
            self._device.close()
            self._device = None
        self._bound.close()


class _Device(Application):  # type: ignore[misc]  # bacpypes3 has no types
    def __init__(self, site: BacnetSite, image: BacnetImage, garbler: random.Random) -> None:
        super().__init__()
        self._site = site
        self._image = image
        self._garbler = garbler
        self._objects: dict[str, Any] = {}
        self._names: dict[Any, str] = {}

    async def start(self, bound: socket.socket) -> None:
        address = IPv4Address(bound.getsockname())
        self._link = NormalLinkLayer(address, bind_socket=bound)
        await asyncio.gather(*self._link.server._transport_tasks)  # noqa: SLF001 -- else it could not be closed again
        device = self._image.device
        itself = bacnet_objects.device_object(device.unit, self._image.map.model, self._image.map.model)
        self.asap = ApplicationServiceAccessPoint(itself, self.device_info_cache)
        self.asap.applicationTimeout = _PATIENCE_MS
        self.nsap = NetworkServiceAccessPoint()
        self.nse = NetworkServiceElement()
        bind(self.nse, self.nsap)
        bind(self, self.asap, self.nsap)
        self.nsap.bind(self._link, address=address)
        self.add_object(itself)
        for name, point in self._image.points.items():
            value, limits = (self._image.default(name), self._image.limits(name)) if point.writable else (0.0, None)
            made = bacnet_objects.made(point, value, limits)
            self._objects[name] = made
            self._names[made.objectIdentifier] = name
            self.add_object(made)

    async def tick(self) -> None:
        """Tell subscribers what changed."""
        while True:
            await asyncio.sleep(_TICK)
            if self._cov_detections:
                self._refresh()

    def forget(self) -> None:
        for detection in list(self._cov_detections.values()):
            for subscription in list(detection.cov_subscriptions):
                self.cancel_subscription(subscription)

    def close(self) -> None:
        self.forget()
        for transaction in [*self.asap.clientTransactions, *self.asap.serverTransactions]:
            transaction.set_state(ABORTED)
        self._link.close()

    def _refresh(self) -> None:
        self._site.advance()
        for name, point in self._image.points.items():
            if point.writable:
                bacnet_objects.rest(self._objects[name], point, self._image.default(name))
            held = name in self._image.pins
            bacnet_objects.show(self._objects[name], point, self._image.shown(name), held=held)

    # Requests ---------------------------------------------------------------------------------------------------------

    async def indication(self, apdu: Any) -> None:
        """Answer, unless a fault says otherwise. A late answer is a fresh one."""
        faults, key = self._site.faults, self._image.device.key
        confirmed = isinstance(apdu, ConfirmedRequestPDU)
        if (slow := faults.on(FaultKind.SLOW_ANSWER, key)) is not None:
            await asyncio.sleep(slow.delay)
        if self._is_cut():
            self._drop(apdu)
        elif not isinstance(apdu, _SERVED):
            if confirmed:
                await self.response(RejectPDU(reason="unrecognized-service", context=apdu))
        elif confirmed and (garbage := faults.on(FaultKind.GARBAGE, key)) and garbage.style == "frames":
            self._garble(apdu)
        elif confirmed and faults.on(FaultKind.EXCEPTION, key):
            kind, code = "device", "operational-problem"
            await self.response(Error(service_choice=apdu.apduService, errorClass=kind, errorCode=code, context=apdu))
        else:
            await super().indication(apdu)

    async def do_ReadPropertyRequest(self, apdu: Any) -> None:  # noqa: N802 (bacpypes3's names)
        reads = self._begin([(apdu.objectIdentifier, [apdu])])
        await super().do_ReadPropertyRequest(apdu)
        self._end(12, *reads)

    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: N802
        asked = [(one.objectIdentifier, one.listOfPropertyReferences) for one in apdu.listOfReadAccessSpecs]
        reads = self._begin(asked)
        await super().do_ReadPropertyMultipleRequest(apdu)
        self._end(14, *reads)

    async def do_WritePropertyRequest(self, apdu: Any) -> None:  # noqa: N802
        name = self._names.get(apdu.objectIdentifier)
        if name is None or not self._image.points[name].writable or apdu.propertyIdentifier != 85:
            known = name is not None or apdu.objectIdentifier in self.objectIdentifier
            raise ExecutionError(*(("property", "write-access-denied") if known else ("object", "unknown-object")))
        target = self._objects[name]
        written = apdu.propertyValue.cast_out(target.get_property_type(apdu.propertyIdentifier), null=True)
        low, high = self._image.limits(name)
        if not isinstance(written, Null) and not low <= float(written) <= high:
            raise ExecutionError("property", "value-out-of-range")
        self._refresh()
        await super().do_WritePropertyRequest(apdu)
        self._image.command(name, bacnet_objects.commanded(target))

    def _begin(self, asked: Iterable[tuple[Any, Iterable[Any]]]) -> tuple[list[str], int | None]:
        """Bring the objects up to now: the points whose value is asked for, and the counter that the answer carries."""
        self._refresh()
        names = [
            self._names[found]
            for found, references in asked
            if found in self._names and any(int(one.propertyIdentifier) in _PRESENT_VALUE for one in references)
        ]
        garbage = self._site.faults.on(FaultKind.GARBAGE, self._image.device.key)
        if garbage is not None:
            for name in names:
                point = self._image.points[name]
                value = self._garbler.randrange(2) if point.states else self._garbler.randrange(1 << 31)
                bacnet_objects.show(self._objects[name], point, float(value), held=True)
            return names, None
        if READS not in names:
            return names, None
        reads = self._image.next_reads()
        self._objects[READS].presentValue = reads
        return names, reads

    def _end(self, service: int, names: list[str], reads: int | None) -> None:
        if values := {name: bacnet_objects.number(self._objects[name]) for name in names}:
            self._site.told(self._image, service, values, reads)

    # Changes ----------------------------------------------------------------------------------------------------------

    def cov_notification(self, cov: Any, apdu: Any) -> None:
        if not self._is_cut():
            name = self._names[cov.obj_id]
            self._image.left([name], wall_ms())
            super().cov_notification(cov, apdu)
            value = bacnet_objects.number(self._objects[name])
            self._site.told(self._image, _NOTIFICATION, {name: value}, None)

    def cov_confirmation(self, cov: Any, future: Any) -> None:  # noqa: ARG002
        """Whether the subscriber heard it; if not, it hears the next change."""
        if not future.cancelled():
            future.exception()

    # Faults -----------------------------------------------------------------------------------------------------------

    def _is_cut(self) -> bool:
        faults = self._site.faults
        return faults.link_is_cut() or faults.on(FaultKind.LINK_CUT, self._image.device.key) is not None

    def _drop(self, apdu: Any) -> None:
        """Never answer this one; the same number may be used again."""
        for transaction in list(self.asap.serverTransactions if isinstance(apdu, ConfirmedRequestPDU) else ()):
            if (transaction.invokeID, transaction.pdu_address) == (apdu.apduInvokeID, apdu.pduSource):
                transaction.set_state(ABORTED)

    def _garble(self, apdu: Any) -> None:
        """A whole message that answers this request, with nothing in it that means anything."""
        noise = b"\xff" + self._garbler.randbytes(20)
        message = bytes([0x01, 0x00, 0x30, apdu.apduInvokeID, apdu.apduService]) + noise
        frame = bytes([0x81, 0x0A]) + (len(message) + 4).to_bytes(2) + message
        self._link.server.local_transport.sendto(frame, IPv4Address(apdu.pduSource.addrAddr).addrTuple)
        self._drop(apdu)
