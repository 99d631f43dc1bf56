"""The frames that our own code writes, read by other people's implementations of RFC 6455."""

from __future__ import annotations

import asyncio
import json

import pytest
from ems_realtime.wire import text_frame
from ems_stack import peers
from hypothesis import given
from hypothesis import strategies as st
from realtime_support.echo import EchoServer
from realtime_support.raw import RawClient, upgrade
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000]
"""On both sides of each change in how a length is written."""


@given(st.lists(st.text(max_size=40) | st.sampled_from(SIZES).map(lambda size: "é" * (size // 2) + "x" * (size % 2))))
def test_frames_one_after_another_are_read_as_the_texts_that_they_were(texts: list[str]) -> None:
    reader = Protocol(Side.CLIENT, max_size=None)
    reader.receive_data(b"".join(text_frame(text.encode()) for text in texts))
    assert reader.parser_exc is None
    assert reader.events_received() == [Frame(Opcode.TEXT, text.encode()) for text in texts]


async def test_the_client_of_websockets_reads_them(echo: EchoServer) -> None:
    async with connect(echo.url, max_size=None, proxy=None) as client:
        for size in SIZES:
            for message in ("x" * size, b"\xff" * size):
                await client.send(message)
                assert await client.recv() == message
    assert client.close_code == 1000


async def test_the_client_of_node_ws_reads_them(echo: EchoServer) -> None:
    words = [*peers.script("ws_echo"), echo.url, *map(str, SIZES)]
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0
    assert json.loads(said) == {"same": [*SIZES, *SIZES], "code": 1000, "extensions": ""}


@pytest.mark.parametrize("offer", ["permessage-deflate; client_max_window_bits", "x-webkit-deflate-frame, bbf-usp"])
def test_no_extension_is_ever_agreed_to(echo: EchoServer, offer: str) -> None:
    with RawClient(echo.port) as client:
        client.say(upgrade(f"Sec-WebSocket-Extensions: {offer}", path="/"))
        answer = client.read_until(b"\r\n\r\n").lower()
    assert answer.startswith(b"http/1.1 101 ")
    assert b"sec-websocket-extensions" not in answer
