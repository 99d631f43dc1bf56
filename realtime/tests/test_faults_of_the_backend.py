"""Django hangs, answers in drips, or is asked by everyone at once."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from ems_contract import keys
from realtime_support.backend import Backend
from realtime_support.batches import batch, grant, token
from realtime_support.deadline import until
from realtime_support.redis_process import RedisProcess
from realtime_support.running import Running
from realtime_support.viewer import Viewer

ALICE = token(1)


async def test_a_backend_that_hangs_drops_nobody_and_refuses_newcomers_by_name(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    """It takes connections and never answers, as a stopped process does."""
    backend.answers |= {ALICE: grant(1, [7]), token(2): grant(2, [7])}
    service = start(redis, grant_ttl=1.0, stale_retry=0.3, backend_timeout=0.5)
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        backend.gate.clear()
        assert (await viewer.next("grant"))["stale"] is True
        newcomer = await Viewer.connect(service.url)
        await newcomer.send(type="auth", token=token(2))
        assert await newcomer.closed() == 1013
        redis.admin.publish(keys.telemetry_channel(7), batch(1))
        await viewer.next("telemetry")
        backend.gate.set()
        assert (await viewer.next("grant"))["stale"] is False
        assert "gap" not in viewer.types()


@pytest.fixture
def dripping() -> Iterator[str]:
    """The URL of a backend that answers one byte at a time, for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        with listener, listener.accept()[0] as connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
            while not over.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    over.set()
    thread.join()


async def test_an_answer_in_drips_is_given_up(
    redis: RedisProcess, dripping: str, start: Callable[..., Running]
) -> None:
    service = start(redis, backend_url=dripping, backend_timeout=0.5)
    viewer = await Viewer.connect(service.url)
    await viewer.send(type="auth", token=ALICE)
    assert await viewer.closed(5) == 1013


async def test_everyone_comes_back_at_once_and_the_backend_is_asked_fifty_times_a_second(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    """Two hundred sockets of eighty tokens, none of them cached; all of them are in after the time that takes."""
    tokens = [token(user) for user in range(1, 81)]
    backend.answers |= {each: grant(user, [7]) for user, each in enumerate(tokens, 1)}
    service = start(redis)
    viewers = await asyncio.gather(*(Viewer.login(service.url, tokens[n % 80], 7) for n in range(200)))
    assert backend.count == 80
    assert backend.busiest_second() <= 50
    redis.admin.publish(keys.telemetry_channel(7), batch(1))
    for viewer in viewers:
        await until(lambda viewer=viewer: viewer.seen.get(("site_7", "edge_1")) == [1], "the batch")
    await asyncio.gather(*(viewer.close() for viewer in viewers))
    again = await asyncio.gather(*(Viewer.login(service.url, tokens[n % 80], 7) for n in range(200)))
    assert backend.count == 80, "what was validated is cached"
    await asyncio.gather(*(viewer.close() for viewer in again))
