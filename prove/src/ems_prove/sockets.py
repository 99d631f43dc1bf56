"""Many live sockets in one process: real frames over real TCP, and for each site a ledger of what came.

One costs some kilobytes and some microseconds for each frame, so a thousand of them measure the service and not
themselves. Times are of `time.monotonic`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import msgspec
from ems_contract.frames import SUBPROTOCOL
from ems_stack.stack import Stack

from ems_prove.publisher import EDGE
from ems_prove.seq_ledger import SeqLedger
from ems_prove.websocket import FrameReader, FramingError, Handshake, Opcode, frame

LOST = 1006
"""The close code of a connection that ended without one."""
GOODBYE_SECONDS = 5.0


class _Head(msgspec.Struct):
    edge: str
    seq: int


class _Batches(msgspec.Struct):
    type: str
    site: str = ""
    batches: list[_Head] = []
    since: int = 0
    live: bool = True
    stale: bool = False
    code: int = 0


_decoder = msgspec.json.Decoder(_Batches)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Door:
    """Where a service listens, and an Origin that it accepts."""

    port: int
    origin: str

    @classmethod
    def of(cls, stack: Stack, port: int | None = None) -> Door:
        """The stack's own service, or one beside it on another port."""
        return cls(port or stack.ports.realtime, stack.url("web"))


class LiveSocket(asyncio.Protocol):
    """One connection, from its handshake to its end. Make it with `open_socket`."""

    def __init__(self, door: Door, token: str, sites: Sequence[int], on_batch: Callable[[int, float], None]) -> None:
        self._handshake: Handshake | None = Handshake("/ws", f"localhost:{door.port}", door.origin, SUBPROTOCOL)
        self._token = token
        self._sites = [f"site_{site}" for site in sites]
        self._on_batch = on_batch
        self._reader = FrameReader()
        self._head = b""
        self._close_seen = False
        self.ledgers = {site: SeqLedger() for site in self._sites}
        self.begun = time.monotonic()
        self.welcomed: float | None = None
        self.streaming: float | None = None
        """Since when every site's snapshot is here."""
        self.settled = asyncio.Event()
        """It streams, or is over."""
        self.live = True
        """What the last heartbeat said of Redis."""
        self.told: list[tuple[float, bool]] = []
        """When `live` changed, and to what."""
        self.stale = False
        self.status: int | None = None
        """The handshake's; 101 where it was accepted."""
        self.close_code: int | None = None
        self.fault = ""
        """What a service must not do: bad framing, a frame behind its close, an error frame."""
        self.over: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """When it ended."""

    @property
    def ledger(self) -> SeqLedger:
        """Of its only site."""
        (only,) = self.ledgers.values()
        return only

    @property
    def port(self) -> int:
        """Its own end's."""
        return int(self._transport.get_extra_info("sockname")[1])

    # What is done with it -----------------------------------------------------------------------------------------

    def say(self, **message: object) -> None:
        self._transport.write(frame(Opcode.TEXT, _encoder.encode(message)))

    def renew(self, token: str) -> None:
        """As a browser does in good time before its token expires."""
        self.say(type="auth", token=token)

    def freeze(self) -> None:
        """Read nothing any more."""
        self._transport.pause_reading()

    async def close(self) -> None:
        """Politely; cut off where the service does not answer."""
        if not self.over.done():
            self._transport.write(frame(Opcode.CLOSE, (1000).to_bytes(2)))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await asyncio.shield(self.over)
            self._transport.abort()

    def abort(self) -> None:
        """Without a word: the other end gets a reset. Harmless when it is over already."""
        if self.over.done():
            return
        raw = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    # What it hears ------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._handshake is not None:
            self._transport.write(self._handshake.request)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        if not self.over.done():
            self.close_code = LOST if self.close_code is None else self.close_code
            self.over.set_result(time.monotonic())
            self.settled.set()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        try:
            if self._handshake is not None:
                data = self._shake(self._handshake, data)
            for opcode, payload in self._reader.feed(data):
                self._hear(opcode, payload, now)
        except (FramingError, msgspec.DecodeError) as error:
            self.fault = str(error)
            self._transport.abort()

    def _shake(self, handshake: Handshake, data: bytes) -> bytes:
        """What follows the head, once that is whole."""
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if not end:
            return b""
        self.status, self._handshake = handshake.status(head), None
        if self.status != 101:
            self._transport.abort()
            return b""
        self.say(type="auth", token=self._token)
        return rest

    def _hear(self, opcode: Opcode, payload: memoryview, now: float) -> None:
        if self._close_seen:
            raise FramingError("a frame behind the close")
        if opcode is Opcode.TEXT:
            self._apply(_decoder.decode(payload), now)
        elif opcode is Opcode.PING:
            self._transport.write(frame(Opcode.PONG, bytes(payload)))
        elif opcode is Opcode.CLOSE:
            self._close_seen = True
            self.close_code = int.from_bytes(payload[:2]) if len(payload) >= 2 else 1005
            self._transport.write(frame(Opcode.CLOSE, bytes(payload[:2])))

    def _apply(self, said: _Batches, now: float) -> None:
        match said.type:
            case "telemetry":
                ledger = self.ledgers[said.site]
                for batch in said.batches:
                    if batch.edge == EDGE and ledger.batch(batch.seq):
                        self._on_batch(batch.seq, now)
            case "snapshot":
                ledger = self.ledgers[said.site]
                ledger.snapshot(next((batch.seq for batch in said.batches if batch.edge == EDGE), 0))
                if self.streaming is None and all(one.first is not None for one in self.ledgers.values()):
                    self.streaming = now
                    self.settled.set()
            case "gap":
                self.ledgers[said.site].gap(said.since)
            case "welcome":
                self.welcomed = now
                if self._sites:
                    self.say(type="subscribe", sites=self._sites)
            case "grant":
                self.stale = said.stale
            case "heartbeat" if said.live is not self.live:
                self.live = said.live
                self.told.append((now, said.live))
            case "error":
                self.fault = f"error {said.code}"
            case _:
                pass  # alerts, commands, rules: not counted here


def unheard(seq: int, now: float) -> None:
    """The default of `on_batch`."""


async def open_socket(
    door: Door,
    token: str,
    *sites: int,
    on_batch: Callable[[int, float], None] = unheard,
    receive_buffer: int | None = None,
) -> LiveSocket:
    """Connected; handshake, token and subscription follow by themselves. Raises OSError.

    `on_batch` is called with every seq that is news, and when it came. `receive_buffer`: bytes that this end's kernel
    may hold, for one that will freeze.
    """
    raw = socket.socket()
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        if receive_buffer is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await loop.sock_connect(raw, ("127.0.0.1", door.port))
        _, protocol = await loop.create_connection(lambda: LiveSocket(door, token, sites, on_batch), sock=raw)
    except BaseException:
        raw.close()
        raise
    return protocol


async def until_streaming(sockets: Sequence[LiveSocket], seconds: float) -> None:
    """Raises TimeoutError, or ConnectionError for one that ended instead."""
    async with asyncio.timeout(seconds):
        for one in sockets:
            await one.settled.wait()
            if not one.streaming:
                raise ConnectionError(f"a socket ended with {one.close_code}, handshake {one.status}, {one.fault!r}")
