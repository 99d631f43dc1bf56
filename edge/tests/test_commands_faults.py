"""Commands while devices, Redis, the disk or the clock fail, and over restarts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from edge_support.commanding import LEVEL, POWER, command, desked, events, give, plant, powers, states
from edge_support.devices import Endpoint, endpoint
from edge_support.redis_process import RedisProcess
from edge_support.waiting import stays, until
from ems_contract.commands import CommandReason, CommandState
from ems_contract.provisioning import SetpointLimits
from ems_edge import redis_door, setpoints_io, setpoints_state
from ems_edge.clock import wall_ms

DAY = 86_400_000


@pytest.fixture
async def device() -> AsyncIterator[Endpoint]:
    async with endpoint({1: plant()}) as served:
        yield served


async def test_a_device_that_says_no_keeps_what_it_had(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    async with desked(tmp_path, redis_server, device) as desk:
        held = await desk.verified(POWER, 500.0)
        device.units[1].knows = frozenset({3})
        event = await desk.came_to(desk.give(POWER, 600.0), CommandState.FAILED)
        assert event.reason == CommandReason.DEVICE_REFUSED.value
        await until(lambda: desk.desk.writer.holder(POWER) == f"command:{held}", "the older one holds it")
        assert desk.states(held) == ["written", "verified"]
        assert desk.powers == [500]


async def test_a_device_that_does_not_do_what_it_acknowledged_is_found_out_and_told_the_default(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setpoints_io, "READ_BACK_AFTER", (0.0, 0.05))
    async with desked(tmp_path, redis_server, device) as desk:
        device.units[1].deaf = True
        event = await desk.came_to(desk.give(LEVEL, 50.0), CommandState.FAILED)
        assert (event.reason, event.read_back) == (CommandReason.READ_BACK_DIFFERS.value, 20.0)
        await until(lambda: [one.words for one in device.written] == [[100], [40]], "the default was written")


async def test_a_device_that_takes_a_moment_to_follow_is_waited_for(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    async with desked(tmp_path, redis_server, device) as desk:
        device.units[1].deaf = True
        given = desk.give(LEVEL, 50.0)
        await until(lambda: device.written, "it is written")
        device.units[1].put(5, "H", 100)
        await desk.came_to(given, CommandState.VERIFIED)
        assert len(device.written) == 1


async def test_a_silent_device_fails_the_command_and_gets_its_default_when_it_is_back(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setpoints_state, "RETRY_LAST", 0.2)
    async with desked(tmp_path, redis_server, device, patience=0.2) as desk:
        device.units[1].silent = True
        event = await desk.came_to(desk.give(POWER, 600.0), CommandState.FAILED)
        assert event.reason == CommandReason.DEVICE_SILENT.value
        device.units[1].put(2, "i", 600)  # it had heard it after all
        device.units[1].silent = False
        await until(lambda: desk.powers == [0], "the default")


async def test_a_command_that_waits_for_a_busy_device_beyond_its_time_is_not_written(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    async with desked(tmp_path, redis_server, device, patience=2.0) as desk:
        device.units[1].delay = 0.6
        first = desk.give(POWER, 600.0)
        late = desk.give(LEVEL, 50.0, expires=wall_ms() + 500)
        event = await desk.came_to(late, CommandState.EXPIRED)
        assert event.reason == CommandReason.EXPIRED.value
        await desk.came_to(first, CommandState.VERIFIED)
        assert {one.address for one in device.written} == {2}


async def test_what_waited_for_the_connection_beyond_its_time_is_never_done(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    late = give(redis_server, command(POWER, 600.0, expires=wall_ms() + 50))
    in_time = give(redis_server, command(LEVEL, 50.0))
    await asyncio.sleep(0.1)
    async with desked(tmp_path, redis_server, device) as desk:
        await desk.came_to(late, CommandState.EXPIRED)
        await desk.came_to(in_time, CommandState.VERIFIED)
        assert desk.powers == []


@pytest.mark.parametrize("ahead", [-DAY, DAY])
async def test_expiry_counts_in_the_time_of_redis_whatever_the_edge_takes_for_the_time(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    def wrong() -> int:
        return wall_ms() + ahead

    monkeypatch.setattr(redis_door, "wall_ms", wrong)
    async with desked(tmp_path, redis_server, device, wall=wrong) as desk:
        late = desk.give(POWER, 600.0, expires=wall_ms() - 1_000)
        await desk.came_to(late, CommandState.EXPIRED)
        event = await desk.came_to(desk.give(POWER, 700.0, lease=60), CommandState.VERIFIED)
        assert desk.powers == [700]
        assert abs(event.ts - wall_ms()) < 10_000
        assert event.lease_until is not None
        assert abs(event.lease_until - wall_ms() - 60_000) < 10_000


async def test_link_lost_while_a_leased_setpoint_is_active_the_default_is_restored_at_its_end(
    tmp_path: Path, mortal_redis: RedisProcess, device: Endpoint
) -> None:
    async with desked(tmp_path, mortal_redis, device) as desk:
        given = desk.give(POWER, 600.0, lease=2)
        await desk.came_to(given, CommandState.VERIFIED)
        ends = time.monotonic() + 2
        mortal_redis.kill()
        await stays(lambda: desk.powers == [600], "it holds until its lease ends", 1.0)
        await until(lambda: desk.powers == [600, 0], "the default", 5)
        assert time.monotonic() - ends < 1.5, "not within a cycle of half a second, thrice"
        mortal_redis.start()
        await desk.came_to(given, CommandState.REVERTED, 20)


async def test_a_restart_keeps_what_is_in_force_and_writes_nothing(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    async with desked(tmp_path, redis_server, device) as desk:
        held = await desk.verified(POWER, 600.0)
    async with desked(tmp_path, redis_server, device) as desk:
        await until(lambda: desk.outcomes, "it was read back")
        assert desk.desk.writer.holder(POWER) == f"command:{held}"
        assert desk.powers == [600]
        await desk.came_to(desk.give(POWER, None), CommandState.VERIFIED)
        await desk.came_to(held, CommandState.REVERTED)


async def test_a_setpoint_that_the_device_lost_while_the_edge_was_down_is_written_again(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    async with desked(tmp_path, redis_server, device) as desk:
        await desk.verified(POWER, 600.0)
    device.units[1].put(2, "i", 0)
    async with desked(tmp_path, redis_server, device, connected=False) as desk:
        await until(lambda: desk.powers == [600, 600], "it is written again")


async def test_a_lease_that_ended_while_the_edge_was_down_is_undone_at_its_start(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    async with desked(tmp_path, redis_server, device) as desk:
        given = await desk.verified(POWER, 600.0, lease=1)
    await asyncio.sleep(1)
    async with desked(tmp_path, redis_server, device, connected=False) as desk:
        await until(lambda: desk.powers == [600, 0], "the default")
    async with desked(tmp_path, redis_server, device) as desk:
        assert (await desk.came_to(given, CommandState.REVERTED)).reason == CommandReason.LEASE_ENDED.value


async def test_a_lease_is_over_when_the_clock_stands_before_its_write(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    async with desked(tmp_path, redis_server, device) as desk:
        await desk.verified(POWER, 600.0, lease=3600)
    async with desked(tmp_path, redis_server, device, connected=False, wall=lambda: wall_ms() - DAY) as desk:
        await until(lambda: desk.powers == [600, 0], "the default")


async def test_limits_that_were_narrowed_end_what_is_outside_of_them(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    async with desked(tmp_path, redis_server, device) as desk:
        given = await desk.verified(POWER, 600.0)
    async with desked(tmp_path, redis_server, device, SetpointLimits(POWER, maximum=500)) as desk:
        assert (await desk.came_to(given, CommandState.REVERTED)).reason == CommandReason.ABOVE_MAXIMUM.value
        assert desk.powers == [600, 0]


async def test_a_journal_that_cannot_be_read_is_set_aside_and_the_edge_goes_on(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    (tmp_path / "commands.db").write_bytes(b"this is no database, whatever it was before" * 100)
    async with desked(tmp_path, redis_server, device) as desk:
        await desk.verified(POWER, 600.0)
    assert len(list((tmp_path / "quarantine").iterdir())) == 1


async def test_a_disk_that_takes_nothing_refuses_commands_and_restores_defaults_all_the_same(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    async with desked(tmp_path, redis_server, device) as desk:
        held = await desk.verified(POWER, 600.0, lease=1)
        await desk.desk._file.run(lambda db: db.execute("PRAGMA query_only = ON"))
        refused = desk.give(POWER, 700.0)
        event = await desk.came_to(refused, CommandState.REJECTED)
        assert event.reason == CommandReason.NOT_KEPT.value
        await desk.came_to(held, CommandState.REVERTED)
        assert desk.powers == [600, 0]


async def test_redis_that_was_wiped_hears_everything_of_the_day_again_and_nothing_is_written(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    async with desked(tmp_path, redis_server, device) as desk:
        first = command(POWER, 600.0)
        give(redis_server, first)
        await desk.came_to(first.id, CommandState.VERIFIED)
        redis_server.admin.delete(*redis_server.admin.keys("*"))
        give(redis_server, first)
        await until(lambda: states(redis_server, first.id)[:2] == ["written", "verified"], "it is told again", 15)
        assert len(events(redis_server)) >= 2
        assert powers(device) == [600]
