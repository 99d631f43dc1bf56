"""Values survive the way into registers and back."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from ems_contract.points import Kind
from ems_simulator.codec import NotEncodableError, decode, encode, quantize
from ems_simulator.registers import WIDTH, RegisterPoint, WordOrder, register_map
from ems_simulator.sites import DEVICES
from hypothesis import given
from hypothesis import strategies as st

ALL = [
    point for device in DEVICES if device.protocol == "modbus" for point in register_map(device.profile).points.values()
]
points = st.sampled_from(ALL)
orders = st.sampled_from(["big", "little"])


def limits(point: RegisterPoint) -> tuple[int, int]:
    bits = 16 * point.width
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if point.type.startswith("int") else (0, (1 << bits) - 1)


@given(points, orders, st.data())
def test_whatever_the_registers_can_carry_comes_back(
    point: RegisterPoint, order: WordOrder, data: st.DataObject
) -> None:
    if point.type == "float32":
        value = data.draw(st.floats(width=32, allow_nan=False, allow_infinity=False))
        assert decode(point, encode(point, value, order), order) == value
        return
    low, high = limits(point)
    raw = data.draw(st.integers(low, high))
    if raw % (1 << 16 * point.width) == point.sentinel:
        with pytest.raises(NotEncodableError):
            encode(point, raw * point.scale, order)
        return
    value = raw / round(1 / point.scale)
    words = encode(point, raw if point.scale == 1 else value, order)
    assert len(words) == WIDTH[point.type]
    assert decode(point, words, order) == value


@given(points, orders, st.floats(-60_000, 60_000))
def test_history_shows_what_a_reader_decodes(point: RegisterPoint, order: WordOrder, value: float) -> None:
    try:
        words = encode(point, value, order)
    except NotEncodableError:
        return
    assert quantize(point, np.array([value])).tolist() == [decode(point, words, order)]


def test_no_value_is_the_sentinel_and_comes_back_as_none() -> None:
    inverter, meter = register_map("stl_inverter").points, register_map("stl_meter").points
    assert encode(inverter["active_power"], None, "big") == (0x8000, 0)
    assert encode(inverter["temperature"], None, "big") == (0x8000,)
    assert encode(inverter["irradiance"], None, "big") == (0xFFFF,)
    assert decode(inverter["temperature"], [0x8000], "big") is None
    (nan,) = struct.unpack(">f", struct.pack(">2H", *encode(meter["active_power"], None, "big")))
    assert math.isnan(nan)
    assert decode(meter["active_power"], encode(meter["active_power"], None, "big"), "big") is None


def test_word_order_little_puts_the_least_significant_word_first() -> None:
    setpoint = register_map("stl_battery").points["power_setpoint"]
    assert encode(setpoint, 0x1234_5678, "big") == (0x1234, 0x5678)
    assert encode(setpoint, 0x1234_5678, "little") == (0x5678, 0x1234)
    assert encode(setpoint, -2, "little") == (0xFFFE, 0xFFFF)


def test_a_counter_beyond_what_a_float_can_count_is_exact() -> None:
    total = RegisterPoint("energy", 0, "uint64", "Wh", Kind.REGISTER)
    assert encode(total, (1 << 63) + 1, "big") == (0x8000, 0, 0, 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e300, 65_536, -1])
def test_what_does_not_fit_is_refused_with_the_range(value: float) -> None:
    with pytest.raises(NotEncodableError, match=r"status: .* does not fit uint16 .* send 0 to 65535"):
        encode(register_map("stl_hvac").points["status"], value, "big")


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e300])
def test_a_float_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(NotEncodableError, match="send a finite number"):
        encode(register_map("stl_meter").points["active_power"], value, "big")


def test_a_point_without_a_sentinel_cannot_say_no_value() -> None:
    with pytest.raises(NotEncodableError, match="no sentinel"):
        encode(register_map("stl_battery").points["active_power"], None, "little")
