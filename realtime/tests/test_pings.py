"""The pings that the service sends, by which it notices clients that have gone without a word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ems_realtime import wire_uvicorn
from realtime_support.echo import EchoServer
from realtime_support.rfc6455 import PING, PONG, TEXT, Heard, StrictClient, frame


@pytest.fixture(scope="module")
def impatient() -> Iterator[EchoServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire_uvicorn, "PING_SECONDS", 0.3)
        patch.setattr(wire_uvicorn, "CLOSE_TIMEOUT", 0.3)
        server = EchoServer()
        yield server
        server.stop()


def test_whoever_answers_its_pings_stays(impatient: EchoServer) -> None:
    with StrictClient(impatient.port) as client:
        for _ in range(3):
            ping = client.hear()
            assert ping.opcode == PING
            client.say(frame(PONG, ping.payload))
        client.say(frame(TEXT, b"still here"))
        client.echoes([(TEXT, b"still here")])


def test_whoever_does_not_is_closed_when_the_next_is_due_and_cut_off_soon_after(impatient: EchoServer) -> None:
    with StrictClient(impatient.port) as client:
        ping, close = client.hear_all()
        assert ping == Heard(PING, b"")
        assert close.code == 1011
