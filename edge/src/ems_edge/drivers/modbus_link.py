"""One TCP connection to one Modbus endpoint, shared by all units behind it.

Many gateways accept a single client, so there is never a second connection. Requests take turns; a unit that was slow
or silent goes last, so that it costs the others as little as possible.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import random
import time
from collections.abc import AsyncIterator

from ems_contract.points import Reason
from pymodbus import ExceptionResponse
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from ems_edge.drivers.modbus_plan import BIT_FUNCTIONS, Span

BACKOFF_FIRST = 0.2
BACKOFF_LAST = 2.0
"""Short on purpose: a device that is back must be read within two cycles, and a refused connect costs nothing."""
_NO_LIMIT = 3600.0
"""pymodbus' own timeout is out of the way; each request has its own (`Link.request`)."""
_HEADER = 8


class LinkError(Exception):
    """A request without a usable answer. `reason` is what its samples get; `code` a Modbus exception code."""

    def __init__(self, reason: Reason, detail: str, code: int | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.code = code


type Broken = asyncio.Future[LinkError]
"""Set once, when a connection is no longer of use."""


class Turns:
    """A lock whose waiters are served by rank, the lowest first, equals in order of arrival."""

    def __init__(self) -> None:
        self._held = False
        self._count = 0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    @contextlib.asynccontextmanager
    async def take(self, rank: float) -> AsyncIterator[None]:
        if self._held:
            self._count += 1
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (rank, self._count, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._pass_on()
                raise
        self._held = True
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._held = False


class Link:
    """Connects when it is first needed, again after a loss, and not before the backoff has passed."""

    def __init__(self, host: str, port: int) -> None:
        self.turns = Turns()
        self._host = host
        self._port = port
        self._client: AsyncModbusTcpClient | None = None
        self._broken: Broken | None = None
        self._backoff = 0.0
        self._not_before = 0.0
        self._silent = 0
        self._sent = b""
        # It reports every late or foreign frame as an error; we answer for them as sample quality.
        logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

    async def request(self, unit: int, span: Span, limit: float) -> list[int]:
        """The span's words (bits as 0 and 1), within `limit` seconds. Raises LinkError. The caller holds the turn."""
        try:
            async with asyncio.timeout(limit):
                client, broken = await self._connected()
                return await self._ask(client, broken, unit, span)
        except TimeoutError:
            if self._client is None:
                raise LinkError(Reason.CONNECTION_LOST, f"no connection in {limit:.2f} s") from None
            self._silent += 1
            if self._silent > 1:
                # Two units in a row said nothing: the endpoint itself may be stuck on an old request.
                self.drop()
            raise LinkError(Reason.TIMEOUT, f"no answer in {limit:.2f} s") from None

    async def _ask(self, client: AsyncModbusTcpClient, broken: Broken, unit: int, span: Span) -> list[int]:
        call = asyncio.ensure_future(_read(client, unit, span))
        try:
            await asyncio.wait((call, broken), return_when=asyncio.FIRST_COMPLETED)
            if broken.done():
                raise broken.result()
            answer = call.result()
        except ModbusException as error:
            self.drop()
            raise LinkError(Reason.CONNECTION_LOST, str(error)) from None
        except LinkError:
            self.drop()
            raise
        finally:
            if not call.done():
                call.cancel()
            elif not call.cancelled():
                call.exception()  # seen; a broken link has its own
        self._silent = 0
        if isinstance(answer, ExceptionResponse):
            raise LinkError(Reason.DEVICE_EXCEPTION, f"exception code {answer.exception_code}", answer.exception_code)
        words = list(map(int, answer.bits[: span.count] if span.function in BIT_FUNCTIONS else answer.registers))
        if len(words) != span.count:
            self.drop()
            raise LinkError(Reason.GARBLED, f"{len(words)} registers for the {span.count} asked for")
        return words

    async def _connected(self) -> tuple[AsyncModbusTcpClient, Broken]:
        if self._client is not None and self._broken is not None and not self._broken.done():
            return self._client, self._broken
        self.drop()
        if time.monotonic() < self._not_before:
            raise LinkError(Reason.CONNECTION_LOST, "waiting to reconnect")
        self._backoff = min(max(self._backoff * 2, BACKOFF_FIRST), BACKOFF_LAST)
        self._not_before = time.monotonic() + self._backoff * random.uniform(0.5, 1.0)  # noqa: S311 -- jitter
        broken = asyncio.get_running_loop().create_future()
        client = AsyncModbusTcpClient(
            self._host,
            port=self._port,
            timeout=_NO_LIMIT,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._watch,
            trace_connect=lambda up: None if up else _settle(broken, LinkError(Reason.CONNECTION_LOST, "closed")),
        )
        # pymodbus forgets whatever comes in beyond one frame, a late answer with the one that was asked for.
        client.ctx.max_buffer_size = 8192
        self._client, self._broken = client, broken
        try:
            if not await client.connect():
                raise LinkError(Reason.CONNECTION_LOST, f"cannot connect to {self._host}:{self._port}")
        except BaseException:
            self.drop()
            raise
        self._backoff = self._not_before = 0.0
        self._silent = 0
        return client, broken

    def _watch(self, sending: bool, data: bytes) -> bytes:
        """Sees every packet: what cannot be a frame breaks the link at once, instead of waiting for a timeout."""
        if sending:
            self._sent = data
        elif self._broken is not None and (problem := _garbage(self._sent, data)):
            _settle(self._broken, LinkError(Reason.GARBLED, problem))
            return b""
        return data

    def drop(self) -> None:
        """Close; the next request connects again."""
        client, self._client, self._broken = self._client, None, None
        if client is not None:
            client.close()


def _settle(broken: Broken, error: LinkError) -> None:
    if not broken.done():
        broken.set_result(error)


async def _read(client: AsyncModbusTcpClient, unit: int, span: Span) -> ModbusPDU:
    match span.function:
        case "input":
            return await client.read_input_registers(span.address, count=span.count, device_id=unit)
        case "coil":
            return await client.read_coils(span.address, count=span.count, device_id=unit)
        case "discrete":
            return await client.read_discrete_inputs(span.address, count=span.count, device_id=unit)
        case _:
            return await client.read_holding_registers(span.address, count=span.count, device_id=unit)


def _garbage(sent: bytes, data: bytes) -> str:
    """Why `data`, all that arrived since the request `sent`, is no answer; empty while it may become one.

    A complete frame with another transaction id is a late answer to an abandoned request and is skipped.
    """
    while len(data) >= _HEADER:
        length = int.from_bytes(data[4:6], "big")
        if data[2:4] != b"\0\0" or not 3 <= length <= 254:
            return "not a Modbus TCP frame"
        frame, data = data[: 6 + length], data[6 + length :]
        if frame[:2] != sent[:2]:
            continue
        if frame[6] != sent[6]:
            return f"unit {frame[6]} answered for unit {sent[6]}"
        if frame[7] & 0x7F != sent[7]:
            return f"function {frame[7]} answers function {sent[7]}"
        if len(frame) < 6 + length:
            return ""
        count = int.from_bytes(sent[10:12], "big")
        wanted = 3 if frame[7] & 0x80 else 3 + (count * 2 if sent[7] > 2 else (count + 7) // 8)
        if length != wanted or (not frame[7] & 0x80 and frame[8] != wanted - 3):
            return f"{length} bytes where {wanted} were due"
    return ""
