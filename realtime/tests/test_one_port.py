"""`--reuse-port`: several processes of the service behind one port, without knowing of each other."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from ems_contract import keys
from ems_realtime.main import listener
from realtime_support.backend import Backend
from realtime_support.batches import batch, grant, token
from realtime_support.deadline import until
from realtime_support.redis_process import RedisProcess, free_port
from realtime_support.running import ORIGIN
from realtime_support.viewer import Viewer

ALICE = token(1)
VIEWERS = 24
"""That all of them land on one of two processes happens once in eight million runs."""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux spreads the connections")


@pytest.fixture
def begin(redis: RedisProcess, backend: Backend) -> Callable[[int, int], asyncio.Future[Process]]:
    environment = {
        **os.environ,
        "EMS_REDIS_URL": redis.url,
        "EMS_BACKEND_URL": backend.url,
        "EMS_WS_ORIGINS": ORIGIN,
        "EMS_WS_DRAIN_SECONDS": "1",
    }

    async def start(port: int, own_port: int) -> Process:
        code = "from ems_realtime.main import main; main()"
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, "--port", str(port), "--reuse-port", "--own-port", str(own_port)),
            env=environment,
            stderr=None,
        )

    return lambda port, own_port: asyncio.ensure_future(start(port, own_port))


def listeners(port: int) -> int:
    """How many processes listen there, as the kernel counts them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)


async def test_viewers_behind_one_port_hear_the_same_and_one_process_may_leave(
    redis: RedisProcess, backend: Backend, begin: Callable[[int, int], asyncio.Future[Process]]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    port, *own_ports = free_port(), free_port(), free_port()
    url = f"ws://127.0.0.1:{port}/ws"
    first, second = await asyncio.gather(*(begin(port, own) for own in own_ports))
    try:
        await until(lambda: listeners(port) == 2, "both listen", seconds=20)
        viewers = await asyncio.gather(*(Viewer.login(url, ALICE, 7) for _ in range(VIEWERS)))
        for seq in range(1, 51):
            redis.admin.publish(keys.telemetry_channel(7), batch(seq))
        for viewer in viewers:
            await until(lambda v=viewer: v.seen.get(("site_7", "edge_1"), [0])[-1] == 50, "the last batch")
            assert viewer.seen["site_7", "edge_1"] == list(range(1, 51))
        async with httpx.AsyncClient(trust_env=False) as http:
            told = [(await http.get(f"http://127.0.0.1:{own}/metrics")).text for own in own_ports]
        assert all("ems_realtime_batches_total 50.0\n" in text for text in told), "each process has its own numbers"

        first.send_signal(signal.SIGTERM)
        await until(lambda: listeners(port) == 1, "the one that leaves listens no more")
        late = await asyncio.gather(*(Viewer.login(url, ALICE, 7) for _ in range(VIEWERS)))
        assert await first.wait() == 0
        codes = {viewer.socket.close_code for viewer in viewers}
        assert codes == {1012, None}, "one process has left with its viewers, the other's have noticed nothing"
        assert {viewer.socket.close_code for viewer in late} == {None}
        await asyncio.gather(*(viewer.close() for viewer in [*viewers, *late]))
    finally:
        for process in (first, second):
            if process.returncode is None:
                process.kill()
            await process.wait()


def test_a_port_that_somebody_else_has_for_himself_is_refused() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OSError, match="in use"):
            listener("127.0.0.1", other.getsockname()[1], shared=True)
