"""The BACnet driver and the simulator's air handling unit: another room's device, over a real socket."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from edge_support.bacnet import driver
from edge_support.waiting import until
from ems_contract.points import Reason
from ems_edge.driver import WriteError
from ems_edge.drivers.bacnet import BacnetDriver
from ems_edge.profile import Profiles

AHU = "/sites/office/devices/ahu/points"
FAULTS = "/sites/office/faults"


@dataclass
class Simulated:
    """A running simulator of the office."""

    address: str
    control: str
    ledger: Path

    def answers(self) -> list[dict[str, Any]]:
        lines = (self.ledger / "office.ndjson").read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    ledger = tmp_path_factory.mktemp("ledger")
    free = [option for name in ("modbus", "bacnet", "control") for option in (f"--{name}-port", "0")]
    command = [sys.executable, "-m", "ems_simulator", "run", "--sites", "office", "--ledger", str(ledger), *free]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            ready = next(line for line in map(json.loads, process.stderr) if line["event"] == "ready")
            control = f"http://127.0.0.1:{ready['control_port']}"
            yield Simulated(f"127.0.0.1:{ready['bacnet_ports']['office']}", control, ledger)
        finally:
            process.terminate()


@pytest.fixture
async def control(simulated: Simulated) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=simulated.control, trust_env=False) as client:
        yield client
        await client.delete(FAULTS)


@pytest.fixture
async def made() -> AsyncIterator[BacnetDriver]:
    async with driver() as opened:
        yield opened


def ahu(made: BacnetDriver, simulated: Simulated, **connection: Any) -> Any:
    where = {"address": simulated.address, "device": 2001, "timeout": 1.0, **connection}
    return made.device(Profiles().get("stl_ahu").spec("ahu", where, 0.5))


async def test_the_profile_reads_every_object_with_one_request_and_the_ledger_knows_it(
    made: BacnetDriver, simulated: Simulated, control: httpx.AsyncClient
) -> None:
    device = ahu(made, simulated)
    values = await device.read()
    assert not [value for value in values.values() if isinstance(value, Reason)]
    assert (await device.read())["reads"] == values["reads"] + 1

    def told() -> list[dict[str, Any]]:
        return [one["values"] for one in simulated.answers() if one["reads"] == values["reads"]]

    assert await until(told, "the ledger to be written") == [values]


async def test_what_is_pinned_is_read_and_no_value_is_a_fault(
    made: BacnetDriver, simulated: Simulated, control: httpx.AsyncClient
) -> None:
    device = ahu(made, simulated)
    await control.put(f"{AHU}/room_temperature", json={"value": None})
    await control.put(f"{AHU}/duct_pressure", json={"value": 123.5})
    values = await device.read()
    assert (values["room_temperature"], values["duct_pressure"]) == (Reason.NO_VALUE, 123.5)
    assert (await control.get(f"{AHU}/duct_pressure")).json()["first_answer"] is not None
    for name in ("room_temperature", "duct_pressure"):
        await control.delete(f"{AHU}/{name}")
    assert isinstance((await device.read())["room_temperature"], float)


async def test_a_setpoint_is_commanded_kept_within_limits_and_given_back(
    made: BacnetDriver, simulated: Simulated, control: httpx.AsyncClient
) -> None:
    device = ahu(made, simulated)
    usual = (await device.read())["room_setpoint"]
    await device.write("room_setpoint", 24.5)
    assert await device.read_back("room_setpoint") == 24.5
    panel = "/sites/office/devices/hvac/points/temperature_setpoint"
    assert (await control.get(panel)).json()["value"] == 24.5  # it is one unit
    with pytest.raises(WriteError, match="value-out-of-range"):
        await device.write("room_setpoint", 40.0)
    await device.write("enable", 0)
    deadline = time.monotonic() + 10
    while (await device.read())["fan_running"]:  # from the next second on
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    await device.write("enable", None)
    await device.write("room_setpoint", None)
    assert await device.read_back("room_setpoint") == usual
    assert await device.read_back("enable") == 1.0


async def test_changes_are_told_within_a_second_or_two(
    made: BacnetDriver, simulated: Simulated, control: httpx.AsyncClient
) -> None:
    device = ahu(made, simulated, cov=True)
    told: dict[str, Any] = {}
    device.watch(told.update)
    await until(lambda: len(told) == 13, "the first notifications")
    assert {"energy_total", "reads"}.isdisjoint(told)
    await control.put(f"{AHU}/filter_alarm", json={"value": 1})
    started = time.monotonic()
    await until(lambda: told["filter_alarm"] == 1.0, "the alarm")
    assert time.monotonic() - started < 5
    await control.delete(f"{AHU}/filter_alarm")
    first = (await device.read())["reads"]
    assert (await device.read())["reads"] == first + 1  # what nobody tells is asked for


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "link_cut"}, Reason.TIMEOUT),
        ({"kind": "link_cut", "device": "ahu"}, Reason.TIMEOUT),
        ({"kind": "slow_answer", "delay": 0.5}, Reason.TIMEOUT),
        ({"kind": "exception"}, Reason.DEVICE_EXCEPTION),
        ({"kind": "garbage"}, Reason.GARBLED),
    ],
)
async def test_a_fault_has_its_reason_and_ends_with_it(
    made: BacnetDriver, simulated: Simulated, control: httpx.AsyncClient, fault: dict[str, Any], reason: Reason
) -> None:
    device = ahu(made, simulated, timeout=0.3)
    assert not [value for value in (await device.read()).values() if isinstance(value, Reason)]
    await control.post(FAULTS, json=fault)
    assert set((await device.read()).values()) == {reason}
    await control.delete(FAULTS)
    deadline = time.monotonic() + 5
    while any(isinstance(value, Reason) for value in (await device.read()).values()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_values_that_are_stuck_are_still_answered(
    made: BacnetDriver, simulated: Simulated, control: httpx.AsyncClient
) -> None:
    device = ahu(made, simulated)
    await control.post(FAULTS, json={"kind": "stuck"})
    first, second = await device.read(), await device.read()
    assert second == {**first, "reads": first["reads"] + 1}
