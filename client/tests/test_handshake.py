"""Before the first frame: who is refused for good, who is tried again."""

from __future__ import annotations

import asyncio
import ssl as tls
from collections.abc import Callable
from typing import Any

import pytest
import trustme
from client_support.relay import Relay
from ems_client import EndReason, Grant, LinkState, LiveClient, LiveEndedError, StateChange
from realtime_support.redis_process import free_port
from realtime_support.running import Running
from websockets.asyncio.server import serve

Follow = Callable[..., Any]


async def test_an_origin_that_is_not_allowed_ends_it_and_the_service_s_words_are_told(
    service: Running, follow: Follow
) -> None:
    program = await follow(service.url, origin="https://elsewhere.example")
    error = await program.ended()
    assert isinstance(error, LiveEndedError)
    assert (error.reason, error.code) == (EndReason.HANDSHAKE_REFUSED, 403)
    assert "EMS_WS_ORIGINS" in str(error)


async def test_no_origin_is_good_where_the_operator_says_so(start: Callable[..., Running], follow: Follow) -> None:
    program = await follow(start(allow_no_origin=True).url, origin=None)
    await program.next(Grant)


async def test_behind_an_ingress_it_speaks_tls_and_trusts_only_whom_it_should(service: Running, follow: Follow) -> None:
    ingress, known = tls.SSLContext(tls.PROTOCOL_TLS_SERVER), tls.create_default_context()
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").configure_cert(ingress)
    authority.configure_trust(known)
    async with Relay(service.port, ssl=ingress) as relay:
        program = await follow(relay.url, ssl=known)
        await program.next(Grant)
        stranger = await follow(relay.url)
        waiting = await stranger.next(StateChange, when=lambda change: change.state is LinkState.WAITING)
        assert "certificate" in waiting.reason


async def test_a_service_that_is_not_there_yet_is_waited_for(follow: Follow) -> None:
    program = await follow(f"ws://127.0.0.1:{free_port()}/ws")
    waiting = await program.next(StateChange, when=lambda change: change.state is LinkState.WAITING)
    assert waiting.reason.startswith("no connection:")
    assert waiting.retry_in is not None
    await program.next(StateChange, when=lambda change: change.state is LinkState.CONNECTING)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", LinkState.WAITING),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", LinkState.ENDED),
        ("HTTP/1.1 307 Moved\r\nLocation: ws://127.0.0.1:1/ws\r\nContent-Length: 0\r\n\r\n", LinkState.ENDED),
        ("SSH-2.0-OpenSSH_9.2\r\n", LinkState.WAITING),
    ],
)
async def test_another_answer_than_a_handshake_is_understood(follow: Follow, answer: str, outcome: LinkState) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer.encode())
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        program = await follow(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws")
        await program.next(StateChange, when=lambda change: change.state is outcome)


async def test_a_server_of_another_protocol_ends_it(follow: Follow) -> None:
    async with serve(lambda socket: socket.wait_closed(), "127.0.0.1", 0) as server:
        program = await follow(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/ws")
        error = await program.ended()
        assert isinstance(error, LiveEndedError)
        assert "does not speak ems.v1" in str(error)


@pytest.mark.parametrize(
    "origin", ["ems.example.com", "https://ems.example.com/page", "https://a b", "https://a\r\nb: c"]
)
def test_what_is_no_origin_is_refused_with_a_remedy(origin: str) -> None:
    with pytest.raises(ValueError, match="origin: write scheme, host and port only"):
        LiveClient("wss://ems.example.com", token="emt_1", origin=origin)


def test_a_queue_that_holds_next_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="queue_bytes: 10; at least 65536"):
        LiveClient("wss://ems.example.com", token="emt_1", queue_bytes=10)
