"""What is a proper answer, in any pieces, among any noise."""

from __future__ import annotations

import contextlib
import struct
from itertools import pairwise

import pytest
from edge_support.serial_line import framed
from ems_edge.drivers.modbus_frames import (
    FrameError,
    Framing,
    Request,
    RtuFraming,
    TcpFraming,
    differing,
    read,
    write_bit,
    write_multiple,
    write_single,
)
from hypothesis import given
from hypothesis import strategies as st

REQUESTS = [
    (read("holding", 5, 3), b"\x03\x06\x00\x01\x00\x02\x00\x03"),
    (read("coil", 5, 11), b"\x01\x02\xff\x07"),
    (write_single("holding", 7, 99), b"\x06\x00\x07\x00\x63"),
    (write_single("coil", 7, 1), b"\x05\x00\x07\xff\x00"),
    (write_multiple("holding", 7, [1, 2]), b"\x10\x00\x07\x00\x02"),
    (write_bit(7, 3, 1), b"\x16\x00\x07\xff\xf7\x00\x08"),
    (read("input", 5, 2), b"\x84\x02"),
]
exchanges = st.sampled_from(REQUESTS)


def tcp(number: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", number, 0, len(pdu) + 1, unit) + pdu


def fed(framing: Framing, data: bytes, cuts: list[int]) -> bytes:
    edges = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    found: list[tuple[int, bytes]] = []
    for start, end in pairwise(edges):
        found += framing.feed(data[start:end])
    (answer,) = found
    return answer[1]


@given(exchanges, st.lists(st.integers(1, 40), max_size=5), st.lists(exchanges, max_size=3))
def test_tcp_finds_the_answer_in_any_pieces_behind_late_ones(
    exchange: tuple[Request, bytes], cuts: list[int], late: list[tuple[Request, bytes]]
) -> None:
    framing, (request, answer) = TcpFraming(), exchange
    for _ in late:
        number, _ = framing.request(1, request)
        framing.forget(number)
    assert framing.request(9, request)[1][7:] == request.pdu
    stream = b"".join(tcp(number + 1, 1, pdu) for number, (_, pdu) in enumerate(late))
    assert fed(framing, stream + tcp(len(late) + 1, 9, answer), cuts) == answer


@given(exchanges, st.lists(st.integers(1, 40), max_size=5), st.binary(max_size=12))
def test_rtu_finds_the_answer_in_any_pieces_behind_noise(
    exchange: tuple[Request, bytes], cuts: list[int], noise: bytes
) -> None:
    framing, (request, answer) = RtuFraming(), exchange
    _, sent = framing.request(9, request)
    assert sent == framed(9, request.pdu)
    noise = noise.replace(b"\x09", b"\x0a")  # a unit's own number may look like the beginning of its answer
    assert fed(framing, noise + framed(9, answer), cuts) == answer


def test_noise_without_end_is_an_error_and_not_kept() -> None:
    framing = RtuFraming()
    framing.request(9, read("holding", 5, 3))
    assert framing.feed(b"U" * 1000) == []
    for _ in range(3):
        with pytest.raises(FrameError, match="noise"):
            framing.feed(b"U" * 1_000_000)
        assert len(framing._buffer) < 5_000
    assert framing.forget(0)
    assert framing.feed(b"U" * 1000) == []


@given(exchanges, st.integers(1, 100), st.integers(0, 255))
def test_an_rtu_answer_with_a_byte_that_is_wrong_is_never_taken(
    exchange: tuple[Request, bytes], at: int, byte: int
) -> None:
    framing, (request, answer) = RtuFraming(), exchange
    framing.request(9, request)
    frame = bytearray(framed(9, answer))
    at %= len(frame)
    if frame[at] == byte:
        return
    frame[at] = byte
    try:
        assert framing.feed(bytes(frame)) == []
    except FrameError:
        return
    assert framing.forget(0)


@given(exchanges, st.binary(max_size=300))
def test_nothing_that_comes_in_raises_anything_else(exchange: tuple[Request, bytes], data: bytes) -> None:
    for framing in (TcpFraming(), RtuFraming()):
        framing.request(1, exchange[0])
        with contextlib.suppress(FrameError):
            framing.feed(data)


@pytest.mark.parametrize(
    "answer",
    [b"\x03\x04\x00\x01\x00\x02", b"\x04\x06\x00\x01\x00\x02\x00\x03", b"\x83\x02\x00", b"\x03\x06\x00\x01"],
)
def test_a_numbered_frame_that_is_no_answer_is_an_error_at_once(answer: bytes) -> None:
    framing = TcpFraming()
    framing.request(1, read("holding", 5, 3))
    with pytest.raises(FrameError):
        framing.feed(tcp(1, 1, answer))


@given(st.sampled_from(["coil", "discrete", "holding", "input"]), st.integers(0, 60000), st.integers(1, 125))
def test_a_differing_read_cannot_be_answered_by_an_answer_to_the_other(table: str, address: int, count: int) -> None:
    asked = read(table, address, count)
    other = differing(asked)
    assert other is not None
    assert (other.pdu[:3], other.size != asked.size) == (asked.pdu[:3], True)
    assert differing(write_single("holding", address, count)) is None


def test_a_bit_is_written_with_the_masks_of_the_specification() -> None:
    """(register AND and_mask) OR (or_mask AND NOT and_mask), Modbus 1.1b3, 6.16."""
    for register in (0, 0xFFFF, 0x1234):
        for bit in range(16):
            for value in (0, 1):
                keep, put = struct.unpack(">HH", write_bit(4, bit, value).pdu[3:])
                assert register & keep | put & ~keep == register & ~(1 << bit) | value << bit
