"""One connection to one Modbus line, shared by all units on it.

Many gateways accept a single client and a serial line has a single master, so there is never a second connection, and
one request at a time.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import cast

from ems_contract.points import Reason

from ems_edge.drivers.modbus_connection import Line, SerialLine
from ems_edge.drivers.modbus_frames import FrameError, Framing, Request, exception_code, read

BACKOFF_FIRST = 0.2
BACKOFF_LAST = 2.0
"""Short on purpose: a device that is back must be read within two cycles, and a refused connect costs nothing."""


class LinkError(Exception):
    """A request without a usable answer. `reason` is what its samples get; `code` a Modbus exception code."""

    def __init__(self, reason: Reason, detail: str, code: int | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.code = code


class Wire(asyncio.Protocol):
    """An open connection: a request goes out, its answer comes back."""

    def __init__(self, framing: Framing) -> None:
        self.broken = False
        self.opened = asyncio.Event()
        self._framing = framing
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # pymodbus' serial one is no subclass of it
        self.opened.set()
        if self.broken:
            transport.close()

    def data_received(self, data: bytes) -> None:
        try:
            pdu = self._framing.feed(data)
        except FrameError as error:
            self._fail(LinkError(Reason.GARBLED, str(error)))
            return
        if pdu is not None and self._answer is not None and not self._answer.done():
            self._answer.set_result(pdu)

    def connection_lost(self, exc: Exception | None) -> None:
        self.broken = True
        self._fail(LinkError(Reason.CONNECTION_LOST, str(exc or "closed by the other side")))

    async def ask(self, unit: int, request: Request) -> bytes:
        """The answer's PDU, whenever it comes. Raises LinkError; may be cancelled."""
        if self._transport is None or self.broken:
            raise LinkError(Reason.CONNECTION_LOST, "the connection is gone")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(self._framing.request(unit, request))
        return await self._answer

    def forget(self) -> bool:
        """Give up waiting; whether some of an answer, or noise, had come in."""
        return self._framing.forget()

    def close(self) -> None:
        self.broken = True
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, error: LinkError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        elif error.reason is Reason.GARBLED and self._framing.numbered:
            self.close()  # nobody waits, and what comes next could not be understood


class Link:
    """Connects when it is first needed, again after a loss, and not before the backoff has passed."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.delay = 0.0
        self.numbered = line.framing().numbered
        self._wire: Wire | None = None
        self._backoff = 0.0
        self._not_before = 0.0
        self._silent = 0
        self._quiet_since = 0.0
        self._owed: dict[int, Request] = {}
        """Units that have not answered yet what they were asked, where an answer has no number."""

    async def pause(self) -> None:
        """Keep the distance between two requests that the line or a device on it needs. The caller holds the turn."""
        wait = max(self.delay, self.line.silence)
        if wait and (left := self._quiet_since + wait - time.monotonic()) > 0:
            await asyncio.sleep(left)

    async def request(self, unit: int, request: Request, limit: float) -> bytes:
        """The answer's PDU, within `limit` seconds. Raises LinkError. The caller holds the turn."""
        try:
            async with asyncio.timeout(limit):
                wire = await self._connected()
                if unit in self._owed:
                    await self._settle(wire, unit)
                pdu = await self._ask(wire, unit, request)
        except TimeoutError:
            raise self._timed_out(limit) from None
        except LinkError as error:
            if not (error.reason is Reason.GARBLED and isinstance(self.line, SerialLine)):
                self.drop()  # a line has no connection that another one could replace
            raise
        finally:
            self._quiet_since = time.monotonic()
        self._silent = 0
        if (code := exception_code(pdu)) is not None:
            raise LinkError(Reason.DEVICE_EXCEPTION, f"exception code {code}", code)
        return pdu

    async def _ask(self, wire: Wire, unit: int, request: Request) -> bytes:
        if not self.numbered:
            self._owed[unit] = request
        pdu = await wire.ask(unit, request)
        self._owed.pop(unit, None)
        return pdu

    async def _settle(self, wire: Wire, unit: int) -> None:
        """Without numbers, a late answer would be taken for the next one. So ask for something of another length first:
        a device answers in order, and once this is answered, nothing older is due."""
        owed = self._owed.pop(unit)
        code, count = owed.pdu[0], int.from_bytes(owed.pdu[3:5])
        if code in (3, 4):
            question = read("holding" if code == 3 else "input", int.from_bytes(owed.pdu[1:3]), 2 if count == 1 else 1)
            await self._ask(wire, unit, question)

    def _timed_out(self, limit: float) -> LinkError:
        if self._wire is None:
            return LinkError(Reason.CONNECTION_LOST, f"no connection in {limit:.2f} s")
        if self._wire.forget():
            return LinkError(Reason.GARBLED, f"no proper answer in {limit:.2f} s")
        self._silent += 1
        if self._silent > 1 and not isinstance(self.line, SerialLine):
            # Two units in a row said nothing: the endpoint itself may be stuck on an old request.
            self.drop()
        return LinkError(Reason.TIMEOUT, f"no answer in {limit:.2f} s")

    async def _connected(self) -> Wire:
        if self._wire is not None and not self._wire.broken:
            return self._wire
        self.drop()
        if time.monotonic() < self._not_before:
            raise LinkError(Reason.CONNECTION_LOST, "waiting to reconnect")
        self._backoff = min(max(self._backoff * 2, BACKOFF_FIRST), BACKOFF_LAST)
        self._not_before = time.monotonic() + self._backoff * random.uniform(0.5, 1.0)  # noqa: S311 -- jitter
        wire = Wire(self.line.framing())
        try:
            await self.line.open(lambda: wire)
            await wire.opened.wait()  # a serial line is ready a moment later
        except OSError as error:
            raise LinkError(Reason.CONNECTION_LOST, f"cannot connect to {self.line.place}: {error}") from None
        self._wire = wire
        self._backoff = self._not_before = 0.0
        self._silent = 0
        return wire

    def drop(self) -> None:
        """Close; the next request connects again."""
        wire, self._wire = self._wire, None
        self._owed.clear()
        if wire is not None:
            wire.close()
