"""The client's frames, and how the kit reads a server's: held against the `websockets` library."""

from __future__ import annotations

import pytest
from ems_prove.websocket import FrameReader, FramingError, Handshake, Opcode, frame
from hypothesis import given
from hypothesis import strategies as st
from websockets import Origin, Subprotocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame
from websockets.frames import Opcode as Theirs
from websockets.http11 import Request
from websockets.server import ServerProtocol

SIZES = st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])


def served(payload: bytes, opcode: Theirs = Theirs.TEXT, **parts: bool) -> bytes:
    return Frame(opcode, payload, **parts).serialize(mask=False)


def read(reader: FrameReader, data: bytes) -> list[tuple[Opcode, bytes]]:
    return [(opcode, bytes(payload)) for opcode, payload in reader.feed(data)]


@given(st.lists(st.tuples(SIZES, st.sampled_from([Theirs.TEXT])), max_size=4), st.data())
def test_messages_come_out_whole_however_they_were_cut(sizes: list[tuple[int, Theirs]], data: st.DataObject) -> None:
    sent = [(opcode, bytes([65 + number]) * size) for number, (size, opcode) in enumerate(sizes)]
    stream = b"".join(served(payload, opcode) for opcode, payload in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    reader, before = FrameReader(), 0
    got: list[tuple[Opcode, bytes]] = []
    for cut in [*cuts, len(stream)]:
        got += read(reader, stream[before:cut])
        before = cut
    assert got == [(Opcode(opcode), payload) for opcode, payload in sent]


def test_control_frames_between_messages_are_told_apart() -> None:
    stream = served(b"x", Theirs.PING) + served(b"{}") + served(b"\x03\xf4bye", Theirs.CLOSE)
    assert read(FrameReader(), stream) == [(Opcode.PING, b"x"), (Opcode.TEXT, b"{}"), (Opcode.CLOSE, b"\x03\xf4bye")]


@pytest.mark.parametrize(
    "wrong",
    [
        Frame(Theirs.TEXT, b"masked").serialize(mask=True),
        served(b"part", fin=False),
        served(b"binary", Theirs.BINARY),
        Frame(Theirs.TEXT, b"small").serialize(mask=False, extensions=[PerMessageDeflate(False, False, 15, 15)]),
    ],
    ids=["masked", "fragmented", "binary", "compressed"],
)
def test_what_a_server_of_ours_never_sends_is_refused(wrong: bytes) -> None:
    with pytest.raises(FramingError):
        read(FrameReader(), wrong)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 4_000, 65_535])
def test_a_strict_server_understands_the_handshake_and_what_is_sent(size: int) -> None:
    server = ServerProtocol(subprotocols=[Subprotocol("ems.v1")], origins=[Origin("http://localhost:3000")])
    hello = Handshake("/ws", "localhost:8001", "http://localhost:3000", "ems.v1")
    server.receive_data(hello.request)
    (request,) = server.events_received()
    assert isinstance(request, Request)
    server.send_response(server.accept(request))
    assert hello.status(b"".join(server.data_to_send())) == 101
    server.receive_data(frame(Opcode.TEXT, b"a" * size))
    (heard,) = server.events_received()
    assert isinstance(heard, Frame)
    assert (heard.opcode, heard.data) == (Theirs.TEXT, b"a" * size)


def test_a_server_that_does_not_prove_itself_is_refused() -> None:
    hello = Handshake("/ws", "localhost", "http://localhost", "ems.v1")
    with pytest.raises(FramingError):
        hello.status(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: nonsense\r\n\r\n")
    assert hello.status(b"HTTP/1.1 403 Forbidden\r\n\r\n") == 403
