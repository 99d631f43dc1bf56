"""Devices that cannot do what others can: short messages, no long answers, answers that are none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from bacpypes3.apdu import AbortPDU, Error, ReadPropertyACK, ReadPropertyMultipleRequest
from bacpypes3.basetypes import Segmentation
from bacpypes3.constructeddata import Any as AnyValue
from bacpypes3.primitivedata import ObjectIdentifier, Real, Unsigned
from edge_support.bacnet import analog_device, driver, pointed
from ems_contract.points import Reason
from ems_edge.decode import Scaling
from ems_edge.drivers.bacnet_plan import OBJECT_TYPES, PRESENT_VALUE, ObjectSource
from ems_edge.drivers.bacnet_scan import _states, describe
from ems_edge.drivers.bacnet_wire import WiredApplication, socket_address

PLAIN = Scaling()
NO_SEGMENTS = Segmentation("no-segmentation")


def inputs(count: int) -> tuple[ObjectSource, ...]:
    return tuple(ObjectSource(f"input_{number}", (0, number), PRESENT_VALUE, PLAIN) for number in range(count))


def values(count: int) -> dict[str, float]:
    return {f"input_{number}": float(number) for number in range(count)}


class Counting(WiredApplication):
    """`asked` is how many objects each ReadPropertyMultiple asked for."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.asked: list[int] = []

    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: N802
        self.asked.append(len(apdu.listOfReadAccessSpecs))
        await super().do_ReadPropertyMultipleRequest(apdu)


class Boastful(Counting):
    """Says that it takes 1476 bytes, and has room for answers about three objects."""

    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: N802
        if len(apdu.listOfReadAccessSpecs) > 3:
            await self.response(AbortPDU(True, reason="buffer-overflow", context=apdu))
        else:
            await super().do_ReadPropertyMultipleRequest(apdu)


class Touchy(Counting):
    """Refuses a whole request for one object that it does not have, as some controllers do."""

    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: N802
        if any(one.objectIdentifier not in self.objectIdentifier for one in apdu.listOfReadAccessSpecs):
            service = ReadPropertyMultipleRequest.service_choice
            error = Error(service_choice=service, errorClass="object", errorCode="unknown-object", context=apdu)
            await self.response(error)
        else:
            await super().do_ReadPropertyMultipleRequest(apdu)


class Noisy(WiredApplication):
    """Answers ReadPropertyMultiple with bytes that mean nothing, after some that are no BACnet at all."""

    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: N802
        noise = bytes([0x01, 0x00, 0x30, apdu.apduInvokeID, 14]) + b"\xff" * 9
        there = socket_address(apdu.pduSource)
        for datagram in (b"", b"\x81", b"HTTP/1.1 400\r\n", b"\x81\x77\x00\x04", b"\x81\x0a\x00\x05\x09"):
            self.wire._transport.sendto(datagram, there)
        self.wire._transport.sendto(b"\x81\x0a" + (len(noise) + 4).to_bytes(2) + noise, there)


class Lying(WiredApplication):
    """Says of each property in `lies` what stands there, and of those in `instead` that it is another one."""

    def __init__(self, device: Any, lies: Mapping[int, Any], instead: Mapping[int, int]) -> None:
        super().__init__(device)
        self.lies = lies
        self.instead = instead

    async def do_ReadPropertyRequest(self, apdu: Any) -> None:  # noqa: N802
        asked = int(apdu.propertyIdentifier)
        if asked not in self.lies:
            await super().do_ReadPropertyRequest(apdu)
            return
        said = ReadPropertyACK(
            objectIdentifier=apdu.objectIdentifier,
            propertyIdentifier=self.instead.get(asked, asked),
            propertyValue=AnyValue(self.lies[asked]),
            context=apdu,
        )
        await self.response(said)


MAX_APDU, OBJECT_LIST = 62, 76


async def test_a_message_length_that_is_no_number_costs_nothing() -> None:
    lying = partial(Lying, lies={MAX_APDU: Real(math.nan)}, instead={})
    async with analog_device(2, lying) as (address, _), driver() as made:
        assert await pointed(made, address, *inputs(2), device=7).read() == values(2)


async def test_an_answer_to_another_question_is_garbled() -> None:
    mistaken = partial(Lying, lies={MAX_APDU: Unsigned(480)}, instead={MAX_APDU: 11})
    async with analog_device(2, mistaken) as (address, _), driver() as made:
        assert set((await pointed(made, address, *inputs(2), device=7).read()).values()) == {Reason.GARBLED}


async def test_objects_without_end_are_not_listed() -> None:
    class Endless(Lying):
        async def do_ReadPropertyRequest(self, apdu: Any) -> None:  # noqa: N802
            index = apdu.propertyArrayIndex
            if int(apdu.propertyIdentifier) == OBJECT_LIST and index is None:
                await self.response(AbortPDU(True, reason="buffer-overflow", context=apdu))
                return
            self.lies = {OBJECT_LIST: ObjectIdentifier(("analog-input", 0)) if index else Unsigned(4_000_000_000)}
            await super().do_ReadPropertyRequest(apdu)

    async with analog_device(1, partial(Endless, lies={}, instead={})) as (address, _):
        assert await describe(address, 7) == []


def test_states_without_end_are_not_named() -> None:
    assert len(_states(OBJECT_TYPES["multi-state-value"], {74: [4e9]})) == 256
    assert _states(OBJECT_TYPES["multi-state-value"], {74: [math.inf]}) == ("state 1",)


async def test_a_long_answer_comes_in_segments() -> None:
    async with analog_device(200, Counting) as (address, served), driver() as made:
        assert await pointed(made, address, *inputs(200), device=7).read() == values(200)
        assert len(served.asked) == 3
        assert served.asked[0] > 44  # more than one message of 1024 bytes could hold the answer to


async def test_a_device_with_short_messages_gets_short_requests() -> None:
    short = {"maxApduLengthAccepted": 206, "segmentationSupported": NO_SEGMENTS}
    async with analog_device(20, Counting, **short) as (address, served), driver() as made:
        assert await pointed(made, address, *inputs(20), device=7).read() == values(20)
        assert max(served.asked) <= 8
        assert sum(served.asked) == 20


async def test_a_device_that_promised_too_much_is_asked_for_less_from_then_on() -> None:
    about = {"maxApduLengthAccepted": 1476, "segmentationSupported": NO_SEGMENTS}
    async with analog_device(30, Boastful, **about) as (address, served), driver() as made:
        device = pointed(made, address, *inputs(30), device=7)
        assert await device.read() == values(30)
        served.asked.clear()
        assert await device.read() == values(30)
        assert sum(served.asked) == 30  # nothing was refused the second time


async def test_an_object_that_spoils_the_request_costs_only_itself() -> None:
    async with analog_device(5, Touchy) as (address, served), driver() as made:
        device = pointed(made, address, *inputs(6))
        expected = {**values(5), "input_5": Reason.DEVICE_EXCEPTION}
        assert await device.read() == expected
        served.asked.clear()
        assert await device.read() == expected
        assert served.asked == [5]  # the others share one request again


async def test_an_object_that_is_not_there_is_an_exception_of_its_own() -> None:
    async with analog_device(2) as (address, _), driver() as made:
        assert await pointed(made, address, *inputs(3)).read() == {**values(2), "input_2": Reason.DEVICE_EXCEPTION}


async def test_an_answer_that_cannot_be_read_is_garbled() -> None:
    async with analog_device(2, Noisy) as (address, _), driver() as made:
        read = await pointed(made, address, *inputs(2)).read()
        assert set(read.values()) == {Reason.GARBLED}
