"""The office's air handling unit on BACnet/IP, seen by bacpypes3's own client on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from bacpypes3.apdu import AbortPDU, ErrorRejectAbortNack
from bacpypes3.ipv4.app import NormalApplication
from bacpypes3.local.device import DeviceObject
from bacpypes3.pdu import Address, IPv4Address
from bacpypes3.primitivedata import Null
from ems_simulator.bacnet_image import BacnetImage
from ems_simulator.faults import FaultKind, FaultRequest
from ems_simulator.history import readings
from ems_simulator.live import LiveSite
from ems_simulator.objects import object_map
from ems_simulator.sites import site

from .bench import NOON, SEED, Bench, running, until

AHU = 2001
SETPOINT, ENABLE, FAN = "analog-value,1", "binary-value,1", "binary-input,1"
PV = "present-value"


class Client:
    """bacpypes3's client, and where the device is."""

    def __init__(self, port: int) -> None:
        # One short try: a test that waits for no answer should not wait long.
        itself = DeviceObject(
            objectIdentifier=("device", 9), objectName="client", apduTimeout=300, numberOfApduRetries=0
        )
        self.application = NormalApplication(itself, IPv4Address("127.0.0.1:0"))
        self.address = Address(f"127.0.0.1:{port}")

    async def read(self, found: str, name: str = PV) -> Any:
        return await self.application.read_property(self.address, found, name)

    async def write(self, found: str, value: Any, priority: int) -> None:
        await self.application.write_property(self.address, found, PV, value, priority=priority)


@asynccontextmanager
async def connected(bench: Bench) -> AsyncIterator[Client]:
    assert bench.runtime.bacnet is not None
    client = Client(bench.runtime.bacnet.port)
    try:
        yield client
    finally:
        client.application.close()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Bench]:
    """Its time stands still."""
    async with running(tmp_path, "office") as started:
        yield started


def image(bench: Bench) -> BacnetImage:
    found = bench.runtime.devices["ahu"]
    assert isinstance(found, BacnetImage)
    return found


async def test_it_announces_itself_and_lists_its_objects(office: Bench) -> None:
    async with connected(office) as client:
        (announced,) = await client.application.who_is(AHU, AHU, client.address, timeout=2)
        assert announced.iAmDeviceIdentifier[1] == AHU
        listed = await client.read(f"device,{AHU}", "object-list")
        assert len(listed) == 1 + len(object_map("stl_ahu").objects)


