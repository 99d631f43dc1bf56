"""The pings that the service sends, by which it notices clients that have gone without a word."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from ems_realtime import wire_uvicorn
from realtime_support.backend import Backend
from realtime_support.batches import grant, token
from realtime_support.echo import EchoServer
from realtime_support.raw import RawClient
from realtime_support.redis_process import RedisProcess
from realtime_support.rfc6455 import PING, PONG, TEXT, Heard, StrictClient, frame
from realtime_support.running import Running


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


def test_whoever_speaks_while_the_backend_takes_its_time_is_not_closed_because_nobody_hears_its_pongs(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_uvicorn, "PING_SECONDS", 0.1)
    backend.answers[token(1)] = grant(1, [7])
    backend.gate.clear()
    with RawClient.opened(start(redis).port) as client:
        client.send(type="auth", token=token(1))
        client.send(type="subscribe", sites=["site_7"])
        threading.Timer(0.5, backend.gate.set).start()
        client.read_until(b'"snapshot"')
