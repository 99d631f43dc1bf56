"""The service killed, told to leave while everything around it hangs, and asked to serve while it leaves."""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
import time
from pathlib import Path

import pytest
from ems_contract import keys
from realtime_support.backend import Backend
from realtime_support.batches import batch, grant, token
from realtime_support.deadline import until
from realtime_support.frozen import FrozenReader
from realtime_support.process import ServiceProcess
from realtime_support.raw import RawClient
from realtime_support.redis_process import RedisProcess
from realtime_support.viewer import Viewer

ALICE = token(1)


async def test_a_killed_service_is_back_and_so_is_everyone_without_asking_the_backend_again(
    redis: RedisProcess, backend: Backend, tmp_path: Path
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = ServiceProcess(redis, backend, tmp_path / "log")
    await service.start()
    viewers = await asyncio.gather(*(Viewer.login(service.url, ALICE, 7) for _ in range(30)))
    await service.kill()
    killed_at = time.monotonic()
    assert set(await asyncio.gather(*(viewer.closed() for viewer in viewers))) == {1006}
    redis.admin.hset(keys.telemetry_latest(7), "edge_1", batch(5))
    await service.start()
    viewers = await asyncio.gather(*(Viewer.login(service.url, ALICE, 7) for _ in range(30)))
    assert time.monotonic() - killed_at < 30
    assert {tuple(viewer.seen["site_7", "edge_1"]) for viewer in viewers} == {(5,)}
    assert backend.count == 1
    await asyncio.gather(*(viewer.close() for viewer in viewers))
    await service.kill()


async def test_sigterm_says_goodbye_to_everyone_over_some_seconds_and_ends_whatever_hangs(
    mortal_redis: RedisProcess, backend: Backend, tmp_path: Path
) -> None:
    """Redis, the backend and a reader are frozen, some connections never asked for anything; new ones are refused from
    the first moment on."""
    backend.answers[ALICE] = grant(1, [7, 8])
    service = ServiceProcess(mortal_redis, backend, tmp_path / "log", EMS_WS_DRAIN_SECONDS="1")
    await service.start()
    viewers = await asyncio.gather(*(Viewer.login(service.url, ALICE, 8) for _ in range(30)))
    frozen = await FrozenReader.subscribed(service.port, ALICE, 7)
    for seq in range(1, 60):
        mortal_redis.admin.publish(keys.telemetry_channel(7), batch(seq, points=2_000))
    half_open = [RawClient(service.port) for _ in range(20)]
    backend.gate.clear()
    in_the_doorway = [await Viewer.connect(service.url) for _ in range(3)]
    for serial, viewer in enumerate(in_the_doorway):
        await viewer.send(type="auth", token=token(1, serial + 1))
    await until(lambda: backend.count == 4, "they are being validated")
    mortal_redis.freeze()
    ends: list[float] = []

    async def goodbye(viewer: Viewer) -> int:
        code = await viewer.closed(25)
        ends.append(time.monotonic())
        return code

    waiting = [asyncio.create_task(goodbye(viewer)) for viewer in viewers + in_the_doorway]
    told_at = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    with pytest.raises(OSError):  # noqa: PT011 -- refused or reset, as the kernel likes
        await Viewer.connect(service.url)
    assert set(await asyncio.gather(*waiting)) == {1012}
    assert max(ends) - min(ends) > 0.5
    assert await service.wait(25) == 0
    assert time.monotonic() - told_at < 25
    assert "Traceback" not in service.log.read_text()
    frozen.close()
    for client in half_open:
        client.socket.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux sets the limits of another process")
async def test_a_process_that_may_open_no_more_files_serves_whom_it_has_and_then_whoever_comes(
    redis: RedisProcess, backend: Backend, tmp_path: Path
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = ServiceProcess(redis, backend, tmp_path / "log")
    await service.start()
    resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (64, 64))
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        half_open = [RawClient(service.port) for _ in range(150)]
        redis.admin.publish(keys.telemetry_channel(7), batch(1))
        await viewer.next("telemetry")
        for client in half_open:
            client.socket.close()
        async with await Viewer.login(service.url, ALICE, 7) as late:
            redis.admin.publish(keys.telemetry_channel(7), batch(2))
            await viewer.next("telemetry")
            await late.next("telemetry")
    await service.kill()
    assert "Traceback" not in service.log.read_text()
