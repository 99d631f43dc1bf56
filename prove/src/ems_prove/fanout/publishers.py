"""The side that publishes: plain commands down one socket, as many as there are, nothing waited for."""

from __future__ import annotations

import contextlib
import socket
from typing import Literal

import msgspec

from ems_prove.fanout.dialects import mqtt_connect, mqtt_packet, mqtt_string

type Kind = Literal["redis", "channels", "nats", "mqtt"]

PATIENCE = 5.0


class Where(msgspec.Struct, frozen=True):
    """Which broker takes the batches. `user` and `password` are Redis'."""

    kind: Kind
    port: int
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Where({self.kind!r}, {self.port})"


class Publisher:
    """`queue` batches, then `flush`; what the broker does not take at once leaves with a later `flush`."""

    def __init__(self, where: Where) -> None:
        self._kind = where.kind
        self._out = bytearray()
        self._socket = socket.create_connection(("127.0.0.1", where.port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if where.kind in ("redis", "channels"):
            self._ask(_redis("AUTH", where.user, where.password), b"+OK\r\n")
            self._socket.sendall(_redis("CLIENT", "REPLY", "OFF"))
        elif where.kind == "nats":
            self._ask(b'CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n', b"PONG\r\n")
        else:
            self._ask(mqtt_connect("publisher"), b"\x20\x02\x00\x00")
        self._socket.setblocking(False)

    def _ask(self, words: bytes, answer: bytes) -> None:
        self._socket.sendall(words)
        heard = b""
        while answer not in heard:
            more = self._socket.recv(65_536)
            heard += more
            if not more or heard.startswith(b"-"):
                raise RuntimeError(
                    f"the broker at {self._socket.getpeername()} refused to be published to: {heard!r:.200}"
                )

    def queue(self, site: int, batch: bytes) -> None:
        if self._kind == "redis":
            channel = b"telemetry:site_%d" % site
            self._out += b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (
                len(channel),
                channel,
                len(batch),
                batch,
            )
        elif self._kind == "nats":
            self._out += b"PUB telemetry.site_%d %d\r\n%b\r\n" % (site, len(batch), batch)
        elif self._kind == "mqtt":
            self._out += mqtt_packet(0x30, mqtt_string(f"telemetry/site_{site}") + batch)
        else:
            self._out += _to_group(site, batch)

    def flush(self) -> bool:
        """Whether everything has left."""
        with contextlib.suppress(BlockingIOError):
            while self._out:
                sent = self._socket.send(self._out)
                del self._out[:sent]
        return not self._out

    def listen(self) -> None:
        """To be called now and then: a NATS server wants its PING answered."""
        with contextlib.suppress(BlockingIOError):
            if not (heard := self._socket.recv(65_536)):
                raise RuntimeError("the broker has closed the publisher's connection")
            if self._kind == "nats" and b"PING\r\n" in heard:
                self._out += b"PONG\r\n"

    def close(self) -> None:
        self._socket.close()


def _redis(*words: str) -> bytes:
    return b"*%d\r\n%b" % (len(words), b"".join(b"$%d\r\n%b\r\n" % (len(word), word.encode()) for word in words))


def _to_group(site: int, batch: bytes) -> bytes:
    """What `group_send` publishes: Django Channels' own message, as msgpack."""
    size = len(batch)
    length = b"\xd9" + size.to_bytes(1) if size < 256 else b"\xda" + size.to_bytes(2)
    message = b"\x82\xa4type\xa9telemetry\xa4text" + length + batch
    channel = b"asgi__group__site_%d" % site
    return b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(channel), channel, len(message), message)
