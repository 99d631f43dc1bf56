"""RFC 6455, what is right: messages of every length, whole, in fragments and in pieces, come back as they were sent.

With the other files `test_conformance_*` as much as the Autobahn suite's cases for a server, sections 1 to 7, 9, 10.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from realtime_support.echo import EchoServer
from realtime_support.rfc6455 import BINARY, CONT, PING, PONG, TEXT, StrictClient, fragments, frame


@pytest.fixture
def client(echo: EchoServer) -> Iterator[StrictClient]:
    with StrictClient(echo.port) as connected:
        yield connected


def content(opcode: int, size: int) -> bytes:
    return b"*" * size if opcode == TEXT else os.urandom(size)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", [0, 1, 124, 125, 126, 127, 128, 4_096, 65_534, 65_535, 65_536, 65_537])
def test_a_message_of_any_length_comes_back(client: StrictClient, opcode: int, size: int) -> None:
    payload = content(opcode, size)
    client.say(frame(opcode, payload))
    client.echoes([(opcode, payload)])


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_message_in_pieces_of_any_size_is_the_same_message(client: StrictClient, opcode: int) -> None:
    for size, chop in ((300, 1), (65_536, 997), (65_536, 6), (1_000_000, 1_460)):
        payload = content(opcode, size)
        client.say(frame(opcode, payload), chop=max(chop, size // 500))
        client.echoes([(opcode, payload)])


@pytest.mark.parametrize("mask", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x00\x01\x02\x03"])
def test_any_mask_will_do(client: StrictClient, mask: bytes) -> None:
    for size in (0, 1, 2, 3, 4, 5, 7, 8, 9, 1_001):
        payload = os.urandom(size)
        client.say(frame(BINARY, payload, mask=mask))
        client.echoes([(BINARY, payload)])


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize(("size", "fragment"), [(0, 1), (2, 1), (65_536, 1_300), (262_144, 4_096), (4_194_304, 65_536)])
def test_a_message_in_fragments_comes_back_in_one_frame(
    client: StrictClient, opcode: int, size: int, fragment: int
) -> None:
    payload = content(opcode, size)
    client.say(fragments(opcode, payload, fragment))
    client.echoes([(opcode, payload)])


@pytest.mark.parametrize("chop", [None, 1])
def test_a_ping_between_fragments_is_answered_before_the_message_is_whole(
    client: StrictClient, chop: int | None
) -> None:
    client.say(frame(TEXT, b"frag", fin=False), frame(PING, b"now?"), chop=chop)
    client.echoes([(PONG, b"now?")])
    client.say(frame(CONT, b"men", fin=False), frame(PING), frame(CONT, b"ted"), chop=chop)
    client.echoes([(PONG, b""), (TEXT, b"fragmented")])


def test_empty_fragments_add_nothing(client: StrictClient) -> None:
    client.say(frame(TEXT, fin=False), frame(CONT, b"x", fin=False), frame(CONT, fin=False), frame(CONT))
    client.echoes([(TEXT, b"x")])


def test_messages_in_one_packet_come_back_in_their_order(client: StrictClient) -> None:
    messages = [(TEXT if n % 2 else BINARY, b"%d" % n) for n in range(200)]
    client.say(*(frame(opcode, payload) for opcode, payload in messages))
    client.echoes(messages)


@pytest.mark.parametrize("payload", [b"", b"Hello, world!", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125])
@pytest.mark.parametrize("chop", [None, 1])
def test_a_ping_is_answered_with_its_own_payload(client: StrictClient, payload: bytes, chop: int | None) -> None:
    client.say(frame(PING, payload), chop=chop)
    client.echoes([(PONG, payload)])


@pytest.mark.parametrize("chop", [None, 1])
def test_ten_pings_are_answered_in_their_order(client: StrictClient, chop: int | None) -> None:
    pings = [b"payload-%d" % n for n in range(10)]
    client.say(*(frame(PING, ping) for ping in pings), chop=chop)
    client.echoes((PONG, ping) for ping in pings)


@pytest.mark.parametrize("payload", [b"", b"unasked"])
def test_a_pong_that_nobody_asked_for_is_ignored(client: StrictClient, payload: bytes) -> None:
    client.say(frame(PONG, payload), frame(PING, b"and now"))
    client.echoes([(PONG, b"and now")])


TEXTS = [
    "Hello-µ@ßöäüàá-UTF-8!!",
    "κόσμε",
    "\x00\x7f\x80\u07ff\u0800\uffff\U00010000\U0010ffff",
    "\ud7ff\ue000\ufffd",
    "\ufffe\uffff\U0001fffe\U0010fffe",
    "🙂" * 50,
]
"""Code points at every boundary of their length in bytes, on both sides of the surrogates, and noncharacters."""


@pytest.mark.parametrize("text", TEXTS)
def test_text_may_be_cut_anywhere_even_within_a_character(client: StrictClient, text: str) -> None:
    payload = text.encode()
    for size in (len(payload), 1, 3):
        client.say(fragments(TEXT, payload, size))
        client.echoes([(TEXT, payload)])
    client.say(frame(TEXT, payload), chop=1)
    client.echoes([(TEXT, payload)])
