"""The kit of live sockets, against a server that is played by hand: what a service must not do must be seen."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable

import pytest
from ems_prove.publisher import EDGE
from ems_prove.regulars import JITTER, LONGEST, QUICK, longest_pause
from ems_prove.sockets import LOST, Door, LiveSocket, open_socket, until_streaming
from ems_prove.websocket import Opcode
from websockets.frames import Frame
from websockets.frames import Opcode as Theirs
from websockets.utils import accept_key

SITE = 7
Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def text(kind: str, **fields: object) -> bytes:
    return Frame(Theirs.TEXT, json.dumps({"type": kind, **fields}).encode()).serialize(mask=False)


def batches(kind: str, *seqs: int, edge: str = EDGE) -> bytes:
    return text(kind, site=f"site_{SITE}", batches=[{"edge": edge, "seq": seq, "readings": []} for seq in seqs])


def close(code: int) -> bytes:
    return Frame(Theirs.CLOSE, code.to_bytes(2)).serialize(mask=False)


def met(play: Play) -> LiveSocket:
    """A socket that has met a server which shakes hands, plays its part and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = re.findall(r"Sec-WebSocket-Key: (\S+)", request)[0]
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + accept_key(key).encode())
        writer.write(b"\r\n\r\n")
        await play(reader, writer)
        writer.close()

    async def run() -> LiveSocket:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        one = await open_socket(Door(server.sockets[0].getsockname()[1], "http://localhost:3000"), "token", SITE)
        async with asyncio.timeout(10):
            await one.over
        one.abort()  # harmless: it is over
        server.close()
        await server.wait_closed()
        return one

    return asyncio.run(run())


async def say(writer: asyncio.StreamWriter, *frames: bytes) -> None:
    writer.write(b"".join(frames))
    await writer.drain()


def test_it_authenticates_subscribes_and_counts_what_comes_from_the_edge_of_the_experiment() -> None:
    asked: list[dict[str, object]] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await say(writer, text("welcome", sites=[]))
        for _ in range(2):
            size = (await reader.readexactly(2))[1] & 0x7F
            mask, body = await reader.readexactly(4), await reader.readexactly(size)
            asked.append(json.loads(bytes(byte ^ mask[place % 4] for place, byte in enumerate(body))))
        await say(writer, batches("snapshot", 4), batches("telemetry", 4, 5), batches("telemetry", 9, edge="edge_1"))
        await say(writer, batches("telemetry", 7), text("heartbeat", live=False), close(1012))
        await reader.readexactly(8)  # its own close

    one = met(play)
    assert asked == [{"type": "auth", "token": "token"}, {"type": "subscribe", "sites": ["site_7"]}]
    assert (one.ledger.first, one.ledger.heard, one.ledger.missing(8)) == (4, 2, {6, 8})
    assert (one.close_code, one.fault, one.live) == (1012, "", False)


def test_a_frame_behind_the_close_is_a_fault() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await say(writer, close(4410), batches("telemetry", 1))
        await reader.read()

    assert "behind the close" in met(play).fault


def test_an_error_frame_is_a_fault_and_so_is_what_is_no_json() -> None:
    for wrong in (text("error", code=404), Frame(Theirs.TEXT, b"{").serialize(mask=False)):

        async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter, wrong: bytes = wrong) -> None:
            await say(writer, wrong)

        assert met(play).fault


def test_a_connection_that_ends_without_a_word_was_lost() -> None:
    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await say(writer, Frame(Theirs(Opcode.PING), b"there?").serialize(mask=False))

    async def wait_for(one: LiveSocket) -> None:
        await until_streaming([one], 5)

    one = met(play)
    assert one.close_code == LOST
    with pytest.raises(ConnectionError, match="1006"):
        asyncio.run(wait_for(one))


@pytest.mark.parametrize(
    ("code", "attempt", "longest"),
    [
        (LOST, 0, QUICK),
        (None, 1, JITTER),
        (1012, 0, JITTER),
        (1013, 0, JITTER),
        (1013, 2, 4 * JITTER),
        (4429, 9, LONGEST),
    ],
)
def test_viewers_come_back_when_a_browser_would(code: int | None, attempt: int, longest: float) -> None:
    assert longest_pause(code, attempt) == longest
