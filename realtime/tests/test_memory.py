"""What an idle viewer costs. The whole figure, at ten thousand of them, is `make prove`'s."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from realtime_support.backend import Backend
from realtime_support.batches import grant, token
from realtime_support.process import ServiceProcess
from realtime_support.raw import RawClient
from realtime_support.redis_process import RedisProcess

ALICE = token(1)
VIEWERS = 600
BOUND = 20_000


def resident(process: int) -> int:
    """Bytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) * 1_024 for line in status.splitlines() if line.startswith("VmRSS:"))


def viewer(port: int) -> RawClient:
    client = RawClient.opened(port, "User-Agent: Mozilla/5.0 (X11; Linux x86_64)", f"Cookie: {'c' * 300}")
    client.send(type="auth", token=ALICE)
    client.send(type="subscribe", sites=["site_7"])
    client.read_until(b'"snapshot"')
    return client


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_an_idle_viewer_takes_less_than_20_kilobytes(
    redis: RedisProcess, backend: Backend, tmp_path: Path
) -> None:
    backend.answers[ALICE] = grant(1, [*range(1, 40)])
    service = ServiceProcess(redis, backend, tmp_path / "log", EMS_WS_MAX_SOCKETS_PER_USER="1000")
    await service.start()
    clients = await asyncio.to_thread(lambda: [viewer(service.port) for _ in range(50)])
    before = resident(service.process.pid)
    clients += await asyncio.to_thread(lambda: [viewer(service.port) for _ in range(VIEWERS)])
    each = (resident(service.process.pid) - before) / VIEWERS
    await service.kill()
    for client in clients:
        client.socket.close()
    assert each < BOUND, f"{each:.0f} bytes for each of them"
