"""Many clients at once through the steps of a dialect, and how long that takes."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ems_prove.fanout.dialects import Step

AT_ONCE = 64
PATIENCE = 30.0
_CHUNK = 262_144


@dataclass
class Connected:
    """`begun`: what has come since the handshake, some of it perhaps half a frame."""

    socket: socket.socket
    begun: bytes


class _Client:
    def __init__(self, port: int, steps: Sequence[Step]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._steps = list(steps)
        self._at = 0
        self._searched = 0
        self._bytes = b""
        self.socket.sendall(self._steps[0].send)

    def hear(self) -> Connected | None:
        """Take what has come, say what comes next; the result once there is nothing more to say."""
        received = self.socket.recv(_CHUNK)
        if not received:
            raise ConnectionError(
                f"the server closed a connection that was being made; its last words: {self._bytes[-300:]!r}"
            )
        self._bytes += received
        while (found := self._bytes.find(self._steps[self._at].until, self._searched)) >= 0:
            if not self._bytes.startswith(b"HTTP/1.1 101 "):
                raise ConnectionError(f"the server refused a connection: {self._bytes!r:.300}")
            self._searched = found + len(self._steps[self._at].until)
            self._at += 1
            if self._at == len(self._steps):
                return Connected(self.socket, self._bytes.split(b"\r\n\r\n", 1)[1])
            self.socket.sendall(self._steps[self._at].send)
        return None


def connecting(port: int, clients: Iterator[tuple[int, list[Step]]]) -> Iterator[tuple[int, Connected]]:
    """(place, steps) -> (place, client) as they get through, AT_ONCE at a time.

    Raises ConnectionError or TimeoutError.
    """
    waiting: dict[int, tuple[int, _Client]] = {}
    with select.epoll() as poll:
        while True:
            while len(waiting) < AT_ONCE and (following := next(clients, None)) is not None:
                place, steps = following
                client = _Client(port, steps)
                waiting[client.socket.fileno()] = (place, client)
                poll.register(client.socket, select.EPOLLIN)
            if not waiting:
                return
            events = poll.poll(PATIENCE)
            if not events:
                raise TimeoutError(f"{len(waiting)} clients heard nothing for {PATIENCE:g} s while connecting")
            for handle, _ in events:
                place, client = waiting[handle]
                if (connected := client.hear()) is not None:
                    del waiting[handle]
                    poll.unregister(handle)
                    yield place, connected
