"""Who may come in: Origin, subprotocol, the first message, and how much one may send."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from ems_realtime import server_uvicorn
from realtime_support.backend import Backend
from realtime_support.batches import grant, token
from realtime_support.deadline import until
from realtime_support.redis_process import RedisProcess
from realtime_support.running import ORIGIN, Running
from realtime_support.viewer import Viewer
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

ALICE = token(1)


@pytest.fixture
def service(redis: RedisProcess, backend: Backend, start: Callable[..., Running]) -> Running:
    backend.answers[ALICE] = grant(1, [7])
    return start(redis, auth_timeout=0.5)


async def status(url: str, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as caught:
        await connect(url, proxy=None, **{"subprotocols": ["ems.v1"], "origin": ORIGIN, **options})
    return caught.value.response.status_code


@pytest.mark.parametrize(
    "origin",
    [None, "null", "", "http://evil.example", f"{ORIGIN}.evil.example", f"{ORIGIN}0", "https://localhost:3000", "*"],
)
async def test_a_missing_null_or_foreign_origin_is_refused(service: Running, origin: str | None) -> None:
    assert await status(service.url, origin=origin) == 403
    assert service.metrics.value("refused", reason="origin") == 1


async def test_two_origins_are_refused(service: Running) -> None:
    assert await status(service.url, additional_headers=[("Origin", ORIGIN)]) == 400


async def test_a_program_without_origin_is_accepted_only_where_the_operator_says_so(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    lenient = start(redis, allow_no_origin=True)
    async with await Viewer.connect(lenient.url, origin=None) as viewer:
        await viewer.send(type="auth", token=ALICE)
        await viewer.next("welcome")
    assert await status(lenient.url, origin="null") == 403


async def test_the_subprotocol_is_required(service: Running) -> None:
    assert await status(service.url, subprotocols=None) == 400
    assert await status(service.url, subprotocols=["ems.v2"]) == 400


async def test_a_token_in_the_url_is_refused(service: Running) -> None:
    assert await status(f"{service.url}?token={ALICE}") == 400


async def test_nothing_else_is_a_websocket(service: Running) -> None:
    assert await status(service.url.replace("/ws", "/other")) == 403


async def test_silence_is_ended_after_the_auth_timeout(service: Running) -> None:
    viewer = await Viewer.connect(service.url)
    assert await viewer.closed() == 4408


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ('{"type":"subscribe","sites":["site_7"]}', 4400),
        ('{"type":"auth"}', 4400),
        ("hello", 4400),
        (b"\x00\x01", 4400),
        ('{"type":"auth","token":""}', 4401),
        ('{"type":"auth","token":"not a token"}', 4401),
        (json.dumps({"type": "auth", "token": token(2)}), 4401),
        (json.dumps({"type": "auth", "token": "a." + "b" * 50_000 + ".c"}), 4401),
    ],
)
async def test_the_first_message_must_be_a_good_token(service: Running, first: str | bytes, code: int) -> None:
    viewer = await Viewer.connect(service.url)
    await viewer.socket.send(first)
    assert await viewer.closed() == code
    assert viewer.types() == []


async def test_no_site_at_all_is_forbidden(service: Running, backend: Backend) -> None:
    backend.answers[ALICE] = grant(1, [])
    viewer = await Viewer.connect(service.url)
    await viewer.send(type="auth", token=ALICE)
    assert await viewer.closed() == 4403


async def test_a_user_without_access_is_forbidden(service: Running, backend: Backend) -> None:
    backend.answers[ALICE] = 403
    viewer = await Viewer.connect(service.url)
    await viewer.send(type="auth", token=ALICE)
    assert await viewer.closed() == 4403


@pytest.mark.parametrize(
    "message",
    [
        '{"type":"ping","x":"' + "y" * 1_000_000 + '"}',
        '{"type":"ping","x":' + "[" * 30_000 + "]" * 30_000 + "}",
        "[" * 60_000,
        b"\x01\x02",
    ],
)
async def test_a_huge_or_deep_or_binary_message_is_a_bad_message(service: Running, message: str | bytes) -> None:
    viewer = await Viewer.login(service.url, ALICE)
    with contextlib.suppress(ConnectionError):
        await viewer.socket.send(message)
    assert await viewer.closed() == 4400


async def test_compression_is_not_negotiated(service: Running) -> None:
    async with await Viewer.login(service.url, ALICE, compression="deflate") as viewer:
        assert viewer.socket.response is not None
        assert "Sec-WebSocket-Extensions" not in viewer.socket.response.headers


async def test_five_hundred_subscribes_in_a_second_are_too_many(service: Running) -> None:
    viewer = await Viewer.login(service.url, ALICE)
    with contextlib.suppress(ConnectionClosed):  # it may overtake the sending
        for _ in range(500):
            await viewer.subscribe("site_9")
    assert await viewer.closed() == 4429
    assert viewer.types().count("error") <= 31


async def test_too_many_sites_are_refused_and_the_session_goes_on(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, list(range(1, 10)))
    service = start(redis, max_sites=3)
    async with await Viewer.login(service.url, ALICE, 1, 2, 3) as viewer:
        await viewer.subscribe(3, 4, 5)
        assert (await viewer.next("error"))["code"] == 429
        await viewer.send(type="unsubscribe", sites=["site_1"])
        await viewer.subscribe(4)
        assert (await viewer.next("snapshot"))["site"] == "site_4"
        await viewer.subscribe(*range(1, 300))
        assert (await viewer.next("error"))["code"] == 400
        await viewer.send(type="subscribe", sites=[])
        assert (await viewer.next("error"))["code"] == 400


async def test_too_many_sockets_of_a_user_and_claims_do_not_count(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = start(redis, max_sockets_per_user=2)
    backend.gate.clear()
    forgers = [await Viewer.connect(service.url) for _ in range(5)]
    for serial, forger in enumerate(forgers):
        await forger.send(type="auth", token=token(1, serial + 100))
    await until(lambda: backend.count == 5, "they are being validated")
    backend.gate.set()
    first, second = await Viewer.login(service.url, ALICE), await Viewer.login(service.url, ALICE)
    third = await Viewer.connect(service.url)
    await third.send(type="auth", token=ALICE)
    assert await third.closed() == 4429
    await first.close()
    async with await Viewer.login(service.url, ALICE):
        await second.close()
    for forger in forgers:
        assert await forger.closed() == 4401


async def test_too_many_sockets_of_an_address(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    service = start(redis, max_sockets_per_address=3)
    viewers = [await Viewer.connect(service.url) for _ in range(4)]
    assert await viewers[3].closed() == 4429
    await viewers[0].close()
    async with await Viewer.connect(service.url) as another:
        assert another.socket.close_code is None
    for viewer in viewers[1:3]:
        await viewer.close()


async def test_only_a_trusted_proxy_is_believed_about_addresses(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    for trusted, codes in [((), [None, 4429]), (("127.0.0.1",), [None, None])]:
        service = start(redis, max_sockets_per_address=1, trusted_proxies=trusted)
        first, second = [
            await Viewer.connect(service.url, additional_headers={"X-Forwarded-For": f"192.0.2.{n}"}) for n in (1, 2)
        ]
        if codes[1]:
            assert await second.closed() == codes[1]
        else:
            await second.send(type="auth", token="x")
            assert await second.closed() == 4401
        await first.close()


async def test_connections_that_never_ask_for_anything_are_dropped(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_uvicorn, "HANDSHAKE_TIMEOUT", 0.5)
    backend.answers[ALICE] = grant(1, [7])
    service = start(redis)
    silent = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(1_000)]
    for half in silent[:500]:
        half.sendall(b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: web")
    async with await Viewer.login(service.url, ALICE, 7):
        for half in silent:
            half.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.to_thread(half.recv, 100) == b""
            half.close()


def test_health_and_metrics_answer_and_echo_the_request_id(service: Running) -> None:
    assert service.get("/healthz").json() == {"status": "ok"}
    assert service.get("/healthz", **{"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert service.get("/healthz", **{"X-Request-ID": "a b\tc"}).headers["x-request-id"] != "a b\tc"
    assert service.get("/readyz").status_code == 200
    assert service.get("/readyz").json() == {"ready": True, "redis": "ok", "backend": "ok", "service": "ok"}
    assert service.metric("redis_live") == 1
    assert service.get("/docs").status_code == 404
