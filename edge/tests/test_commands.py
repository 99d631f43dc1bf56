"""What becomes of a command, between a real Redis with the edge's rules and a real Modbus device."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from edge_support.commanding import COMMANDS, LEVEL, MEASURED, MODE, POWER, Desked, command, desked, give, plant
from edge_support.devices import Endpoint, endpoint
from edge_support.redis_process import RedisProcess
from edge_support.waiting import stays, until
from ems_contract import keys
from ems_contract.commands import CommandReason, CommandState
from ems_contract.control import COMMAND_PRIORITY
from ems_contract.provisioning import SetpointLimits
from ems_edge.clock import wall_ms
from ems_edge.setpoints import Result

REFUSED = [
    (POWER, 5001.0, CommandReason.ABOVE_MAXIMUM),
    (POWER, -5001.0, CommandReason.BELOW_MINIMUM),
    (LEVEL, 61.0, CommandReason.ABOVE_MAXIMUM),  # people decided on 60
    (MODE, 3.0, CommandReason.NOT_A_STATE),
    (MODE, 0.5, CommandReason.NOT_A_STATE),
    (MEASURED, 1.0, CommandReason.READ_ONLY),
    ("plant.no_such", 1.0, CommandReason.UNKNOWN_POINT),
]


@pytest.fixture
async def device() -> AsyncIterator[Endpoint]:
    async with endpoint({1: plant()}) as served:
        yield served


@pytest.fixture
async def desk(tmp_path: Path, redis_server: RedisProcess, device: Endpoint) -> AsyncIterator[Desked]:
    async with desked(tmp_path, redis_server, device, SetpointLimits(LEVEL, maximum=60)) as at_work:
        yield at_work


async def test_a_command_is_written_once_and_read_back(desk: Desked) -> None:
    given = desk.give(POWER, 1500.0)
    event = await desk.came_to(given, CommandState.VERIFIED)
    assert desk.states(given) == ["written", "verified"]
    assert (event.value, event.read_back, event.point) == (1500.0, 1500.0, POWER)
    assert abs(event.ts - wall_ms()) < 10_000
    assert desk.powers == [1500]


async def test_a_value_is_rounded_to_what_the_device_can_hold(desk: Desked) -> None:
    event = await desk.came_to(desk.give(LEVEL, 33.3), CommandState.VERIFIED)
    assert event.read_back == 33.5


async def test_what_must_not_be_written_is_refused_with_its_reason(desk: Desked) -> None:
    given = [(desk.give(point, value), reason) for point, value, reason in REFUSED]
    given.append((desk.give(POWER, 1.0, expires=wall_ms() - 1), CommandReason.EXPIRED))
    for command_id, reason in given:
        expired = reason is CommandReason.EXPIRED
        event = await desk.came_to(command_id, CommandState.EXPIRED if expired else CommandState.REJECTED)
        assert event.reason == reason.value
        assert event.detail
    assert desk.endpoint.written == []


async def test_a_command_that_comes_again_is_reported_and_not_written(desk: Desked) -> None:
    first = command(POWER, 700.0)
    give(desk.server, first)
    await desk.came_to(first.id, CommandState.VERIFIED)
    give(desk.server, first)
    await until(lambda: desk.states(first.id) == ["written", "verified", "verified"], "it is said again")
    assert desk.powers == [700]


async def test_an_id_that_comes_again_with_another_content_is_refused(desk: Desked) -> None:
    first = command(POWER, 700.0)
    give(desk.server, first)
    await desk.came_to(first.id, CommandState.VERIFIED)
    give(desk.server, msgspec.structs.replace(first, value=900.0))
    event = await desk.came_to(first.id, CommandState.REJECTED)
    assert event.reason == CommandReason.REPLAYED.value
    assert desk.powers == [700]


async def test_what_is_no_command_is_passed_over(desk: Desked) -> None:
    long_id = msgspec.json.encode(command(POWER, 1.0, id="x" * 500))
    version = msgspec.json.encode(msgspec.structs.replace(command(POWER, 2.0), v=99))
    for payload in (b"", b"{", b"\xff", b"[" * 10_000, b'{"v":1}', long_id, version):
        desk.server.admin.xadd(COMMANDS, {keys.COMMAND_FIELD: payload})
    desk.server.admin.xadd(COMMANDS, {"another": "field"})
    await desk.verified(POWER, 300.0)
    assert desk.powers == [300]


async def test_when_a_lease_ends_the_default_is_in_force_again(desk: Desked) -> None:
    given = desk.give(POWER, 800.0, lease=1)
    verified = await desk.came_to(given, CommandState.VERIFIED)
    assert verified.lease_until is not None
    assert abs(verified.lease_until - verified.ts - 1000) < 100
    reverted = await desk.came_to(given, CommandState.REVERTED)
    assert (reverted.reason, reverted.read_back) == (CommandReason.LEASE_ENDED.value, 0.0)
    assert reverted.ts >= verified.lease_until
    assert desk.powers == [800, 0]


async def test_a_newer_command_takes_the_place_of_an_older_one(desk: Desked) -> None:
    first = await desk.verified(POWER, 800.0, lease=1)
    second = await desk.verified(POWER, 900.0)
    reverted = await desk.came_to(first, CommandState.REVERTED)
    assert reverted.reason == CommandReason.SUPERSEDED.value
    await stays(lambda: desk.powers == [800, 900], "the first one's lease ends nothing", 1.2)
    assert desk.states(second) == ["written", "verified"]


async def test_the_same_value_from_someone_new_is_written_again(desk: Desked) -> None:
    await desk.verified(POWER, 800.0)
    await desk.verified(POWER, 800.0)
    assert desk.powers == [800, 800]


async def test_many_at_once_are_done_in_their_order_and_the_last_one_stays(desk: Desked) -> None:
    given = [desk.give(POWER, float(number)) for number in range(1, 21)]
    await desk.came_to(given[-1], CommandState.VERIFIED)
    for one in given[:-1]:
        await until(lambda one=one: desk.states(one)[-1:] in (["rejected"], ["reverted"]), "the others are over")
    assert desk.powers == sorted(set(desk.powers))
    assert desk.powers[-1] == 20
    assert desk.desk.writer.holder(POWER) == f"command:{given[-1]}"


async def test_giving_back_restores_the_default(desk: Desked) -> None:
    held = await desk.verified(POWER, 800.0)
    event = await desk.came_to(desk.give(POWER, None), CommandState.VERIFIED)
    assert event.read_back == 0.0
    assert (await desk.came_to(held, CommandState.REVERTED)).reason == CommandReason.RELEASED.value
    assert desk.powers == [800, 0]
    assert desk.desk.writer.holder(POWER) is None


async def test_giving_back_what_nobody_holds_restores_the_default_too(desk: Desked) -> None:
    desk.endpoint.units[1].put(2, "i", 4000)  # somebody turned the knob on the device
    await desk.came_to(desk.give(POWER, None), CommandState.VERIFIED)
    assert desk.powers == [0]


async def test_a_point_without_a_default_stays_as_it_is_and_that_is_said(desk: Desked) -> None:
    held = await desk.verified(MODE, 2.0)
    event = await desk.came_to(desk.give(MODE, None), CommandState.VERIFIED)
    assert "no giving up" in (event.detail or "")
    await desk.came_to(held, CommandState.REVERTED)
    assert desk.endpoint.units[1].holding[4] == 2


async def test_a_stronger_rule_refuses_a_command(desk: Desked) -> None:
    desk.desk.writer.claim(POWER, "rule:peak", COMMAND_PRIORITY - 1, 250.0)
    event = await desk.came_to(desk.give(POWER, 800.0), CommandState.REJECTED)
    assert event.reason == CommandReason.OVERRULED.value
    assert "rule peak" in (event.detail or "")
    await until(lambda: desk.powers == [250], "the rule's value alone")


async def test_a_command_is_stronger_than_a_weaker_rule_and_the_rule_has_the_point_after_it(desk: Desked) -> None:
    desk.desk.writer.claim(POWER, "rule:night", COMMAND_PRIORITY + 2, 250.0)
    held = await desk.verified(POWER, 800.0)
    heard = [one for one in desk.outcomes if one.holder == "rule:night"]
    assert heard[-1].result is Result.OVERRULED
    assert heard[-1].by == f"command:{held}"
    event = await desk.came_to(desk.give(POWER, None), CommandState.VERIFIED)
    assert event.read_back == 250.0
    assert "rule night" in (event.detail or "")
    assert desk.powers == [250, 800, 250]


async def test_a_command_that_a_rule_took_over_is_in_force_again_after_it(desk: Desked) -> None:
    expires = wall_ms() + 400
    held = await desk.verified(POWER, 800.0, expires=expires)
    desk.desk.writer.claim(POWER, "rule:peak", COMMAND_PRIORITY - 1, 250.0)
    await until(lambda: desk.powers == [800, 250] and wall_ms() > expires, "the rule's value, for longer than it had")
    desk.desk.writer.release(POWER, "rule:peak")
    await until(lambda: desk.powers == [800, 250, 800], "the command's value")
    assert desk.states(held) == ["written", "verified"]


async def test_a_lease_that_ends_under_a_rule_changes_nothing_at_the_device(desk: Desked) -> None:
    held = await desk.verified(POWER, 800.0, lease=1)
    desk.desk.writer.claim(POWER, "rule:peak", COMMAND_PRIORITY - 1, 250.0)
    event = await desk.came_to(held, CommandState.REVERTED)
    assert "rule peak" in (event.detail or "")
    assert desk.powers == [800, 250]


async def test_an_edge_hears_its_own_commands_only(desk: Desked) -> None:
    other = command(POWER, 5.0, id=str(uuid.uuid4()))
    desk.server.admin.xadd(keys.commands_stream(1, 2), {keys.COMMAND_FIELD: msgspec.json.encode(other)})
    await desk.verified(POWER, 6.0)
    assert desk.powers == [6]
