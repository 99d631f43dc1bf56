"""A thousand sockets in one loop: everything is counted, a sample is read to the last field.

Counting looks for the batch's end in the raw bytes, whatever frames lie around it (`batches.MARKER`). A chunk is put
behind the last bytes of the one before, so that an end which was cut in two is found once.
"""

from __future__ import annotations

import select
import socket
import struct
import time

from ems_prove.fanout.batches import FIRST_SEQ, MARKER, counter
from ems_prove.fanout.connect import Connected
from ems_prove.fanout.dialects import Listener
from ems_prove.fanout.rfc6455 import CLOSE, PING, PONG, FrameReader, client_frame

CHUNK = 262_144
EVENTS = 64
"""Sockets served before the publisher gets its turn again."""
_KEPT = len(MARKER) - 1
GONE = 1 << 60
"""The count of a client that was cut off: nobody waits for it, nothing is owed to it."""


class Sampled:
    """A client whose every frame is read: each seq once and in order. `published`: when each batch left, ns."""

    def __init__(self, connection: socket.socket, listener: Listener, published: list[int]) -> None:
        self._socket = connection
        self._frames = FrameReader()
        self._listener = listener
        self._published = published
        self._next = FIRST_SEQ
        self.lost = 0
        self.doubled = 0
        self.heard: list[tuple[int, int]] = []
        """(when it was published, how long that took), ns."""

    @property
    def gaps(self) -> int:
        return self._listener.gaps

    def feed(self, received: bytes | memoryview) -> None:
        now = time.monotonic_ns()
        for message in self._frames.feed(received):
            if message.opcode == PING:
                self._socket.send(client_frame(PONG, message.payload))
            elif message.opcode == CLOSE:
                raise ConnectionError(f"the server said goodbye: {message.payload!r:.200}")
            for seq in self._listener.hear(message):
                if seq < self._next:
                    self.doubled += 1
                    continue
                self.lost += seq - self._next
                self._next = seq + 1
                left = self._published[seq - FIRST_SEQ]
                self.heard.append((left, now - left))


class Receiver:
    """The clients in their order; `counts[n]` batches, of `size` bytes each, were received whole by client n."""

    def __init__(self, clients: int, size: int) -> None:
        self._sockets: dict[int, socket.socket] = {}
        self._place: dict[int, int] = {}
        self._buffer = bytearray(_KEPT + CHUNK)
        self._body = memoryview(self._buffer)[_KEPT:]
        self._kept = [bytearray(_KEPT) for _ in range(clients)]
        self._sampled: dict[int, Sampled] = {}
        self._ends = counter(size)
        self._gone = 0
        self._poll = select.epoll()
        self.counts = [0] * clients
        self.bytes = 0
        self.disconnected = 0
        self.goodbye = ""
        """Of whoever was cut off last, the reason."""

    def add(self, client: int, connected: Connected, sampled: Sampled | None) -> None:
        self._sockets[client] = connected.socket
        self._place[connected.socket.fileno()] = client
        self._kept[client][:] = (bytes(_KEPT) + connected.begun)[-_KEPT:]
        connected.socket.setblocking(False)
        self._poll.register(connected.socket, select.EPOLLIN)
        if sampled is not None:
            self._sampled[client] = sampled
            sampled.feed(connected.begun)

    def begin(self) -> None:
        """What was counted so far was only the greeting."""
        self.counts = [GONE if count == GONE else 0 for count in self.counts]
        self._gone = 0

    @property
    def total(self) -> int:
        """Deliveries so far."""
        return self._gone + sum(count for count in self.counts if count < GONE)

    def turn(self, timeout: float) -> bool:
        """Take what waits on up to EVENTS sockets; `timeout` in s if nothing does. Whether anything came."""
        events = self._poll.poll(timeout, EVENTS)
        buffer, body, counts, kept = self._buffer, self._body, self.counts, self._kept
        for handle, _ in events:
            client = self._place[handle]
            buffer[:_KEPT] = kept[client]
            try:
                size = self._sockets[client].recv_into(body)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                size = 0
            if not size:
                self._lost(client, "the connection was closed")
                continue
            self.bytes += size
            counts[client] += self._ends(buffer, _KEPT + size)
            kept[client] = buffer[size : size + _KEPT]
            if client in self._sampled:
                try:
                    self._sampled[client].feed(body[:size])
                except ConnectionError as error:
                    self._lost(client, str(error))
        return bool(events)

    def _lost(self, client: int, reason: str) -> None:
        """The others go on; nobody waits for this one any more."""
        self.disconnected += 1
        self.goodbye = reason
        self._gone += self.counts[client]
        self.counts[client] = GONE
        self._poll.unregister(self._sockets[client])

    def close(self) -> None:
        """At once and without a trace: no port of ours waits for the last words of a thousand connections."""
        self._poll.close()
        for one in self._sockets.values():
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()
