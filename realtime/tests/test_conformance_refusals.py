"""RFC 6455, what is wrong: the connection ends with the code that names the fault, and nothing is said after it."""

from __future__ import annotations

import pytest
from realtime_support.echo import MAX_MESSAGE, EchoServer
from realtime_support.rfc6455 import BINARY, CLOSE, CONT, PING, PONG, TEXT, Heard, StrictClient, close, frame

PROTOCOL_ERROR, INVALID_DATA, BAD_MESSAGE = 1002, 1007, 4400

GOOD = frame(TEXT, b"good")


def refused(echo: EchoServer, *frames: bytes, chop: int | None = None) -> int | None:
    """The code of the close. Whatever was good may have been answered before, and nothing else."""
    with StrictClient(echo.port) as client:
        client.say(*frames, chop=chop)
        *answers, last = client.hear_all()
        assert set(answers) <= {Heard(TEXT, b"good"), Heard(PONG, b"good")}
        return last.code


@pytest.mark.parametrize(
    "before", [b"", GOOD, frame(PING, b"good")], ids=["at once", "after a message", "after a ping"]
)
@pytest.mark.parametrize("rsv", range(1, 8))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, CLOSE, PING, PONG])
def test_reserved_bits_mean_nothing_here(echo: EchoServer, opcode: int, rsv: int, before: bytes) -> None:
    assert refused(echo, before, frame(opcode, b"", rsv=rsv), GOOD) == PROTOCOL_ERROR


@pytest.mark.parametrize("payload", [b"", b"reserved"])
@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_reserved_opcodes_mean_nothing_here(echo: EchoServer, opcode: int, payload: bytes) -> None:
    assert refused(echo, frame(opcode, payload), GOOD) == PROTOCOL_ERROR
    assert refused(echo, GOOD, frame(opcode, payload), GOOD, chop=1) == PROTOCOL_ERROR


@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
def test_a_client_masks_what_it_sends(echo: EchoServer, opcode: int) -> None:
    assert refused(echo, frame(opcode, b"", mask=None)) == PROTOCOL_ERROR


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_control_frames_are_short_and_whole(echo: EchoServer, opcode: int) -> None:
    assert refused(echo, frame(opcode, b"\x03\xe8" + b"x" * 124)) == PROTOCOL_ERROR
    assert refused(echo, frame(opcode, b"", fin=False)) == PROTOCOL_ERROR
    assert refused(echo, frame(opcode, b"", fin=False), frame(CONT, b"")) == PROTOCOL_ERROR


@pytest.mark.parametrize("fin", [True, False])
@pytest.mark.parametrize("chop", [None, 1])
def test_nothing_can_be_continued_that_was_not_begun(echo: EchoServer, fin: bool, chop: int | None) -> None:
    for before in (b"", GOOD, frame(TEXT, b"go", fin=False) + frame(CONT, b"od")):
        assert refused(echo, before, frame(CONT, b"more", fin=fin), GOOD, chop=chop) == PROTOCOL_ERROR


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("fin", [True, False])
def test_a_message_is_ended_before_the_next_begins(echo: EchoServer, opcode: int, fin: bool) -> None:
    assert refused(echo, frame(TEXT, b"first", fin=False), frame(opcode, b"second", fin=fin)) == PROTOCOL_ERROR


INVALID = {
    "a lone continuation": b"\x80",
    "two of them": b"\x80\xbf",
    "a start without its rest": b"\xc2",
    "a start and a space": b"\xe2\x20\x80",
    "three bytes, one missing": b"\xe2\x82",
    "four bytes, one missing": b"\xf0\x9f\x99",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "impossible bytes": b"\xfe\xff",
    "a slash in two bytes": b"\xc0\xaf",
    "a slash in three": b"\xe0\x80\xaf",
    "a slash in four": b"\xf0\x80\x80\xaf",
    "the longest of two bytes in three": b"\xe0\x9f\xbf",
    "the longest of three bytes in four": b"\xf0\x8f\xbf\xbf",
    "a null in two": b"\xc0\x80",
    "a high surrogate": b"\xed\xa0\x80",
    "a low surrogate": b"\xed\xbf\xbf",
    "a pair of surrogates": b"\xed\xa0\x80\xed\xb0\x80",
    "beyond the last character": b"\xf4\x90\x80\x80",
    "far beyond": b"\xf7\xbf\xbf\xbf",
}


