"""The single writer: rules at a real device, a device that can give points up, and what a restart undoes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from edge_support.commanding import MODE, POWER, Desked, desked, plant
from edge_support.devices import Endpoint, endpoint
from edge_support.redis_process import RedisProcess
from edge_support.waiting import stays, until
from ems_contract.points import Reason
from ems_edge import desk as desks
from ems_edge import setpoints_state
from ems_edge.decode import Value
from ems_edge.driver import WriteError
from ems_edge.poller import Answer
from ems_edge.setpoints import Outcome, Result
from ems_edge.setpoints_limits import Setpoint
from ems_edge.setpoints_station import Station
from ems_edge.setpoints_writer import SetpointWriter


@pytest.fixture
async def device() -> AsyncIterator[Endpoint]:
    async with endpoint({1: plant()}) as served:
        yield served


@pytest.fixture
async def desk(tmp_path: Path, redis_server: RedisProcess, device: Endpoint) -> AsyncIterator[Desked]:
    async with desked(tmp_path, redis_server, device, connected=False) as at_work:
        yield at_work


async def test_a_claim_that_is_repeated_is_written_once_and_each_new_value_once(desk: Desked) -> None:
    writer = desk.desk.writer
    for value in (10.0, 10.0, 20.0, 20.0):
        writer.claim(POWER, "rule:a", 10, value)
        await until(lambda value=value: desk.powers[-1:] == [value], "it is written")
    writer.release(POWER, "rule:a")
    await until(lambda: desk.powers == [10, 20, 0], "the default")


async def test_values_that_come_faster_than_the_device_takes_them_are_passed_over(desk: Desked) -> None:
    desk.endpoint.units[1].delay = 0.05
    for value in range(1, 101):
        desk.desk.writer.claim(POWER, "rule:a", 10, float(value))
        await asyncio.sleep(0.002)
    await until(lambda: desk.powers[-1:] == [100], "the last one")
    assert len(desk.powers) < 20


async def test_two_writers_at_once_the_stronger_one_is_written_last_whatever_comes_first(desk: Desked) -> None:
    writer = desk.desk.writer
    desk.endpoint.units[1].delay = 0.05
    for number in range(10):
        writer.claim(POWER, "rule:weak", 12, 1000.0 + number)
        writer.claim(POWER, "rule:strong", 3, 2000.0 + number)
        await asyncio.sleep(0.01)
    await until(lambda: desk.powers[-1:] == [2009], "the stronger one")
    await stays(lambda: desk.powers[-1] == 2009, "it stays", 0.3)
    weak = [one.result for one in desk.outcomes if one.holder == "rule:weak"]
    assert weak.count(Result.OVERRULED) == 1


async def test_a_value_outside_of_the_limits_leaves_the_earlier_one_in_force(desk: Desked) -> None:
    desk.desk.writer.claim(POWER, "rule:a", 10, 10.0)
    desk.desk.writer.claim(POWER, "rule:a", 10, 9_000.0)
    desk.desk.writer.claim("plant.measured", "rule:a", 10, 1.0)
    await until(lambda: len(desk.outcomes) == 4, "all is told")
    assert {one.result for one in desk.outcomes} >= {Result.OUT_OF_LIMITS, Result.REFUSED, Result.IN_FORCE}
    assert desk.powers == [10]


async def test_a_rule_that_the_device_refuses_is_tried_again_until_it_lets_go(
    desk: Desked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setpoints_state, "RETRY_LAST", 0.05)
    desk.endpoint.units[1].exception = 4
    desk.desk.writer.claim(POWER, "rule:a", 10, 10.0)
    await until(lambda: any(one.result is Result.REFUSED for one in desk.outcomes), "it is refused")
    desk.endpoint.units[1].exception = 0
    await until(lambda: desk.powers == [10], "it is written")


async def test_a_device_that_lost_a_setpoint_gets_it_again(desk: Desked) -> None:
    desk.desk.writer.claim(POWER, "rule:a", 10, 10.0)
    await until(lambda: any(one.result is Result.IN_FORCE for one in desk.outcomes), "it is in force")
    for _ in range(2):
        desk.desk.see([Answer("plant", 0, {POWER: 0.0, MODE: Reason.TIMEOUT})])
    await until(lambda: desk.powers == [10, 10], "it is written again")


async def test_a_device_that_was_away_is_set_right_at_the_first_poll_that_it_answers(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    async with desked(tmp_path, redis_server, device, connected=False, patience=0.1) as desk:
        desk.desk.writer.claim(POWER, "rule:a", 10, 10.0)
        await until(lambda: desk.powers == [10], "it is written")
        device.units[1].silent = True
        desk.desk.writer.release(POWER, "rule:a")
        for _ in range(4):  # tried in vain until the pauses are long
            await until(lambda: desk.outcomes and desk.outcomes[-1].result is Result.SILENT, "it is silent")
        desk.desk.see([Answer("plant", 0, {POWER: Reason.TIMEOUT})])
        device.units[1].silent = False
        began = asyncio.get_running_loop().time()
        desk.desk.see([Answer("plant", 0, {POWER: 10.0})])
        await until(lambda: desk.powers == [10, 0], "the default")
        assert asyncio.get_running_loop().time() - began < 0.9


async def test_one_point_that_changes_all_the_time_does_not_keep_another_one_waiting(desk: Desked) -> None:
    desk.endpoint.units[1].delay = 0.02
    writing = asyncio.Event()

    async def restless() -> None:
        value = 0.0
        while not writing.is_set():
            value += 1.0
            desk.desk.writer.claim(POWER, "rule:a", 10, value)
            await asyncio.sleep(0.005)

    task = asyncio.create_task(restless())
    desk.desk.writer.claim(MODE, "rule:b", 10, 2.0)
    await until(lambda: any(one.address == 4 for one in desk.endpoint.written), "the other one", 2)
    writing.set()
    await task


async def test_what_is_claimed_and_let_go_while_the_configuration_changes_is_done_after_it(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint
) -> None:
    async with desked(tmp_path, redis_server, device, connected=False) as desk:
        desk.desk.writer.claim(POWER, "rule:a", 10, 10.0)
        await until(lambda: desk.powers == [10], "it is written")
        await desk.desk.pause()
        desk.desk.writer.release(POWER, "rule:a")
        desk.desk.writer.claim(MODE, "rule:b", 10, 2.0)
        desk.desk.use(desk.plan, desk.devices)
        await until(lambda: desk.powers == [10, 0] and device.units[1].holding[4] == 2, "both")


async def test_what_a_rule_held_in_an_earlier_life_gets_its_default_when_no_rule_claims_it_again(
    tmp_path: Path, redis_server: RedisProcess, device: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "RULES_HAVE_AT_LEAST", 0.3)
    monkeypatch.setattr(desks, "RULES_HAVE_POLLS", 0)
    async with desked(tmp_path, redis_server, device, connected=False) as desk:
        desk.desk.writer.claim(POWER, "rule:a", 10, 10.0)
        await until(lambda: desk.powers == [10], "it is written")
    async with desked(tmp_path, redis_server, device, connected=False) as desk:
        desk.desk.writer.claim(POWER, "rule:a", 10, 10.0)  # in time
        await stays(lambda: 0 not in desk.powers, "it is not given back", 0.5)
    async with desked(tmp_path, redis_server, device, connected=False) as desk:
        await until(lambda: desk.powers[-1] == 0, "the default")
    async with desked(tmp_path, redis_server, device, connected=False) as desk:
        await stays(lambda: desk.powers.count(0) == 1, "nothing is held any more", 0.5)


class Giving:
    """A device whose points can be given up; what is written, in order. `answers` None: it says nothing."""

    def __init__(self) -> None:
        self.written: list[float | None] = []
        self.refuses = False

    async def read(self) -> dict[str, Value]:
        return {}

    async def write(self, point: str, value: float | None) -> None:
        if self.refuses:
            raise WriteError(Reason.DEVICE_EXCEPTION, f"{point}: write-access-denied", refused=True)
        self.written.append(value)

    async def read_back(self, point: str) -> Value:
        value = self.written[-1] if self.written else None
        return 21.5 if value is None else value


class Nothing:
    def held(self) -> set[str]:
        return set()

    async def hold(self, point: str) -> None: ...

    async def let_go(self, point: str) -> None: ...


@contextlib.asynccontextmanager
async def writing(device: Giving) -> AsyncIterator[tuple[SetpointWriter, list[Outcome]]]:
    writer, outcomes = SetpointWriter(Nothing(), lambda _: None), list[Outcome]()
    writer.listen(outcomes.append)
    async with asyncio.TaskGroup() as tasks:
        writer.start(tasks)
        writer.use([Setpoint("vav.setpoint", "vav")], {"vav": device}, 1.0)
        yield writer, outcomes
        await writer.pause()


async def test_a_point_without_a_default_is_given_up_where_the_protocol_can() -> None:
    device = Giving()
    async with writing(device) as (writer, outcomes):
        writer.claim("vav.setpoint", "rule:a", 10, 19.0)
        await until(lambda: device.written == [19.0], "it is written")
        writer.release("vav.setpoint", "rule:a")
        await until(lambda: device.written == [19.0, None], "it is given up")
        await until(lambda: outcomes[-1].holder is None, "it is told")
        assert (outcomes[-1].result, outcomes[-1].read_back) == (Result.IN_FORCE, 21.5)


async def test_what_was_refused_leaves_nothing_to_be_undone() -> None:
    device = Giving()
    device.refuses = True
    async with writing(device) as (writer, outcomes):
        writer.claim("vav.setpoint", "rule:a", 10, 19.0)
        await until(lambda: outcomes, "it is refused")
        device.refuses = False
        writer.release("vav.setpoint", "rule:a")
        await stays(lambda: not device.written, "nothing is written", 0.1)


async def test_a_device_that_is_read_back_while_the_configuration_changes_holds_nothing_up() -> None:
    """Who waited for a device that is no more is told so, and does not wait for ever."""
    answering = asyncio.Event()

    class Slow:
        async def read(self) -> dict[str, Value]:
            return {}

        async def write(self, point: str, value: float | None) -> None: ...

        async def read_back(self, point: str) -> Value:
            await answering.wait()
            return 1.0

    point = Setpoint("unit.power", "unit")
    async with asyncio.TaskGroup() as tasks:
        station = Station(Slow(), Nothing(), lambda _: None, lambda: None)
        station.start(tasks, "unit")
        first = asyncio.create_task(station.read_back(point))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(station.stop())
        await asyncio.sleep(0)
        second = asyncio.create_task(station.read_back(point))
        await asyncio.sleep(0)
        answering.set()
        await asyncio.wait_for(stopping, 10)
        assert await first == 1.0
        assert await asyncio.wait_for(second, 10) is Reason.NOT_POLLED
