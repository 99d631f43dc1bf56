"""A thousand sockets in one loop: everything is counted, a sample is read to the last field.

Counting looks for the batch's end in the raw bytes, whatever frames lie around it (`batches.MARKER`). A chunk is put
behind the last bytes of the one before, so that an end which was cut in two is found once.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Sequence

from ems_prove.fanout.batches import FIRST_SEQ, MARKER
from ems_prove.fanout.connect import Connected
from ems_prove.fanout.dialects import Listener
from ems_prove.fanout.rfc6455 import CLOSE, PING, PONG, FrameReader, client_frame

CHUNK = 262_144
EVENTS = 64
"""Sockets served before the publisher gets its turn again."""
_KEPT = len(MARKER) - 1
_GONE = 1 << 60


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
    """The clients in their order; `counts[n]` batches were received whole by client n."""

    def __init__(self, clients: Sequence[Connected]) -> None:
        self._sockets = [client.socket for client in clients]
        self._place = {one.fileno(): number for number, one in enumerate(self._sockets)}
        self._receive = [one.recv_into for one in self._sockets]
        self._buffer = bytearray(_KEPT + CHUNK)
        self._body = memoryview(self._buffer)[_KEPT:]
        self._kept = [bytearray(_KEPT) for _ in clients]
        self._sampled: dict[int, Sampled] = {}
        self._gone = 0
        self.counts = [0] * len(self._sockets)
        self.bytes = 0
        self.disconnected = 0
        self._poll = select.epoll()
        for number, one in enumerate(self._sockets):
            one.setblocking(False)
            self._poll.register(one, select.EPOLLIN)
            self._kept[number][:] = (bytes(_KEPT) + clients[number].begun)[-_KEPT:]

    def sample(self, client: int, sampled: Sampled, begun: bytes) -> None:
        self._sampled[client] = sampled
        sampled.feed(begun)

    @property
    def total(self) -> int:
        """Deliveries so far."""
        return self._gone + sum(count for count in self.counts if count < _GONE)

    def turn(self, timeout: float) -> bool:
        """Take what waits on up to EVENTS sockets; `timeout` in s if nothing does. Whether anything came."""
        events = self._poll.poll(timeout, EVENTS)
        buffer, body, counts, kept = self._buffer, self._body, self.counts, self._kept
        for handle, _ in events:
            client = self._place[handle]
            buffer[:_KEPT] = kept[client]
            try:
                size = self._receive[client](body)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                size = 0
            if not size:
                self._lost(client)
                continue
            self.bytes += size
            counts[client] += buffer.count(MARKER, 0, _KEPT + size)
            kept[client] = buffer[size : size + _KEPT]
            if client in self._sampled:
                self._sampled[client].feed(body[:size])
        return bool(events)

    def _lost(self, client: int) -> None:
        """The others go on; nobody waits for this one any more."""
        self.disconnected += 1
        self._gone += self.counts[client]
        self.counts[client] = _GONE
        self._poll.unregister(self._sockets[client])

    def close(self) -> None:
        """At once and without a trace: no port of ours waits for the last words of a thousand connections."""
        self._poll.close()
        for one in self._sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()