@pytest.mark.parametrize("invalid", INVALID.values(), ids=INVALID)
def test_text_is_utf8(echo: EchoServer, invalid: bytes) -> None:
    payload = "κόσμε".encode() + invalid + b"edited"
    assert refused(echo, frame(TEXT, payload)) == INVALID_DATA
    assert refused(echo, frame(TEXT, payload[:12], fin=False), frame(CONT, payload[12:])) == INVALID_DATA
    assert refused(echo, GOOD, frame(TEXT, invalid), GOOD) == INVALID_DATA
    with StrictClient(echo.port) as client:  # and bytes are bytes
        client.say(frame(BINARY, payload))
        client.echoes([(BINARY, payload)])


def test_a_message_has_a_bound_in_one_frame_and_in_many(echo: EchoServer) -> None:
    assert refused(echo, frame(BINARY, b"", length=MAX_MESSAGE + 1)) == BAD_MESSAGE
    assert refused(echo, frame(BINARY, b"", length=2**62)) == BAD_MESSAGE
    half = bytes(MAX_MESSAGE // 2)
    parts = frame(TEXT, half, fin=False), frame(CONT, half, fin=False)
    assert refused(echo, *parts, frame(CONT, b"x")) == BAD_MESSAGE


CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
WRONG_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("reason", [b"", b"goodbye \xe2\x9c\x93"])
def test_a_close_is_answered_with_its_own_code(echo: EchoServer, code: int, reason: bytes) -> None:
    assert refused(echo, close(code, reason)) == code


@pytest.mark.parametrize("code", WRONG_CODES)
@pytest.mark.parametrize("reason", [b"", b"goodbye"])
def test_a_code_that_nobody_may_send_is_a_protocol_error(echo: EchoServer, code: int, reason: bytes) -> None:
    assert refused(echo, close(code, reason)) == PROTOCOL_ERROR


def test_a_close_may_say_nothing_or_as_much_as_fits(echo: EchoServer) -> None:
    assert refused(echo, frame(CLOSE)) is None
    assert refused(echo, close(1000, b"*" * 123)) == 1000
    assert refused(echo, close(1000, b"*" * 124)) == PROTOCOL_ERROR
    assert refused(echo, frame(CLOSE, b"\x03")) == PROTOCOL_ERROR


@pytest.mark.parametrize("reason", INVALID.values(), ids=INVALID)
def test_the_reason_of_a_close_is_utf8(echo: EchoServer, reason: bytes) -> None:
    assert refused(echo, close(1000, reason)) == INVALID_DATA


@pytest.mark.parametrize("after", [close(1000), frame(PING, b"?"), frame(TEXT, b"?"), frame(CONT, b"?"), b"\xff" * 50])
def test_whatever_follows_a_close_is_not_heard(echo: EchoServer, after: bytes) -> None:
    assert refused(echo, close(1000), after) == 1000
    assert refused(echo, close(1000), frame(BINARY, bytes(200_000)), after) == 1000


def test_a_close_within_a_message_ends_it_too(echo: EchoServer) -> None:
    assert refused(echo, frame(TEXT, b"begun", fin=False), close(1000)) == 1000


@pytest.mark.parametrize("wrong", [frame(3), frame(TEXT, b"\xff"), frame(BINARY, b"", length=MAX_MESSAGE + 1)])
def test_whoever_is_still_sending_reads_why_it_ended(echo: EchoServer, wrong: bytes) -> None:
    """To close the whole connection at once would be a reset, which takes the close frame away unread."""
    assert refused(echo, wrong, bytes(900_000)) in (PROTOCOL_ERROR, INVALID_DATA, BAD_MESSAGE)
