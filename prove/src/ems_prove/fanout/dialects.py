"""How a client of each server connects, proves who it is, subscribes to a site, and what it reads then.

A dialect is spoken in two halves. `steps`: what to send and what must have come before the next step; the client is
subscribed when the last one is done. `Listener`: the really parsed half, for a sample of the clients; it reads every
message down to the batch's own seq.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from ems_prove.fanout.rfc6455 import BINARY, TEXT, Message, client_frame, upgrade

ORIGIN = "http://localhost:3000"


class Batch(msgspec.Struct):
    """Of a batch only its seq is looked at; that the rest is JSON is checked on the way."""

    seq: int


_batch = msgspec.json.Decoder(Batch)


@dataclass(frozen=True)
class Step:
    send: bytes
    until: bytes


class Listener(Protocol):
    """One client's understanding. `gaps`: how often it was told that something is missing."""

    gaps: int

    def hear(self, message: Message) -> Sequence[int]:
        """The seqs of the batches in it, in order. Raises ValueError for what makes no sense."""


@dataclass(frozen=True)
class Dialect:
    """`steps(port, site, token)`: the site's name, and a token where the server wants one."""

    steps: Callable[[int, str, str], list[Step]]
    listener: Callable[[], Listener]


def _text(value: object) -> bytes:
    return client_frame(TEXT, json.dumps(value).encode())


# Ours ---------------------------------------------------------------------------------------------------------------


class _Frame(msgspec.Struct):
    type: str
    batches: list[Batch] = []


class _Ems:
    def __init__(self) -> None:
        self.gaps = 0
        self._frame = msgspec.json.Decoder(_Frame)

    def hear(self, message: Message) -> Sequence[int]:
        if message.opcode != TEXT:
            return ()
        frame = self._frame.decode(message.payload)
        if frame.type == "gap":
            self.gaps += 1
        return [batch.seq for batch in frame.batches] if frame.type == "telemetry" else ()


def _ems_steps(port: int, site: str, token: str) -> list[Step]:
    return [
        Step(upgrade(port, "/ws", "ems.v1", ORIGIN), b"\r\n\r\n"),
        Step(_text({"type": "auth", "token": token}) + _text({"type": "subscribe", "sites": [site]}), b'"snapshot"'),
    ]


# One text message for each batch: naive FastAPI, Django Channels, `ws` ----------------------------------------------


class _Plain:
    gaps = 0

    def hear(self, message: Message) -> Sequence[int]:
        if message.opcode != TEXT or message.payload == b"subscribed":
            return ()
        return (_batch.decode(message.payload).seq,)


def _plain_steps(port: int, site: str, _: str) -> list[Step]:
    return [Step(upgrade(port, "/ws"), b"\r\n\r\n"), Step(client_frame(TEXT, site.encode()), b"subscribed")]


# Socket.IO ----------------------------------------------------------------------------------------------------------


class _SocketIo:
    """Engine.IO's and Socket.IO's packets: `42["batch","<a batch as a string>"]`."""

    gaps = 0

    def hear(self, message: Message) -> Sequence[int]:
        if message.opcode != TEXT or not message.payload.startswith(b'42["batch",'):
            return ()
        _, batch = msgspec.json.decode(message.payload[2:], type=tuple[str, str])
        return (_batch.decode(batch).seq,)


def _socketio_steps(port: int, site: str, _: str) -> list[Step]:
    return [
        Step(upgrade(port, "/socket.io/?EIO=4&transport=websocket"), b'"sid"'),
        Step(client_frame(TEXT, b"40"), b'40{"sid"'),
        Step(client_frame(TEXT, b"42" + json.dumps(["subscribe", site]).encode()), b'42["subscribed"'),
    ]


# NATS ---------------------------------------------------------------------------------------------------------------


class _Nats:
    """Its protocol is a stream of its own: a WebSocket message may hold many MSG, or a part of one."""

    gaps = 0

    def __init__(self) -> None:
        self._stream = bytearray()

    def hear(self, message: Message) -> Sequence[int]:
        if message.opcode != BINARY:
            return ()
        self._stream += message.payload
        at, found = 0, []
        while (end := self._stream.find(b"\r\n", at)) >= 0:
            words = bytes(self._stream[at:end]).split(b" ")
            following = end + 2
            if words[0] == b"MSG":
                following += int(words[-1]) + 2
                if len(self._stream) < following:
                    break
                found.append(_batch.decode(self._stream[end + 2 : following - 2]).seq)
            elif words[0] not in (b"INFO", b"PING", b"PONG", b"+OK"):
                raise ValueError(f"NATS said {words[0]!r:.80}")
            at = following
        del self._stream[:at]
        return found


def _nats_steps(port: int, site: str, _: str) -> list[Step]:
    connect = b'CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"1","protocol":1}\r\n'
    subscribe = b"SUB telemetry.%b 1\r\nPING\r\n" % site.encode()
    return [Step(upgrade(port, "/"), b"\r\n\r\n"), Step(client_frame(BINARY, connect + subscribe), b"PONG\r\n")]


# MQTT 3.1.1 ---------------------------------------------------------------------------------------------------------

_PUBLISH = 0x30


class _Mqtt:
    """A stream of packets, like NATS'."""

    gaps = 0

    def __init__(self) -> None:
        self._stream = bytearray()

    def hear(self, message: Message) -> Sequence[int]:
        if message.opcode != BINARY:
            return ()
        self._stream += message.payload
        at, found = 0, []
        while (body := _mqtt_body(self._stream, at)) is not None:
            start, end = body
            if self._stream[at] & 0xF0 == _PUBLISH:
                topic = int.from_bytes(self._stream[start : start + 2])
                found.append(_batch.decode(self._stream[start + 2 + topic : end]).seq)
            at = end
        del self._stream[:at]
        return found


def _mqtt_body(stream: bytearray, at: int) -> tuple[int, int] | None:
    """Where the packet's body begins and ends; None while it is not whole."""
    length, shift, start = 0, 0, at + 1
    while start < len(stream):
        digit = stream[start]
        length |= (digit & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if not digit & 0x80:
            return (start, start + length) if start + length <= len(stream) else None
    return None


def mqtt_packet(first: int, body: bytes) -> bytes:
    head, length = bytearray([first]), len(body)
    while True:
        length, digit = length >> 7, length & 0x7F
        head.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


def mqtt_string(text: str) -> bytes:
    return len(text.encode()).to_bytes(2) + text.encode()


def mqtt_connect(name: str) -> bytes:
    """A clean session without keep-alive."""
    return mqtt_packet(0x10, mqtt_string("MQTT") + b"\x04\x02\x00\x00" + mqtt_string(name))


def _mqtt_steps(port: int, site: str, _: str) -> list[Step]:
    subscribe = mqtt_packet(0x82, b"\x00\x01" + mqtt_string(f"telemetry/{site}") + b"\x00")
    return [
        Step(upgrade(port, "/mqtt", "mqtt"), b"\r\n\r\n"),
        Step(client_frame(BINARY, mqtt_connect("")), b"\x20\x02\x00\x00"),
        Step(client_frame(BINARY, subscribe), b"\x90\x03\x00\x01\x00"),
    ]


DIALECTS = {
    "ems": Dialect(_ems_steps, _Ems),
    "plain": Dialect(_plain_steps, _Plain),
    "socket.io": Dialect(_socketio_steps, _SocketIo),
    "nats": Dialect(_nats_steps, _Nats),
    "mqtt": Dialect(_mqtt_steps, _Mqtt),
}
