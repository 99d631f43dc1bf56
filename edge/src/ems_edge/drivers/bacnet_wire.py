"""One UDP socket that speaks BACnet/IP, under bacpypes3's application layer.

The socket is our own: bacpypes3 tries a taken port for ever, shares it with whoever has it, takes what it sends to the
same port number on this machine for its own, and leaves its endpoints open when it is closed early.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import structlog
from bacpypes3.app import Application
from bacpypes3.appservice import ABORTED, ApplicationServiceAccessPoint
from bacpypes3.comm import Server, bind
from bacpypes3.ipv4.bvll import BVLLCodec
from bacpypes3.ipv4.service import BIPNormal
from bacpypes3.local.device import DeviceObject
from bacpypes3.netservice import NetworkServiceAccessPoint, NetworkServiceElement
from bacpypes3.pdu import PDU, IPv4Address, LocalBroadcast

log = structlog.get_logger()

BVLL_TYPE = 0x81


def bound(host: str, port: int) -> socket.socket:
    """A UDP socket of our own that may broadcast. Raises OSError where the port is taken."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        made.setblocking(False)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made


def socket_address(address: Any) -> tuple[str, int]:
    """Of a station: bacpypes3 keeps it as four bytes and two."""
    return socket.inet_ntoa(address.addrAddr[:4]), int.from_bytes(address.addrAddr[4:6])


class Wire(Server, asyncio.DatagramProtocol):  # type: ignore[misc]  # bacpypes3 has no types
    """The lowest layer: datagrams. `broadcast` is where a local broadcast goes; without one it goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.broadcast: tuple[str, int] | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._reading: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a datagram endpoint has nothing else

    async def indication(self, pdu: Any) -> None:
        """Downstream."""
        to = pdu.pduDestination
        where = self.broadcast if isinstance(to, LocalBroadcast) else socket_address(to)
        if self._transport is not None and where is not None:
            self._transport.sendto(bytes(pdu.pduData), where)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Upstream; what is no BACnet ends here."""
        if data[:1] != bytes([BVLL_TYPE]):
            return
        task = asyncio.ensure_future(self.response(PDU(data, source=IPv4Address(addr))))
        self._reading.add(task)
        task.add_done_callback(self._read)

    def _read(self, task: asyncio.Task[None]) -> None:
        self._reading.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("bacnet datagram not understood", error=repr(error))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        for task in self._reading:
            task.cancel()


class _Access(ApplicationServiceAccessPoint):  # type: ignore[misc]
    """Remembers which request it answers: bacpypes3's own error for an answer that it cannot decode does not say it."""

    answered: int | None = None

    async def sap_response(self, apdu: Any) -> None:
        self.answered = apdu.apduInvokeID
        await super().sap_response(apdu)


class WiredApplication(Application):  # type: ignore[misc]
    """bacpypes3's application on a `Wire`. `start` it once; `abandon` a request that nobody waits for any more."""

    def __init__(self, device: DeviceObject) -> None:
        super().__init__()
        self.wire = Wire()
        self._device = device

    async def start(self, bound: socket.socket) -> None:
        address = IPv4Address(bound.getsockname())
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self.wire, sock=bound)
        self.asap = _Access(self._device, self.device_info_cache)
        self.nsap = NetworkServiceAccessPoint()
        self.nse = NetworkServiceElement()
        link = BIPNormal()
        bind(self.nse, self.nsap)
        bind(self, self.asap, self.nsap)
        bind(link, BVLLCodec(), self.wire)
        self.nsap.bind(link, address=address)
        self.add_object(self._device)

    async def confirmation(self, apdu: Any) -> None:
        if apdu.apduInvokeID is None:
            apdu.apduInvokeID = self.asap.answered
        await super().confirmation(apdu)

    def abandon(self, request: Any) -> None:
        """Stop asking again for it; a late answer belongs to nobody."""
        for transaction in list(self.asap.clientTransactions):
            same = transaction.invokeID == request.apduInvokeID
            if same and transaction.pdu_address == request.pduDestination:
                transaction.set_state(ABORTED)

    def close(self) -> None:
        for transaction in [*self.asap.clientTransactions, *self.asap.serverTransactions]:
            transaction.set_state(ABORTED)
        self.wire.close()
