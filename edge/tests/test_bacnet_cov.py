"""COV against a device on another stack (Node's): subscribed, renewed, lost, refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from edge_support.bacnet import FIRST, NodeDevice, driver, fan_coil, node_device
from edge_support.waiting import stays, until
from ems_contract.points import Reason
from ems_edge.driver import PushingDevice
from ems_edge.drivers import bacnet_cov


@pytest.fixture(scope="module")
def shared() -> Iterator[NodeDevice]:
    with node_device() as started:
        yield started


@pytest.fixture
async def served(shared: NodeDevice) -> NodeDevice:
    """A device as nobody has touched it."""
    await shared.renew()
    return shared


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bacnet_cov, "RETRY", 0.2)


@pytest.mark.parametrize("confirmed", [True, False])
async def test_changes_are_told_and_a_read_asks_for_nothing(served: NodeDevice, confirmed: bool) -> None:
    async with driver() as made:
        device = fan_coil(made, served.address, interval=5.0, cov=True, cov_confirmed=confirmed)
        assert isinstance(device, PushingDevice)
        told: dict[str, Any] = {}
        device.watch(told.update)
        assert await device.read() == FIRST
        await until(lambda: told == FIRST, "the first notifications")
        await until(lambda: len(served.said("read")) == 2, "the increments to be learnt")
        await served.all_said()
        assert len(served.said("subscribed", confirmed=confirmed, lifetime=300)) == 6
        await served.order(set="analog-input,1", value=25.5)
        await until(lambda: told["room"] == 25.5, "the change")
        await served.order(flags="analog-input,2", value=[False, True, False, False])
        await until(lambda: told["power"] is Reason.NO_VALUE, "the fault")
        assert await device.read() == {**FIRST, "room": 25.5, "power": Reason.NO_VALUE}
        await served.all_said()
        assert len(served.said("read")) == 2  # what was told is believed
        if confirmed:
            await until(lambda: len(served.said("acknowledged")) == 8, "every notification to be acknowledged")


async def test_the_subscriptions_end_with_the_driver(served: NodeDevice) -> None:
    async with driver() as made:
        device = fan_coil(made, served.address, cov=True)
        device.watch(lambda _: None)
        await until(lambda: len(served.said("subscribed")) == 6, "the subscriptions")
        await device.read()
    await served.all_said()
    assert len(served.said("unsubscribed")) == 6


async def test_a_restarted_device_is_subscribed_to_again(served: NodeDevice) -> None:
    """It was away for a read: whoever did not answer may have forgotten us."""
    async with driver() as made:
        device = fan_coil(made, served.address, interval=0.1, cov=True, timeout=0.3)
        told: dict[str, Any] = {}
        device.watch(told.update)
        await until(lambda: told == FIRST, "the first notifications")
        served.stop()
        for _ in range(100):
            if set((await device.read()).values()) == {Reason.TIMEOUT}:
                break
            await asyncio.sleep(0.02)
        else:
            raise AssertionError("its silence was not noticed")
        said = len(served.events)
        served.start()
        await until(lambda: len(served.said("subscribed", since=said)) == 6, "the new subscriptions")
        await served.order(set="analog-input,1", value=18.0)
        await until(lambda: told["room"] == 18.0, "a change after the restart")


async def test_a_device_that_forgot_us_is_given_away_by_what_it_did_not_tell(served: NodeDevice) -> None:
    """It is read after two intervals without a word; a drift within the increment proves nothing, a change does."""
    async with driver() as made:
        device = fan_coil(made, served.address, interval=0.02, cov=True)
        told: dict[str, Any] = {}
        device.watch(told.update)
        await until(lambda: told == FIRST and len(device._increments) == 3, "the first notifications")
        await served.order(forget=True, set="analog-input,1", value=20.75)
        said = len(served.events)
        for _ in range(4):
            await asyncio.sleep(0.05)
            assert (await device.read())["room"] == 20.75
        await served.all_said()
        assert not served.said("subscribed", since=said)
        await served.order(set="analog-input,1", value=18.0)

        async def read_until_subscribed() -> None:
            while len(served.said("subscribed", since=said)) < 6:
                assert (await device.read())["room"] in (20.75, 18.0)
                await asyncio.sleep(0.05)

        await asyncio.wait_for(read_until_subscribed(), 10)
        assert (await device.read())["room"] == 18.0


async def test_a_subscription_is_renewed_before_its_lifetime_ends(
    served: NodeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bacnet_cov, "RENEWED_AT", 0.02)
    async with driver() as made:
        device = fan_coil(made, served.address, interval=60.0, cov=True, cov_lifetime=10)
        device.watch(lambda _: None)
        await until(lambda: len(served.said("subscribed", lifetime=10)) >= 12, "the subscriptions, and their renewal")


@pytest.mark.parametrize("without", ["cov", "cov,rpm"])
async def test_a_device_that_refuses_subscriptions_is_polled(without: str) -> None:
    with node_device(without=without) as served:
        async with driver() as made:
            device = fan_coil(made, served.address, interval=0.1, cov=True)
            told: list[Any] = []
            device.watch(told.append)
            assert await device.read() == FIRST
            await served.order(set="analog-input,1", value=18.0)
            assert (await device.read())["room"] == 18.0
            await stays(lambda: not told, "nothing is told", 0.1)


async def test_a_silent_device_has_no_value_though_it_told_one_before(served: NodeDevice) -> None:
    async with driver() as made:
        device = fan_coil(made, served.address, interval=0.2, cov=True, timeout=0.3)
        told: dict[str, Any] = {}
        device.watch(told.update)
        await until(lambda: told == FIRST, "the first notifications")
        await device.read()
        await served.order(silent=True)
        await asyncio.sleep(bacnet_cov.BELIEVED_INTERVALS * 0.2 + 0.05)  # two intervals: what it told is not believed
        assert set((await device.read()).values()) == {Reason.TIMEOUT}
        await served.order(silent=False)
        assert await device.read() == FIRST
