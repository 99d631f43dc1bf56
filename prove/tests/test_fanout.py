"""The load kit: what it counts is there, what is not there it misses, and a short contest of the real service."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ems_contract.telemetry import check_keys, decode_batch
from ems_prove.fanout.batches import FIRST_SEQ, MARKER, Batches, counter
from ems_prove.fanout.connect import Connected
from ems_prove.fanout.contest import Crowd, measure
from ems_prove.fanout.dialects import DIALECTS, mqtt_packet, mqtt_string
from ems_prove.fanout.drive import Phase
from ems_prove.fanout.receiver import Receiver, Sampled
from ems_prove.fanout.rfc6455 import BINARY, PING, TEXT, FrameReader, Message, ProtocolError
from ems_prove.fanout.servers import BY_NAME, OURS
from ems_stack import peers
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode


def written(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """A server's frame, by a library that is not under test."""
    return Frame(Opcode(opcode), payload, fin).serialize(mask=False)


def cut(stream: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield stream[at : at + size]
        at += size
    yield stream[at:]


@pytest.mark.parametrize("size", [240, 250, 20_000])
def test_a_batch_is_one_of_the_contract_and_its_marker_is_its_end(size: int) -> None:
    batches = Batches(3, size)
    for seq in range(FIRST_SEQ, FIRST_SEQ + 3):
        batch = batches.next()
        assert len(batch) == size
        assert batch.count(MARKER) == 1
        assert batch.endswith(MARKER)
        decoded = decode_batch(batch, edge="edge_3")
        assert decoded.seq == seq
        check_keys(decoded.readings[0].values)


@pytest.mark.parametrize("size", [250, 20_000])
def test_ends_are_counted_once_however_a_chunk_begins_and_ends(size: int) -> None:
    batches, ends = Batches(1, size), counter(size)
    stream = b'{"batches":[%b]}' % b",".join(batches.next() for _ in range(3))
    kept = len(MARKER) - 1
    for at in range(len(stream) - 3 * kept, len(stream)):
        first, second = bytearray(bytes(kept) + stream[:at]), bytearray(stream[at - kept :])
        assert ends(first, len(first)) + ends(second, len(second)) == 3


MESSAGES = st.lists(
    st.tuples(st.sampled_from([TEXT, BINARY, PING]), st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536])), max_size=6
)


@settings(max_examples=30, deadline=None)
@given(MESSAGES, st.lists(st.integers(1, 70_000), max_size=8))
def test_frames_are_read_whole_however_the_stream_is_cut(messages: list[tuple[int, int]], sizes: list[int]) -> None:
    sent = [Message(opcode, b"x" * (min(size, 125) if opcode == PING else size)) for opcode, size in messages]
    stream = b"".join(written(one.opcode, one.payload) for one in sent)
    reader = FrameReader()
    assert [message for chunk in cut(stream, sizes) for message in reader.feed(chunk)] == sent


def test_a_message_in_pieces_is_one_message_and_a_ping_may_come_between() -> None:
    pieces = [written(TEXT, b"one ", fin=False), written(PING, b"?"), written(0, b"whole")]
    reader = FrameReader()
    assert [one for piece in pieces for one in reader.feed(piece)] == [Message(PING, b"?"), Message(TEXT, b"one whole")]


@pytest.mark.parametrize("bad", [b"\xc1\x00", b"\x81\x80", b"\x80\x00", b"\x83\x00", b"\x81\x01\xff"])
def test_what_no_server_may_send_is_refused(bad: bytes) -> None:
    """Reserved bits, a mask, a continuation of nothing, an opcode that does not exist, bad UTF-8."""
    with pytest.raises((ProtocolError, UnicodeDecodeError)):
        list(FrameReader().feed(bad))


def streams() -> dict[str, bytes]:
    """Three batches as each server would send them."""
    batches = Batches(1, 250)
    some = [batches.next() for _ in range(3)]
    joined = b'{"type":"telemetry","site":"site_1","batches":[%b]}' % b",".join(some)
    escaped = [b'42["batch","%b"]' % one.replace(b'"', b'\\"') for one in some]
    nats = b"PING\r\n" + b"".join(b"MSG telemetry.site_1 1 250\r\n%b\r\n" % one for one in some)
    mqtt = b"".join(mqtt_packet(0x30, mqtt_string("telemetry/site_1") + one) for one in some)
    return {
        "ems": written(TEXT, joined),
        "plain": b"".join(written(TEXT, one) for one in some),
        "socket.io": b"".join(written(TEXT, one) for one in [b"2", *escaped]),
        "nats": written(BINARY, nats[:100]) + written(BINARY, nats[100:]),
        "mqtt": written(BINARY, mqtt[:300]) + written(BINARY, mqtt[300:]),
    }


@contextmanager
def receiving(dialect: str, size: int = 250) -> Iterator[tuple[socket.socket, Receiver, Sampled]]:
    """The server's end, and a receiver with one client that is sampled; five batches were published."""
    server, client = socket.socketpair()
    receiver = Receiver(1, size)
    sampled = Sampled(client, DIALECTS[dialect].listener(), [0] * 5)
    receiver.add(0, Connected(client, b""), sampled)
    with server:
        yield server, receiver, sampled
    receiver.close()


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(DIALECTS)), st.lists(st.integers(1, 400), max_size=12))
def test_each_batch_is_counted_once_and_read_in_order_in_every_protocol(dialect: str, sizes: list[int]) -> None:
    with receiving(dialect) as (server, receiver, sampled):
        for chunk in cut(streams()[dialect], sizes):
            if chunk:
                server.sendall(chunk)
                assert receiver.turn(5.0)
        assert receiver.total == 3
        assert (len(sampled.heard), sampled.lost, sampled.doubled) == (3, 0, 0)


def test_a_batch_that_is_lost_and_one_that_comes_twice_are_seen() -> None:
    batches = Batches(1, 250)
    first, _, third = (batches.next() for _ in range(3))
    with receiving("plain") as (server, receiver, sampled):
        server.sendall(b"".join(written(TEXT, one) for one in (first, third, third)))
        assert receiver.turn(5.0)
        assert (sampled.lost, sampled.doubled) == (1, 1)


def test_a_client_that_is_cut_off_is_told_and_keeps_what_it_had() -> None:
    with receiving("plain") as (server, receiver, _):
        server.sendall(written(TEXT, Batches(1, 250).next()))
        assert receiver.turn(5.0)
        server.close()
        assert receiver.turn(5.0)
        assert (receiver.total, receiver.disconnected) == (1, 1)


def test_the_service_delivers_everything_to_everyone_in_both_ways_of_driving_it() -> None:
    phases = [Phase(0.3, warm_up=0.2), Phase(0.3, rate=2_000, warm_up=0.1)]
    report = measure(BY_NAME[OURS], phases, Crowd(sites=2, clients=10, sampled=10, users=2))
    for figures in report.figures:
        assert figures.samples > 0
        assert figures.deliveries > 0
        wrong = (figures.missing, figures.lost, figures.doubled, figures.gaps, figures.disconnected)
        assert wrong == (0, 0, 0, 0, 0)


def test_a_server_that_is_not_installed_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(peers, "_ALSO", ())
    with pytest.raises(peers.NoPeerError, match="apt-get install nats-server"):
        peers.installed("nats-server")
