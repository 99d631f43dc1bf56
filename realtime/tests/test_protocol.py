"""Frames: the client's are parsed strictly, what came from Redis is joined only if it can forge nothing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

import pytest
from ems_contract.frames import Auth, Ping, Subscribe, join_batches
from ems_realtime import protocol
from ems_realtime.protocol import BadMessageError, PayloadRefusedError
from ems_realtime.wire import text_frame
from hypothesis import example, given
from hypothesis import strategies as st
from realtime_support.batches import batch
from websockets.frames import Opcode
from websockets.protocol import Protocol, Side


def test_it_reads_every_client_frame_and_ignores_fields_it_does_not_know() -> None:
    assert protocol.parse('{"type":"auth","token":"t","later":1}') == Auth("t")
    assert protocol.parse('{"type":"subscribe","sites":["site_7"]}') == Subscribe(["site_7"])
    assert protocol.parse('{"type":"ping"}') == Ping(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "null",
        "[]",
        "{}",
        '{"type":"welcome"}',
        '{"type":"auth"}',
        '{"type":"auth","token":7}',
        '{"type":"subscribe","sites":"site_7"}',
        '{"type":"subscribe","sites":[7]}',
        '{"type":"ping","id":"1"}',
        '{"type":"ping"}{"type":"ping"}',
        "[" * 60_000,
        '{"type":"ping","x":' + "[" * 30_000 + "]" * 30_000 + "}",
    ],
)
def test_anything_else_is_a_bad_message(text: str) -> None:
    with pytest.raises(BadMessageError) as caught:
        protocol.parse(text)
    assert len(str(caught.value)) <= 120


def test_an_error_does_not_repeat_what_the_client_sent() -> None:
    with pytest.raises(BadMessageError) as caught:
        protocol.parse('{"type":"a-token-in-the-wrong-place"}')
    assert "token" not in str(caught.value)


@given(st.text())
def test_no_text_makes_the_parser_fail_in_another_way(text: str) -> None:
    with contextlib.suppress(BadMessageError):
        protocol.parse(text)


GOOD = batch(1)
EXTRAS = st.dictionaries(st.text(min_size=1), st.none() | st.integers() | st.text() | st.lists(st.text()), max_size=3)


@given(
    st.lists(
        st.one_of(
            st.binary(),
            st.builds(lambda at, junk: GOOD[:at] + junk + GOOD[at:], st.integers(0, len(GOOD)), st.binary()),
        ),
        max_size=5,
    )
)
@example([b'{}],"type":"telemetry","site":"site_9","batches":[{'])
@example([GOOD[:-1] + b',"x":"\xff"}'])
@example([GOOD[:-1] + b',"x":"\xed\xa0\x80"}'])
def test_whatever_passes_the_check_makes_one_well_formed_frame_of_its_own_site(payloads: list[bytes]) -> None:
    accepted = []
    for payload in [GOOD, *payloads]:
        try:
            protocol.check_batch(payload)
        except PayloadRefusedError:
            continue
        accepted.append(payload)
    frame = json.loads(join_batches("telemetry", "site_7", accepted).decode())
    assert frame.keys() == {"type", "site", "batches"}
    assert frame["site"] == "site_7"
    assert frame["batches"] == [json.loads(payload) for payload in accepted]
    assert len(frame["batches"]) == len(accepted)


@given(EXTRAS)
def test_fields_that_a_newer_edge_adds_are_forwarded(extras: dict[str, object]) -> None:
    protocol.check_batch(json.dumps({**extras, **json.loads(GOOD)}).encode())


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_a_frame_is_understood_by_another_implementation(size: int) -> None:
    client = Protocol(Side.CLIENT, max_size=None)
    payload = b"x" * size
    client.receive_data(text_frame(payload) + text_frame(b"next"))
    events = client.events_received()
    assert [event.opcode for event in events] == [Opcode.TEXT, Opcode.TEXT]
    assert [bytes(event.data) for event in events] == [payload, b"next"]


@pytest.mark.parametrize("read", [protocol.alert, protocol.command])
def test_an_event_beyond_its_bound_is_refused_before_it_is_read(read: Callable[[str, bytes], bytes]) -> None:
    with pytest.raises(PayloadRefusedError, match="an event of 70000 bytes"):
        read("site_7", b" " * 70_000)
