"""Before a connection is a WebSocket: what it may say, for how long, how much of it, and how many may be at it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import pytest
from ems_realtime import server_uvicorn
from ems_realtime.addresses import as_peers, counted
from hypothesis import given
from hypothesis import strategies as st
from realtime_support.backend import Backend
from realtime_support.batches import token
from realtime_support.raw import RawClient, upgrade
from realtime_support.redis_process import RedisProcess
from realtime_support.running import Running, make_settings
from realtime_support.viewer import Viewer

ALICE = token(1)


@pytest.mark.parametrize(
    ("handshake", "answer"),
    [
        (upgrade("Cookie: " + "x" * 9_000), b"HTTP/1.1 431"),
        (upgrade(*(f"X-{n}: 1" for n in range(150))), b"HTTP/1.1 431"),
        (upgrade("Content-Length: 5") + b"12345", b""),
        (upgrade(method="POST"), b"HTTP/1.1 405"),
        (upgrade().replace(b"HTTP/1.1", b"HTTP/1.0"), b"HTTP/1.1 400"),
        (upgrade(path="/w\xe9s"), b"HTTP/1.1 400"),
        (upgrade("Sec-WebSocket-Key: c2hvcnQ="), b"HTTP/1.1 400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"HTTP/1.1 400"),
        (b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 400"),
    ],
)
def test_a_handshake_that_cannot_be_taken_is_ended_at_once(standing: Running, handshake: bytes, answer: bytes) -> None:
    """Two of these were neither answered nor ever ended: the WebSocket library had refused them in silence."""
    with RawClient(standing.port) as client:
        client.say(handshake)
        assert client.end(5).startswith(answer)


@pytest.mark.parametrize("line", [b"X-A: " + b"y" * 8_000 + b"\r\n", b"X-A: 1\r\n", b"y" * 8_000])
def test_headers_without_end_are_cut_off_before_they_fill_the_memory(standing: Running, line: bytes) -> None:
    with RawClient(standing.port) as client:
        client.say(b"GET /ws HTTP/1.1\r\nHost: localhost\r\nX-B: ")
        assert client.flood(line, 50_000_000) < 20_000_000, "what lies in the kernels' buffers"


@pytest.mark.parametrize(
    "said",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /heal",
        b"POST /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 100,
        b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n" + upgrade(),
    ],
)
def test_a_connection_asks_once(standing: Running, said: bytes) -> None:
    """With a second request half said, or a body that drips, it could stay for ever."""
    with RawClient(standing.port) as client:
        client.say(said)
        assert client.end(5).count(b"HTTP/1.1 ") == 1


def test_a_handshake_that_drips_is_dropped(standing: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_uvicorn, "HANDSHAKE_TIMEOUT", 0.5)
    with RawClient(standing.port) as client:
        began = time.monotonic()
        client.socket.settimeout(0.02)
        with contextlib.suppress(ConnectionError):
            for byte in upgrade("Cookie: " + "x" * 1_000):
                client.say(bytes([byte]))
                with contextlib.suppress(TimeoutError):
                    assert client.socket.recv(1) == b""
                    break
                assert time.monotonic() - began < 10


async def test_one_more_half_open_connection_than_there_may_be_ends_the_oldest(
    standing: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_uvicorn, "MAX_ASKING", 20)
    half_open = [RawClient(standing.port) for _ in range(30)]
    for client in half_open[:10]:
        assert client.end() == b""
    async with await Viewer.login(standing.url, ALICE, 7):
        pass
    with half_open[-1] as newest:
        newest.say(upgrade())
        assert b" 101 " in newest.read_until(b"\r\n\r\n")
    for client in half_open:
        client.socket.close()


# Addresses ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def behind_proxy(shared_redis: RedisProcess) -> Iterator[Running]:
    """One socket for each address, and who is on this machine is believed about addresses."""
    backend = Backend()
    service = Running(make_settings(shared_redis, backend, max_sockets_per_address=1, trusted_proxies=("127.0.0.1",)))
    yield service
    service.stop()
    backend.stop()


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("10.9.9.9, 192.0.2.3", "10.8.8.8, 192.0.2.3", True),  # what the client made up stands before the proxy's word
        ("192.0.2.4:4001", "192.0.2.4:4002", True),
        ("2001:db8:0:5::1", "2001:db8:0:5:ffff::2", True),
        ("[2001:db8:0:6::1]:5", "2001:db8:0:7::1", False),
        ("::ffff:192.0.2.8", "192.0.2.8", True),
        ("x" * 100 + "1", "x" * 100 + "2", True),
    ],
)
def test_nobody_has_many_addresses_by_saying_so(behind_proxy: Running, first: str, second: str, alike: bool) -> None:
    with (
        RawClient.opened(behind_proxy.port, f"X-Forwarded-For: {first}"),
        RawClient.opened(behind_proxy.port, f"X-Forwarded-For: {second}") as other,
    ):
        other.send(type="auth", token="none")
        assert other.goodbye() == (4429 if alike else 4401)


def test_whom_nobody_trusts_is_not_believed_about_addresses(redis: RedisProcess, start: Callable[..., Running]) -> None:
    service = start(redis, max_sockets_per_address=1)
    with (
        RawClient.opened(service.port, "X-Forwarded-For: 192.0.2.1"),
        RawClient.opened(service.port, "X-Forwarded-For: 127.0.0.1", "Forwarded: for=192.0.2.9") as other,
    ):
        assert other.goodbye() == 4429


@given(st.text() | st.ip_addresses().map(str))
def test_every_host_counts_as_something_short(host: str) -> None:
    assert len(counted(host)) <= 64
    assert counted(counted(host)) == counted(host)


def test_a_trusted_proxy_is_known_too_as_a_socket_for_both_families_names_it() -> None:
    assert as_peers(["10.0.0.5", "10.1.0.0/16", "2001:db8::/32"]) == [
        *("10.0.0.5/32", "::ffff:10.0.0.5/128"),
        *("10.1.0.0/16", "::ffff:10.1.0.0/112"),
        "2001:db8::/32",
    ]