async def test_every_object_shows_the_truth_and_says_what_it_is(office: Bench) -> None:
    truth = LiveSite(site("office"), NOON, SEED, installed=NOON // 60_000 - 180)
    async with connected(office) as client:
        for point in object_map("stl_ahu").objects:
            found = f"{point.object},{point.instance}"
            assert await client.read(found, "object-name") == point.label
            expected = 1 if point.name == "reads" else truth.value(f"ahu.{point.name}")
            assert float(await client.read(found)) == pytest.approx(expected, rel=1e-6), point.name


async def test_history_says_what_the_running_unit_says(office: Bench) -> None:
    (values,) = [values for _, values in readings("office", NOON, NOON + 1, seed=SEED)]
    truth = LiveSite(site("office"), NOON, SEED)
    for point in object_map("stl_ahu").objects:
        if point.name != "reads":
            assert values[f"ahu.{point.name}"] == pytest.approx(truth.value(f"ahu.{point.name}"), rel=1e-6)


async def test_the_strongest_command_is_in_force_and_moves_the_plant(tmp_path: Path) -> None:
    async with running(tmp_path, "office", speed=1.0) as bench, connected(bench) as client:
        unit = image(bench)
        usual = float(await client.read(SETPOINT))
        await client.write(SETPOINT, 25.0, 12)
        await client.write(SETPOINT, 18.0, 8)
        assert float(await client.read(SETPOINT)) == unit.value("room_setpoint") == 18.0
        await client.write(SETPOINT, Null(()), 8)
        assert float(await client.read(SETPOINT)) == unit.value("room_setpoint") == 25.0
        await client.write(SETPOINT, Null(()), 12)
        assert float(await client.read(SETPOINT)) == unit.value("room_setpoint") == usual
        await client.write(ENABLE, "inactive", 9)
        power = bench.runtime.devices["hvac"]
        await until(lambda: bench.runtime.advance() is None and power.value("active_power") == 0)
        assert int(await client.read(FAN)) == 0
        await client.write(ENABLE, Null(()), 9)
        await until(lambda: bench.runtime.advance() is None and power.value("active_power") > 0)


async def test_the_panel_speaks_while_nobody_commands(office: Bench) -> None:
    """A Modbus write to the same unit; BACnet's commands are stronger, and end where it was."""
    async with connected(office) as bacnet, office.client() as modbus:
        await bacnet.write(SETPOINT, 24.0, 16)
        await modbus.write_register(0, 225, device_id=5)
        assert float(await bacnet.read(SETPOINT)) == 24.0
        await bacnet.write(SETPOINT, Null(()), 16)
        assert float(await bacnet.read(SETPOINT)) == 22.5


@pytest.mark.parametrize(
    ("found", "value", "words"),
    [
        (SETPOINT, 40.0, "value-out-of-range"),
        ("analog-input,1", 20.0, "write-access-denied"),
        ("analog-input,99", 20.0, "unknown-object"),
    ],
)
async def test_a_write_that_is_not_possible_is_refused(office: Bench, found: str, value: float, words: str) -> None:
    async with connected(office) as client:
        with pytest.raises(ErrorRejectAbortNack) as caught:
            await client.write(found, value, 9)
        assert words in str(caught.value)


async def test_subscribers_hear_changes_beyond_the_increment_until_it_forgets_them(tmp_path: Path) -> None:
    async with running(tmp_path, "office", speed=1.0) as bench, connected(bench) as client:
        heard: list[float] = []
        found = await client.application.parse_object_identifier("analog-input,8")
        async with client.application.change_of_value(client.address, found, None, True, 60) as subscription:

            async def listen() -> None:
                while True:
                    name, value = await subscription.get_value()
                    if str(name) == PV:
                        heard.append(float(value))

            listening = asyncio.create_task(listen())
            unit = image(bench)
            await until(lambda: len(heard) == 1)
            unit.pin("duct_pressure", 300.0)
            await until(lambda: heard[-1] == 300.0)
            assert unit.pins["duct_pressure"].first_answer is not None
            unit.pin("duct_pressure", 303.0)  # less than its increment of 5
            unit.pin("fan_speed", 99.0)  # nobody subscribed to that
            assert bench.runtime.bacnet is not None
            bench.runtime.bacnet.forget()
            unit.pin("duct_pressure", 100.0)
            await asyncio.sleep(1.2)  # longer than it takes to tell
            assert heard[1:] == [300.0]
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def test_counters_take_no_subscription(office: Bench) -> None:
    async with connected(office) as client:
        found = await client.application.parse_object_identifier("accumulator,1")
        with pytest.raises(ErrorRejectAbortNack) as caught:
            async with client.application.change_of_value(client.address, found, None, False, 60):
                pass
        assert "cov-subscription-failed" in str(caught.value)


async def test_each_answered_read_is_in_the_ledger_with_what_it_carried(office: Bench) -> None:
    async with connected(office) as client:
        await client.application.read_property_multiple(
            client.address, ["analog-input,5", [PV], "positive-integer-value,1", [PV], FAN, ["object-name"]]
        )
        fan = await client.read("analog-input,5")
        await client.read("analog-input,5", "object-name")
    first, second = office.ledger()
    assert (first.device, first.unit, first.function, first.reads) == ("ahu", AHU, 14, 1)
    assert first.values == {"fan_speed": float(fan), "reads": 1.0}
    assert (second.function, second.reads, second.values) == (12, None, {"fan_speed": float(fan)})


async def test_faults_silence_freeze_and_break_it(office: Bench) -> None:
    async with connected(office) as client:
        office.runtime.inject(FaultRequest(kind=FaultKind.LINK_CUT, device="ahu"))
        with pytest.raises(AbortPDU, match="no-response"):
            await client.read(FAN)
        office.runtime.clear_faults()
        office.runtime.inject(FaultRequest(kind=FaultKind.EXCEPTION))
        with pytest.raises(ErrorRejectAbortNack) as caught:
            await client.read(FAN)
        assert "operational-problem" in str(caught.value)
        office.runtime.clear_faults()
        office.runtime.inject(FaultRequest(kind=FaultKind.GARBAGE, style="words"))
        await client.read("accumulator,1")
        office.runtime.clear_faults()
        office.runtime.inject(FaultRequest(kind=FaultKind.COUNTER_RESET))
        assert int(await client.read("accumulator,1")) == 0
        image(office).pin("room_temperature", None)
        assert list(await client.read("analog-input,4", "status-flags"))[1] == 1
        assert str(await client.read("analog-input,4", "reliability")) == "no-sensor"
    assert [entry.reads for entry in office.ledger()] == [None] * 2  # garbage is answered, and the counter


async def test_a_pin_that_the_object_cannot_show_is_refused(office: Bench) -> None:
    from ems_simulator.image import PointRefusedError

    for name, value in (("mode", 5.0), ("filter_alarm", 2.0), ("energy_total", -1.0), ("fan_speed", 1e300)):
        with pytest.raises(PointRefusedError, match=f"ahu.{name}"):
            image(office).pin(name, value)
