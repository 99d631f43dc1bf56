"""The BACnet driver against a device on another stack (Node's), over real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from edge_support.bacnet import FIRST, INSTANCE, NodeDevice, driver, fan_coil, free_udp_port, node_device
from ems_contract.points import Reason
from ems_edge.driver import PushingDevice, WritableDevice, WriteError
from ems_edge.drivers.bacnet_draft import draft
from ems_edge.drivers.bacnet_scan import describe, scan
from ems_edge.problems import parse_yaml
from ems_edge.profile import check_profile

ANYWHERE = "127.0.0.1:0"


@pytest.fixture(scope="module")
def shared() -> Iterator[NodeDevice]:
    with node_device() as started:
        yield started


@pytest.fixture
async def served(shared: NodeDevice) -> NodeDevice:
    """A device as nobody has touched it."""
    await shared.renew()
    return shared


async def test_a_device_is_read_with_one_request(served: NodeDevice) -> None:
    async with driver() as made:
        device = fan_coil(made, served.address, device=INSTANCE)
        assert await device.read() == FIRST
        await device.read()
        await served.all_said()
        assert served.said("read") == [{"event": "read", "objects": 6}] * 2
        assert not isinstance(device, PushingDevice)


async def test_a_device_without_read_property_multiple_is_read_property_by_property() -> None:
    with node_device(without="rpm,flags") as served:
        async with driver() as made:
            device = fan_coil(made, served.address)
            assert await device.read() == FIRST
            assert await device.read() == FIRST


async def test_a_write_stands_at_its_priority_until_it_is_given_back(served: NodeDevice) -> None:
    async with driver() as made:
        ems, operator = (fan_coil(made, served.address, priority=priority) for priority in (9, 8))
        assert isinstance(ems, WritableDevice)
        await ems.write("setpoint", 23.5)
        await operator.write("setpoint", 19.0)
        assert await ems.read_back("setpoint") == 19.0
        await operator.write("setpoint", None)
        assert await ems.read_back("setpoint") == 23.5
        await ems.write("setpoint", None)
        assert await ems.read_back("setpoint") == FIRST["setpoint"]
        await served.all_said()
        written = [(one["priority"], one["value"]) for one in served.said("written")]
        assert written == [(9, 23.5), (8, 19), (8, None), (9, None)]


async def test_a_state_is_written_as_the_enumeration_that_it_is(served: NodeDevice) -> None:
    enumerated = 9
    async with driver() as made:
        device = fan_coil(made, served.address)
        await device.write("valve", 1)
        assert await device.read_back("valve") == 1.0
        await served.all_said()
        assert served.said("written", object="binary-output,1", tag=enumerated)


async def test_what_cannot_be_written_is_refused_in_words(served: NodeDevice) -> None:
    async with driver() as made:
        device = fan_coil(made, served.address)
        with pytest.raises(ValueError, match=r"coil\.room cannot be written"):
            await device.write("room", 20.0)
        with pytest.raises(ValueError, match="none of the states"):
            await device.write("valve", 7)
        await served.order(error=[2, 40])  # property, write-access-denied
        with pytest.raises(WriteError, match="was not written: error: property, write-access-denied") as no:
            await device.write("setpoint", 20.0)
        assert (no.value.reason, no.value.refused) == (Reason.DEVICE_EXCEPTION, True)
        await served.order(error=None, silent=True)
        with pytest.raises(WriteError, match="no answer") as unknown:
            await device.write("setpoint", 20.0)
        assert (unknown.value.reason, unknown.value.refused) == (Reason.TIMEOUT, False)


@pytest.mark.parametrize("flag", [1, 3])
async def test_a_faulty_object_and_an_input_out_of_service_have_no_value(served: NodeDevice, flag: int) -> None:
    async with driver() as made:
        device = fan_coil(made, served.address)
        flags = [number == flag for number in range(4)]
        await served.order(flags="analog-input,1", value=flags)
        assert (await device.read())["room"] is Reason.NO_VALUE
        await served.order(flags="analog-value,1", value=[False, False, False, True])  # still the setpoint in force
        assert (await device.read())["setpoint"] == FIRST["setpoint"]


async def test_a_value_that_is_no_number_is_garbled(served: NodeDevice) -> None:
    async with driver() as made:
        await served.order(text="analog-input,2")
        assert await fan_coil(made, served.address).read() == {**FIRST, "power": Reason.GARBLED}


async def test_another_device_at_the_address_is_not_taken_for_the_one_meant(served: NodeDevice) -> None:
    async with driver() as made:
        values = await fan_coil(made, served.address, device=INSTANCE + 1).read()
        assert set(values.values()) == {Reason.DEVICE_EXCEPTION}


async def test_an_error_answer_is_a_device_exception_and_ends_with_it(served: NodeDevice) -> None:
    async with driver() as made:
        device = fan_coil(made, served.address)
        await device.read()
        await served.order(error=[0, 25])  # device, operational-problem
        assert set((await device.read()).values()) == {Reason.DEVICE_EXCEPTION}
        await served.order(error=None)
        assert await device.read() == FIRST


async def test_a_silent_device_is_a_timeout_and_holds_up_no_other(served: NodeDevice) -> None:
    with node_device() as other:
        async with driver() as made:
            silent, healthy = fan_coil(made, served.address), fan_coil(made, other.address)
            await asyncio.gather(silent.read(), healthy.read())
            await served.order(silent=True)
            started = time.monotonic()
            reading = asyncio.create_task(silent.read())
            took = []
            while not reading.done():
                before = time.monotonic()
                assert await healthy.read() == FIRST
                took.append(time.monotonic() - before)
            assert set(reading.result().values()) == {Reason.TIMEOUT}
            assert time.monotonic() - started < 1.0 + 0.9
            assert len(took) > 5  # not one of them waited for the silent one
            await served.order(silent=False)
            assert await silent.read() == FIRST


async def test_nobody_at_the_address_is_a_timeout_and_a_name_nobody_knows_a_lost_connection() -> None:
    async with driver() as made:
        nobody = fan_coil(made, f"127.0.0.1:{free_udp_port()}", timeout=0.2)
        assert set((await nobody.read()).values()) == {Reason.TIMEOUT}
        unknown = fan_coil(made, "no-such-host.invalid", timeout=0.2)
        assert set((await unknown.read()).values()) == {Reason.CONNECTION_LOST}


async def test_a_local_port_that_is_taken_is_a_lost_connection(served: NodeDevice) -> None:
    async with driver() as made, driver() as holder:
        local = f"127.0.0.1:{free_udp_port()}"
        assert await fan_coil(holder, served.address, local=local).read() == FIRST
        values = await fan_coil(made, served.address, local=local).read()
        assert set(values.values()) == {Reason.CONNECTION_LOST}


async def test_a_read_that_is_cancelled_leaves_nothing_behind(served: NodeDevice) -> None:
    async with driver() as made:
        device = fan_coil(made, served.address, timeout=30)
        await device.read()
        await served.order(silent=True)
        reading = asyncio.create_task(device.read())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await served.order(silent=False)
        assert await device.read() == FIRST


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        ({"address": "10.0.0.5:70000"}, "70000 is no port"),
        ({"address": "http://10.0.0.5"}, "address"),
        ({"priority": 17}, "priority"),
        ({"local": "eth0"}, "local"),
    ],
)
async def test_a_connection_that_cannot_be_is_refused(connection: dict[str, Any], words: str) -> None:
    async with driver() as made:
        with pytest.raises(ValueError, match=words):
            fan_coil(made, **{"address": "10.0.0.5", **connection})


# Discovery --------------------------------------------------------------------------------------------------------


async def test_a_scan_finds_the_device_and_says_what_it_is(served: NodeDevice) -> None:
    found = [one async for one in scan(served.address, local=ANYWHERE, patience=0.5)]
    assert [(one.name, dict(one.connection)) for one in found] == [
        ("Fan coil 12", {"address": served.address, "device": INSTANCE})
    ]
    says = found[0].says
    assert (says["vendor"], says["model"]) == ("Another maker", "FC-1")
    assert "2 analog-input, 1 binary-input" in says["objects"]


async def test_a_scan_asks_for_a_range_of_instances(served: NodeDevice) -> None:
    around = scan(served.address, low=INSTANCE, high=INSTANCE, local=ANYWHERE, patience=0.5)
    assert len([one async for one in around]) == 1
    beside = scan(served.address, low=1, high=INSTANCE - 1, local=ANYWHERE, patience=0.2)
    assert [one async for one in beside] == []


async def test_a_scan_that_finds_nobody_ends_and_a_wrong_address_is_told() -> None:
    nobody = scan(f"127.0.0.1:{free_udp_port()}", local=ANYWHERE, patience=0.1)
    assert [one async for one in nobody] == []
    with pytest.raises(ValueError, match="somewhere"):
        async for _ in scan("somewhere", local=ANYWHERE):
            pass


async def test_a_device_describes_itself_as_a_profile_that_reads_it(served: NodeDevice) -> None:
    async with driver() as made:
        described = await describe(served.address, INSTANCE)
        text = draft("Fan coil 12", "Fan coil 12", described, says="Another maker FC-1")
        profile = check_profile(parse_yaml(text, "draft.yaml"))
        assert profile.profile == "fan_coil_12"
        points = {point.key: point for point in profile.contract_points("coil")}
        assert (points["coil.power"].unit, points["coil.room_temperature"].unit) == ("W", "°C")
        assert points["coil.mode"].states == {"1": "off", "2": "heating", "3": "cooling"}
        assert points["coil.fan"].states == {"0": "stopped", "1": "running"}
        assert [key for key, point in points.items() if point.writable] == ["coil.setpoint", "coil.valve"]
        device = made.device(profile.spec("coil", {"address": served.address}, 1.0))
        assert list((await device.read()).values()) == list(FIRST.values())


async def test_a_device_without_read_property_multiple_can_be_described_too() -> None:
    with node_device(without="rpm") as served:
        described = await describe(served.address, INSTANCE)
        assert [one.name for one in described if one.name] == [
            "Room Temperature", "Power", "Fan", "Mode", "Setpoint", "Valve",
        ]  # fmt: skip
        with pytest.raises(OSError, match="no answer"):
            await describe(f"127.0.0.1:{free_udp_port()}", INSTANCE, limit=0.1)
