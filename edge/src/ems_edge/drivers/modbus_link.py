"""One connection to one Modbus line, shared by all units on it.

Many gateways accept a single client and a serial line has a single master, so there is never a second connection.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable
from typing import cast

from ems_contract.points import Reason

from ems_edge.drivers.modbus_connection import Line, SerialLine
from ems_edge.drivers.modbus_frames import FrameError, Framing, Request, differing, exception_code

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
    """An open connection: requests go out, their answers come back."""

    def __init__(self, framing: Framing) -> None:
        self.broken = False
        self.opened = asyncio.Event()
        self.heard = 0.0
        """When something last came in, by the monotonic clock."""
        self._framing = framing
        self._transport: asyncio.Transport | None = None
        self._answers: dict[int, asyncio.Future[bytes]] = {}

    @property
    def waiting(self) -> int:
        """How many answers are due."""
        return len(self._answers)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # pymodbus' serial one is no subclass of it
        self.opened.set()
        if self.broken:
            transport.close()

    def data_received(self, data: bytes) -> None:
        self.heard = time.monotonic()
        try:
            answers = self._framing.feed(data)
        except FrameError as error:
            self._garbled(error)
            return
        for number, pdu in answers:
            answer = self._answers.pop(number, None)
            if answer is not None and not answer.done():
                answer.set_result(pdu)

    def connection_lost(self, exc: Exception | None) -> None:
        self.broken = True
        self._fail(LinkError(Reason.CONNECTION_LOST, str(exc or "closed by the other side")))

    def ask(self, unit: int, request: Request) -> tuple[int, asyncio.Future[bytes]]:
        """The request's number, and the answer's PDU, whenever it comes, or a LinkError."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if self._transport is None or self.broken:
            raise LinkError(Reason.CONNECTION_LOST, "the connection is gone")
        number, frame = self._framing.request(unit, request)
        self._answers[number] = answer
        self._transport.write(frame)
        return number, answer

    def forget(self, number: int) -> bool:
        """Give up waiting; whether some of an answer, or noise, had come in."""
        self._answers.pop(number, None)
        return self._framing.forget(number)

    def close(self) -> None:
        self.broken = True
        if self._transport is not None:
            self._transport.abort()
        self._fail(LinkError(Reason.CONNECTION_LOST, "the connection was given up"))

    def _garbled(self, error: FrameError) -> None:
        garbled = LinkError(Reason.GARBLED, str(error))
        if not self._framing.numbered or error.number == 0:
            self._fail(garbled)
        elif (answer := self._answers.pop(error.number, None)) is not None and not answer.done():
            answer.set_exception(garbled)
        if self._framing.numbered:
            self.close()  # where the next frame begins is not known

    def _fail(self, error: LinkError) -> None:
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            if not answer.done():
                answer.set_exception(error)


def _nothing() -> None:
    """Whoever uses a line alone has nobody to let go first."""


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

    async def request(
        self,
        unit: int,
        request: Request,
        limit: float,
        patience: float = math.inf,
        let_go: Callable[[], None] = _nothing,
    ) -> bytes:
        """The answer's PDU, within `limit` seconds. Raises LinkError. The caller holds the turn.

        Where nothing has come after `patience`, `let_go` is called: others may use the line while this one waits on.
        """
        try:
            ends = time.monotonic() + limit
            wire = await self._connected(limit)
            if unit in self._owed:
                await self._settle(wire, unit, limit)
            left = max(ends - time.monotonic(), 0.0)
            pdu = await self._exchange(wire, unit, request, left, patience, let_go)
        finally:
            self._quiet_since = time.monotonic()
        self._silent = 0
        if (code := exception_code(pdu)) is not None:
            raise LinkError(Reason.DEVICE_EXCEPTION, f"exception code {code}", code)
        return pdu

    async def _exchange(
        self,
        wire: Wire,
        unit: int,
        request: Request,
        limit: float,
        patience: float = math.inf,
        let_go: Callable[[], None] = _nothing,
    ) -> bytes:
        loop, asked = asyncio.get_running_loop(), time.monotonic()
        number, answer = wire.ask(unit, request)
        if not self.numbered:
            self._owed[unit] = request

        def give_up() -> None:
            if not answer.done():
                answer.set_exception(self._timed_out(wire, number, asked))

        def lose_patience() -> None:
            if not answer.done():
                let_go()

        timers = [loop.call_later(limit, give_up)]
        if patience < limit:
            timers.append(loop.call_later(patience, lose_patience))
        try:
            pdu = await answer
        finally:
            wire.forget(number)
            for timer in timers:
                timer.cancel()
        self._owed.pop(unit, None)
        return pdu

    async def _settle(self, wire: Wire, unit: int, limit: float) -> None:
        """Without numbers, a late answer would be taken for the next one. So ask for something of another length first:
        a device answers in order, and once this is answered, nothing older is due."""
        if (question := differing(self._owed.pop(unit))) is not None:
            await self._exchange(wire, unit, question, limit)

    def _timed_out(self, wire: Wire, number: int, asked: float) -> LinkError:
        waited = time.monotonic() - asked
        if wire.forget(number):
            return LinkError(Reason.GARBLED, f"no proper answer in {waited:.2f} s")
        if wire.heard < asked:
            self._silent += 1
        if self._silent > 1 and not wire.waiting and not isinstance(self.line, SerialLine):
            # Two requests in a row, and nothing came in: the endpoint itself may be stuck on an old one.
            wire.close()
        return LinkError(Reason.TIMEOUT, f"no answer in {waited:.2f} s")

    async def _connected(self, limit: float) -> Wire:
        if self._wire is not None and not self._wire.broken:
            return self._wire
        self.drop()
        if time.monotonic() < self._not_before:
            raise LinkError(Reason.CONNECTION_LOST, "waiting to reconnect")
        self._backoff = min(max(self._backoff * 2, BACKOFF_FIRST), BACKOFF_LAST)
        self._not_before = time.monotonic() + self._backoff * random.uniform(0.5, 1.0)  # noqa: S311 -- jitter
        wire = Wire(self.line.framing())
        try:
            async with asyncio.timeout(limit):
                await self.line.open(lambda: wire)
                await wire.opened.wait()  # a serial line is ready a moment later
        except asyncio.CancelledError:
            wire.close()  # a serial line that is open, and not yet ready, would stay taken
            raise
        except TimeoutError:
            wire.close()
            raise LinkError(Reason.CONNECTION_LOST, f"no connection to {self.line.place} in {limit:.2f} s") from None
        except OSError as error:
            raise LinkError(Reason.CONNECTION_LOST, f"cannot connect to {self.line.place}: {error}") from None
        self._wire = wire
        self._backoff = self._not_before = 0.0
        self._silent = 0
        return wire

    def drop(self) -> None:
        """Close; the next request connects again."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()
