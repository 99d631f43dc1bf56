"""What happens around the service: Redis killed and frozen, a reader that has stopped, the end of the process."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ems_contract import keys
from ems_realtime import wire_uvicorn
from realtime_support.backend import Backend
from realtime_support.batches import batch, grant, now_ms, token
from realtime_support.deadline import until
from realtime_support.frozen import FrozenReader
from realtime_support.process import ServiceProcess
from realtime_support.redis_process import RedisProcess
from realtime_support.running import Running
from realtime_support.viewer import Viewer

ALICE = token(1)


def publish(redis: RedisProcess, site: int, seq: int, points: int = 1) -> None:
    payload = batch(seq, points=points)
    redis.admin.hset(keys.telemetry_latest(site), "edge_1", payload)
    redis.admin.publish(keys.telemetry_channel(site), payload)


# Redis -------------------------------------------------------------------------------------------------------------


async def test_sockets_stay_open_while_redis_is_killed_and_started_again(
    mortal_redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = start(mortal_redis)
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        publish(mortal_redis, 7, 1)
        await viewer.next("telemetry")
        killed_at = now_ms()
        mortal_redis.kill()
        assert (await viewer.next("heartbeat", seconds=10))["live"] is False
        refused = service.get("/readyz")
        assert (refused.status_code, refused.json()["redis"]) == (503, "not heard")
        async with await Viewer.login(service.url, token(1)) as late:  # still let in, without a cache
            await late.subscribe(7)
            mortal_redis.start()
            publish(mortal_redis, 7, 2)
            gap = await viewer.next("gap", seconds=10)
            assert gap["reason"] == "interrupted"
            assert gap["since"] < killed_at
            await viewer.next("snapshot")
            await late.next("snapshot")
            assert service.ready
            publish(mortal_redis, 7, 3)
            for one in (viewer, late):
                await until(lambda one=one: one.seen["site_7", "edge_1"][-1] == 3, "the next batch")
        assert "snapshot" in viewer.types()[viewer.types().index("gap") :]


async def test_a_frozen_redis_is_detected_within_ten_seconds_and_its_return_too(
    mortal_redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = start(mortal_redis)
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        mortal_redis.freeze()
        frozen_at = time.monotonic()
        while (await viewer.next("heartbeat", seconds=10))["live"]:
            pass
        assert 4 < time.monotonic() - frozen_at < 10
        assert not service.ready
        mortal_redis.thaw()
        thawed_at = time.monotonic()
        await viewer.next("gap", seconds=10)
        await viewer.next("snapshot")
        assert time.monotonic() - thawed_at < 10
        publish(mortal_redis, 7, 1)
        await viewer.next("telemetry")


async def test_a_change_of_access_that_nobody_heard_is_found_after_the_interruption(
    mortal_redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = start(mortal_redis)
    viewer = await Viewer.login(service.url, ALICE, 7)
    backend.answers[ALICE] = 403
    mortal_redis.admin.incr(keys.user_epoch(1))  # and the event is lost
    mortal_redis.kill()
    await until(lambda: not service.ready, "the interruption is noticed")
    mortal_redis.start()
    assert await viewer.closed() == 4410


async def test_epochs_that_cannot_be_read_after_an_interruption_are_read_as_soon_as_they_can(
    mortal_redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = start(mortal_redis)
    viewer = await Viewer.login(service.url, ALICE, 7)
    mortal_redis.admin.execute_command("ACL", "SETUSER", "realtime", "-get")
    backend.answers[ALICE] = 403
    mortal_redis.admin.incr(keys.user_epoch(1))  # and the event is lost
    asked = mortal_redis.admin.info("commandstats").get("cmdstat_get", {}).get("rejected_calls", 0)
    mortal_redis.admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    await viewer.next("gap")
    await until(
        lambda: mortal_redis.admin.info("commandstats")["cmdstat_get"]["rejected_calls"] >= asked + 2, "it asks twice"
    )
    assert viewer.socket.close_code is None
    mortal_redis.admin.execute_command("ACL", "SETUSER", "realtime", "+get")
    assert await viewer.closed() == 4410


async def test_a_change_of_access_in_a_redis_that_lost_its_data_is_found(
    mortal_redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    """A lower epoch is another epoch: whoever had a grant under the old one is validated again."""
    backend.answers[ALICE] = grant(1, [7])
    mortal_redis.admin.set(keys.user_epoch(1), 5)
    service = start(mortal_redis)
    viewer = await Viewer.login(service.url, ALICE, 7)
    backend.answers[ALICE] = 403
    mortal_redis.admin.flushall()
    mortal_redis.admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    assert await viewer.closed() in (4410, 4403)


# Readers -----------------------------------------------------------------------------------------------------------


def largest_outbox(service: Running) -> float:
    [line] = [
        line for line in service.get("/metrics").text.splitlines() if line.startswith("ems_realtime_outbox_largest")
    ]
    return float(line.split()[-1])


async def test_a_frozen_reader_is_cut_off_and_hurts_nobody(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = start(redis, stall_timeout=3.0, outbox_bytes=200_000)
    viewers = await asyncio.gather(*(Viewer.login(service.url, ALICE, 7) for _ in range(20)))
    frozen = await FrozenReader.subscribed(service.port, ALICE, 7)
    frozen_at = time.monotonic()
    took = []
    seq = 0
    while not service.metrics.value("closes", code="4413"):
        assert time.monotonic() - frozen_at < 15
        seq += 1
        began = time.perf_counter()
        await asyncio.to_thread(publish, redis, 7, seq, 2_000)
        await until(
            lambda seq=seq: all(v.seen.get(("site_7", "edge_1"), [0])[-1] == seq for v in viewers), "all have it"
        )
        took.append(time.perf_counter() - began)
        assert largest_outbox(service) <= 200_000 + 2 * len(batch(1, points=2_000)), "its memory is bounded"
    assert seq * len(batch(1, points=2_000)) > 1_000_000, "more was published than its outbox holds"
    await frozen.cut_off(5)
    assert statistics.median(took) < 0.5
    for viewer in viewers:
        assert viewer.seen["site_7", "edge_1"] == list(range(1, seq + 1))
        assert viewer.socket.close_code is None
    await asyncio.gather(*(viewer.close() for viewer in viewers))
    frozen.close()


async def test_a_slow_reader_that_comes_back_gets_a_gap_and_a_snapshot(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = start(redis, outbox_bytes=50_000)
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        transport = viewer.socket.transport
        transport.pause_reading()  # type: ignore[attr-defined]
        seq = 0
        while not service.metric("sessions_behind"):
            seq += 1
            publish(redis, 7, seq, 2_000)
        transport.resume_reading()  # type: ignore[attr-defined]
        gap = await viewer.next("gap")
        assert gap["reason"] == "slow_reader"
        await viewer.next("snapshot")
        publish(redis, 7, seq + 1)
        await until(lambda: viewer.seen["site_7", "edge_1"][-1] == seq + 1, "the next batch")


async def test_a_slow_reader_for_whom_bytes_wait_is_not_closed_for_a_ping_that_waits_behind_them(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_uvicorn, "PING_SECONDS", 0.3)
    backend.answers[ALICE] = grant(1, [7])
    service = start(redis, outbox_bytes=50_000)
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        transport = viewer.socket.transport
        transport.pause_reading()  # type: ignore[attr-defined]
        paused, seq = time.monotonic(), 0
        while not service.metric("sessions_behind") or time.monotonic() < paused + 1.5:
            seq += 1
            await asyncio.to_thread(publish, redis, 7, seq, 2_000)
            assert service.metric("sessions") == 1, "it is not closed"
        transport.resume_reading()  # type: ignore[attr-defined]
        await viewer.next("gap")
        await viewer.next("snapshot")


# The process -------------------------------------------------------------------------------------------------------


async def test_no_token_and_no_password_reaches_the_log_even_at_debug(
    redis: RedisProcess, backend: Backend, tmp_path: Path
) -> None:
    opaque = "sq-" + "Zx9" * 20
    backend.answers[ALICE] = grant(1, [7])
    service = ServiceProcess(redis, backend, tmp_path / "log")
    await service.start()
    for path in (f"?token={opaque}", f"?token={ALICE}"):
        with pytest.raises(Exception, match="400"):
            await Viewer.connect(service.url + path)
    for first in (opaque, token(5), ALICE):
        viewer = await Viewer.connect(service.url)
        await viewer.send(type="auth", token=first)
        await until(lambda v=viewer: v.frames or v.socket.close_code, "an answer")
        await viewer.close()
    viewer = await Viewer.connect(service.url)
    await viewer.socket.send(f'{{"type":"{opaque}"}}')
    assert await viewer.closed() == 4400
    backend.failing = 500
    viewer = await Viewer.connect(service.url)
    await viewer.send(type="auth", token=token(6))
    assert await viewer.closed() == 1013
    service.process.send_signal(signal.SIGTERM)
    await service.wait(15)
    text = service.log.read_text()
    assert "session_opened" in text
    for secret in (opaque, ALICE.split(".")[1], token(5).split(".")[1], token(6).split(".")[1], ":live@"):
        assert secret not in text
    assert not re.search(r"Traceback", text)


async def test_a_wrong_environment_ends_the_start_with_a_sentence(
    redis: RedisProcess, backend: Backend, tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from ems_realtime.main import main; main()",
        env={**os.environ, "EMS_REDIS_URL": redis.url, "EMS_BACKEND_URL": backend.url, "EMS_WS_ORIGINS": "*"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, stderr = await process.communicate()
    assert process.returncode == 2
    assert stderr.decode().startswith("ems-realtime: EMS_WS_ORIGINS: '*' is not an origin")
