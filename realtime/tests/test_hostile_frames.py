"""An open WebSocket whose client sends what no browser would, or leaves as no browser does."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import socket
import struct
import zlib

import pytest
from ems_contract import keys
from ems_realtime.connection import Connection
from ems_realtime.session import Session
from ems_realtime.wire_uvicorn import LiveProtocol
from realtime_support.batches import batch, token
from realtime_support.deadline import until
from realtime_support.frozen import FrozenReader
from realtime_support.raw import CLOSE, PING, TEXT, RawClient, frame
from realtime_support.redis_process import RedisProcess
from realtime_support.running import Running
from realtime_support.viewer import Viewer

ALICE = token(1)
CONTINUATION, PONG = 0x0, 0xA
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: the connection is reset instead of closed."""


def admitted(standing: Running, *, window: int | None = None) -> RawClient:
    client = RawClient.opened(standing.port, window=window)
    client.send(type="auth", token=ALICE)
    client.read_until(b'"welcome"')
    return client


@pytest.mark.parametrize(
    "tiny",
    [
        frame(PING, b"p" * 125),
        frame(PONG, b""),
        frame(CONTINUATION, b"", fin=False),
        frame(TEXT, b"{}"),
    ],
    ids=["pings", "pongs", "fragments", "messages"],
)
def test_a_flood_of_frames_ends_the_connection_soon(standing: Running, tiny: bytes) -> None:
    """Each costs time, a ping that nobody reads the answer of costs memory too, and neither is a message."""
    with admitted(standing, window=4_096) as client:
        if tiny == frame(CONTINUATION, b"", fin=False):
            client.say(frame(TEXT, b"", fin=False))
        assert client.flood(tiny * 500, 100_000_000) < 20_000_000, "what lies in the kernels' buffers"
        client.end()


async def test_a_flood_of_frames_takes_nobody_elses_time(standing: Running, redis: RedisProcess) -> None:
    hostile = [RawClient.opened(standing.port) for _ in range(5)]
    async with await Viewer.login(standing.url, ALICE, 7) as viewer:
        floods = [asyncio.to_thread(client.flood, frame(PING, b"") * 5_000, 2_000_000) for client in hostile]
        flooding = asyncio.gather(*floods)
        redis.admin.publish(keys.telemetry_channel(7), batch(1))
        await viewer.next("telemetry", seconds=3)
        await flooding
        await until(lambda: "ems_realtime_sessions 1.0" in standing.get("/metrics").text, "all of them are gone")
    for client in hostile:
        client.socket.close()


def test_a_compression_bomb_is_not_even_unpacked(standing: Running) -> None:
    """Compression is offered and declined; a frame that is compressed all the same breaks the protocol."""
    packer = zlib.compressobj(wbits=-15)
    bomb = packer.compress(b" " * 50_000_000) + packer.flush(zlib.Z_SYNC_FLUSH)
    with RawClient.opened(standing.port, "Sec-WebSocket-Extensions: permessage-deflate") as client:
        client.say(frame(TEXT, bomb[:60_000], rsv1=True))
        assert client.goodbye() == 1002


@pytest.mark.parametrize("goodbye", [b"", frame(CLOSE, b"\x03\xe8")], ids=["alone", "with a goodbye behind it"])
def test_bad_utf8_from_a_client_ends_its_connection_and_is_no_error_of_ours(
    standing: Running, caplog: pytest.LogCaptureFixture, goodbye: bytes
) -> None:
    with admitted(standing) as client:
        client.say(frame(TEXT, b'{"type":"ping","x":"\xff"}') + goodbye)
        assert client.goodbye() in (1007, 1000)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_whoever_leaves_in_whatever_way_and_moment_leaves_nothing_behind(
    standing: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """After the handshake, with a frame half said, in the doorway, while subscribing; by FIN, by reset, by Close."""
    for moment in range(5):
        for way in ("fin", "reset", "close"):
            client = RawClient.opened(standing.port)
            if moment == 1:
                client.say(frame(TEXT, b"x" * 100)[:-50])
            if moment >= 2:
                client.send(type="auth", token=ALICE)
            if moment >= 3:
                client.read_until(b'"welcome"')
                client.send(type="subscribe", sites=["site_7"])
            if moment == 4:
                client.read_until(b'"snapshot"')
            if way == "reset":
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            elif way == "close" and moment != 1:
                client.say(frame(CLOSE, b"\x03\xe8"))
            client.socket.close()
    asyncio.run(until(lambda: "ems_realtime_sessions 0.0" in standing.get("/metrics").text, "no session is left"))
    assert "ems_realtime_sites 0.0" in standing.get("/metrics").text
    gc.collect()
    kept = [thing for thing in gc.get_objects() if isinstance(thing, (Session, Connection, LiveProtocol))]
    assert kept == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_frozen_reader_that_says_it_will_send_no_more_is_cut_off(
    standing: Running, redis: RedisProcess
) -> None:
    """A half closed connection that never reads would stay open for ever, with all that waits for it."""
    frozen = await FrozenReader.subscribed(standing.port, ALICE, 7)
    for seq in range(1, 60):
        redis.admin.publish(keys.telemetry_channel(7), batch(seq, points=2_000))
    await until(lambda: "sessions_behind 1.0" in standing.get("/metrics").text, "its outbox is full")
    frozen.socket.shutdown(socket.SHUT_WR)
    await until(lambda: "ems_realtime_sessions 0.0" in standing.get("/metrics").text, "it is forgotten", 8)
    await frozen.cut_off(5)
    frozen.close()


def test_random_bytes_break_nothing(standing: Running, caplog: pytest.LogCaptureFixture) -> None:
    dice = random.Random(5)  # noqa: S311
    for _ in range(60):
        junk = dice.randbytes(dice.choice((1, 10, 200, 9_000)))
        with RawClient.opened(standing.port) if dice.random() < 0.7 else RawClient(standing.port) as client:
            client.flood(junk, len(junk))
            client.socket.shutdown(socket.SHUT_WR)
            client.end()
    assert standing.get("/healthz").status_code == 200
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_frames_said_after_the_goodbye_go_nowhere(standing: Running) -> None:
    with RawClient.opened(standing.port) as client:
        client.send(type="auth", token=ALICE)
        client.say(frame(CLOSE, b"\x03\xe8"))
        client.flood(frame(TEXT, b'{"type":"subscribe","sites":["site_7"]}') * 100, 4_000)
        await asyncio.to_thread(client.end)
    await until(lambda: "ems_realtime_sessions 0.0" in standing.get("/metrics").text, "no session is left")
