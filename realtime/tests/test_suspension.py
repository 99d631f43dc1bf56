"""While a session's access is looked up: nothing leaves, nothing is forgotten, and nothing grows without bound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from ems_contract import keys
from ems_realtime.service import Service
from realtime_support.backend import Backend
from realtime_support.batches import grant, now_ms, token
from realtime_support.deadline import until
from realtime_support.house import House, kinds
from realtime_support.redis_process import RedisProcess
from realtime_support.running import Running
from realtime_support.viewer import Viewer

ALICE = token(1)


def alert(size: int) -> str:
    event = {"v": 1, "id": "a", "state": "raised", "severity": "info", "ts": 1, "rule": "r"}
    return json.dumps({**event, "message": "m" * size})


def change_access(redis: RedisProcess) -> None:
    redis.admin.incr(keys.user_epoch(1))
    redis.admin.publish(keys.permission_changed_channel(1), b"{}")


async def test_what_is_withheld_is_bounded(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    """A backend that takes its time, and a site with very much to say."""
    backend.answers[ALICE] = grant(1, [7])
    service = start(redis, outbox_bytes=200_000)
    viewer = await Viewer.login(service.url, ALICE, 7)
    backend.gate.clear()
    change_access(redis)
    await until(lambda: backend.count == 2, "the backend is asked")
    for _ in range(30):
        redis.admin.publish(keys.alerts_channel(7), alert(10_000))
    assert await viewer.closed() == 1013
    assert "alert" not in viewer.types()
    backend.gate.set()


async def test_a_gap_from_before_the_suspension_is_not_forgotten(house: House) -> None:
    """Redis was away, and before a snapshot is there the session's access has changed too: the gap begins where Redis
    went, not where the access changed."""
    session, wire = house.enter(1, [7])
    house.hub.subscribe(session, 7)
    await until(lambda: kinds(wire) == ["snapshot"], "the snapshot")
    house.broker.interrupt()
    house.broker._lost_at -= 60_000
    house.broker.restore()
    house.hub.suspend(session)
    house.hub.resume(session)
    await until(lambda: "gap" in kinds(wire), "the gap")
    gap = next(frame for frame in wire.frames() if frame["type"] == "gap")
    assert gap["since"] < now_ms() - 60_000


@pytest.mark.parametrize("resumed", [False, True])
async def test_a_gap_that_is_told_later_and_began_earlier_is_not_forgotten_either(house: House, resumed: bool) -> None:
    """While access is in doubt, or the snapshot after that is awaited, it turns out that Redis was not heard before."""
    session, wire = house.enter(1, [7])
    house.hub.subscribe(session, 7)
    await until(lambda: kinds(wire) == ["snapshot"], "the snapshot")
    house.hub.suspend(session)
    if resumed:
        house.hub.resume(session)
    house.broker.interrupt()
    house.broker._lost_at -= 60_000
    house.broker.restore()
    if not resumed:
        house.hub.resume(session)
    await until(lambda: "gap" in kinds(wire), "the gap")
    gap = next(frame for frame in wire.frames() if frame["type"] == "gap")
    assert gap["since"] < now_ms() - 60_000


async def test_a_comparison_of_epochs_that_fails_begins_again(
    mortal_redis: RedisProcess, backend: Backend, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails by a fault of ours, which must not leave a change of access unnoticed."""
    backend.answers[ALICE] = grant(1, [7])
    service = start(mortal_redis)
    viewer = await Viewer.login(service.url, ALICE, 7)
    backend.answers[ALICE] = 403
    mortal_redis.admin.incr(keys.user_epoch(1))
    real, failures = Service._current_epochs, []

    async def clumsy(self: Service) -> dict[int, int] | None:
        if len(failures) < 2:
            failures.append(1)
            raise KeyError("a fault of ours")
        return await real(self)

    monkeypatch.setattr(Service, "_current_epochs", clumsy)
    mortal_redis.admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    assert await viewer.closed() == 4410
    assert len(failures) == 2


async def test_the_sweep_goes_on_after_a_fault_in_it(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it there would be no heartbeats and no end for frozen readers, and nobody would know."""
    backend.answers[ALICE] = grant(1, [7])
    service = start(redis, heartbeat=2.0)
    hub = service.service._hub
    real, failed = hub._heartbeat, asyncio.Event()
    loop = asyncio.get_running_loop()

    def clumsy(*arguments: object) -> None:
        monkeypatch.setattr(hub, "_heartbeat", real)
        loop.call_soon_threadsafe(failed.set)
        raise KeyError("a fault of ours")

    async with await Viewer.login(service.url, ALICE) as viewer:
        monkeypatch.setattr(hub, "_heartbeat", clumsy)
        await asyncio.wait_for(failed.wait(), 5)
        await viewer.next("heartbeat")
