"""Words become values and come back, for every type and order."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import pytest
from ems_contract.points import Reason
from ems_edge.decode import Block, Codec, Order, Scaling, Type, decode, encode
from hypothesis import example, given
from hypothesis import strategies as st

INTEGERS = {
    Type.INT16: (-(2**15), 2**15 - 1),
    Type.UINT16: (0, 2**16 - 1),
    Type.INT32: (-(2**31), 2**31 - 1),
    Type.UINT32: (0, 2**32 - 1),
    Type.INT64: (-(2**63), 2**63 - 1),
    Type.UINT64: (0, 2**64 - 1),
}
orders = st.sampled_from(Order)
scales = st.sampled_from([1.0, 0.1, 0.01, 0.001, 10.0, 1000.0, -1.0, 0.25, 1e-6])
EXACT = 2**53
"""A float holds every whole number up to here."""


@given(st.data(), st.sampled_from(list(INTEGERS)), orders, orders)
def test_every_whole_number_comes_back_in_every_order(
    data: st.DataObject, kind: Type, word: Order, byte: Order
) -> None:
    low, high = INTEGERS[kind]
    number = data.draw(st.integers(max(low, -EXACT), min(high, EXACT)))
    codec = Codec(kind, word_order=word, byte_order=byte)
    words = encode(number, codec)
    assert decode(words, codec) == number
    assert len(words) == codec.words


@given(st.data(), st.sampled_from(list(INTEGERS)), orders, orders, scales, st.sampled_from([0.0, -40.0, 273.15]))
def test_every_word_pattern_comes_back_from_its_scaled_value(
    data: st.DataObject, kind: Type, word: Order, byte: Order, scale: float, offset: float
) -> None:
    """Whatever a device sends, writing the value that was read writes the same words."""
    low, high = INTEGERS[kind]
    number = data.draw(st.integers(max(low, -(2**46)), min(high, 2**46)))
    plain, codec = Codec(kind, word, byte), Codec(kind, word, byte, scale=scale, offset=offset)
    words = encode(number, plain)
    value = decode(words, codec)
    assert isinstance(value, float)
    assert encode(value, codec) == words
    assert value == float(number * Fraction(repr(scale)) + Fraction(repr(offset)))


@given(st.integers(-(2**63), 2**64 - 1))
def test_numbers_beyond_what_a_float_holds_are_rounded_once(number: int) -> None:
    kind = Type.UINT64 if number >= 0 else Type.INT64
    words = list(struct.unpack(">4H", number.to_bytes(8, "big", signed=number < 0)))
    assert decode(words, Codec(kind)) == float(number)


@example(-0.0, Order.BIG, Order.BIG)
@given(st.floats(allow_nan=False, allow_infinity=False), orders, orders)
def test_float64_keeps_every_bit(number: float, word: Order, byte: Order) -> None:
    codec = Codec(Type.FLOAT64, word, byte)
    back = decode(encode(number, codec), codec)
    assert isinstance(back, float)
    assert struct.pack(">d", back) == struct.pack(">d", number)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), orders, orders)
def test_float32_keeps_every_bit(number: float, word: Order, byte: Order) -> None:
    codec = Codec(Type.FLOAT32, word, byte)
    assert decode(encode(number, codec), codec) == number


@given(st.integers(0, 15), st.integers(0, 0xFFFF), orders)
def test_a_bit_is_the_bit_of_the_register(bit: int, register: int, byte: Order) -> None:
    codec = Codec(Type.BIT, byte_order=byte, bit=bit)
    stored = int.from_bytes(register.to_bytes(2, "big"), byte.value)
    assert decode([stored], codec) == (register >> bit) & 1
    assert decode(encode(1, codec), codec) == 1
    assert decode(encode(0, codec), codec) == 0


@given(st.sets(st.integers(0, 0xFFFF), min_size=1, max_size=5), st.integers(0, 0xFFFF))
def test_an_enum_knows_only_its_states(states: set[int], number: int) -> None:
    codec = Codec(Type.ENUM, states=frozenset(states))
    value = decode([number], codec)
    assert value == (number if number in states else Reason.OUT_OF_RANGE)


@pytest.mark.parametrize("kind", [Type.UINT16, Type.INT32, Type.BIT])
def test_a_number_of_any_type_with_states_knows_only_those(kind: Type) -> None:
    codec = Codec(kind, states=frozenset({0, 5} if kind is not Type.BIT else {0}))
    assert decode(encode(0, codec), codec) == 0
    assert decode([0] * (codec.words - 1) + [1], codec) is Reason.OUT_OF_RANGE
    with pytest.raises(ValueError, match="none of the states"):
        encode(1, codec)


def test_the_word_order_says_which_word_comes_first() -> None:
    assert decode([0x0001, 0x0000], Codec(Type.UINT32, Order.BIG)) == 65536
    assert decode([0x0001, 0x0000], Codec(Type.UINT32, Order.LITTLE)) == 1
    assert decode([0x0100], Codec(Type.UINT16, byte_order=Order.LITTLE)) == 1


def test_a_tenth_is_a_tenth() -> None:
    assert decode([234], Codec(Type.UINT16, scale=0.1)) == 23.4
    assert decode([3], Codec(Type.UINT16, scale=0.1)) == 0.3


@pytest.mark.parametrize("sentinel", [0x8000, -32768])
def test_a_sentinel_may_be_written_as_the_manual_does(sentinel: int) -> None:
    codec = Codec(Type.INT16, scale=0.1, sentinels=(sentinel,))
    assert decode([0x8000], codec) is Reason.NO_VALUE
    assert decode([0x8001], codec) == -3276.7


def test_a_float_sentinel_and_nan_are_no_value() -> None:
    codec = Codec(Type.FLOAT32, sentinels=(-9999.0,))
    assert decode(encode(-9999.0, codec), codec) is Reason.NO_VALUE
    assert decode([0x7FC0, 0], codec) is Reason.NO_VALUE


def test_infinity_and_values_outside_the_limits_are_out_of_range() -> None:
    assert decode([0x7F80, 0], Codec(Type.FLOAT32)) is Reason.OUT_OF_RANGE
    assert decode([0xFF80, 0], Codec(Type.FLOAT32)) is Reason.OUT_OF_RANGE
    assert decode([101], Codec(Type.UINT16, minimum=0, maximum=100)) is Reason.OUT_OF_RANGE
    assert decode([100], Codec(Type.UINT16, minimum=0, maximum=100)) == 100
    assert decode([0xFFFF] * 4, Codec(Type.UINT64, scale=1e308)) is Reason.OUT_OF_RANGE


@given(st.lists(st.integers(-5, 70000), max_size=6), st.sampled_from(Type))
def test_nothing_that_a_device_sends_raises(words: list[int], kind: Type) -> None:
    value = decode(words, Codec(kind, states=frozenset({1})))
    assert isinstance(value, Reason) or math.isfinite(value)


codecs = st.builds(
    Codec,
    st.sampled_from(Type),
    orders,
    orders,
    st.integers(0, 15),
    scale=scales,
    offset=st.sampled_from([0.0, -40.0]),
    sentinels=st.sampled_from([(), (0,), (0x8000, 0xFFFF), (7.0,)]),
    states=st.sampled_from([frozenset({1, 7}), frozenset(range(0x8000))]),
    minimum=st.sampled_from([-math.inf, -100.0]),
    maximum=st.sampled_from([math.inf, 1e6]),
)


@given(st.lists(st.tuples(st.integers(0, 40), codecs), min_size=1, max_size=30), st.binary(min_size=88, max_size=88))
def test_a_block_decodes_each_point_as_if_it_were_alone(points: list[tuple[int, Codec]], data: bytes) -> None:
    """In whatever order, with holes, on top of one another."""
    places = [(str(number), start, codec) for number, (start, codec) in enumerate(points)]
    words = struct.unpack(">44H", data)
    alone = {name: decode(words[start : start + codec.words], codec) for name, start, codec in places}
    block = Block(places, 44)
    assert block.decode(data) == alone
    assert set(block.decode(data[:-2]).values()) == {Reason.GARBLED}


@given(
    st.one_of(st.integers(-(2**64), 2**64), st.floats()),
    scales,
    st.sampled_from([(), (5.0,)]),
    st.sampled_from([frozenset(), frozenset({1, 5})]),
)
def test_a_converter_answers_as_value_does(
    raw: int | float, scale: float, sentinels: tuple[float, ...], states: frozenset[int]
) -> None:
    scaling = Scaling(scale=scale, sentinels=sentinels, states=states, minimum=-1e9)
    assert scaling.converter()(raw) == scaling.value(raw)


@pytest.mark.parametrize("words", [[], [1], [1, 2, 3], [-1, 0], [70000, 0]])
def test_the_wrong_number_of_words_is_garbled(words: list[int]) -> None:
    assert decode(words, Codec(Type.UINT32)) is Reason.GARBLED


@pytest.mark.parametrize(
    ("value", "codec"),
    [
        (70000, Codec(Type.UINT16)),
        (-1, Codec(Type.UINT32)),
        (2**64, Codec(Type.UINT64)),
        (1e39, Codec(Type.FLOAT32)),
        (math.nan, Codec(Type.INT16)),
        (2, Codec(Type.BIT)),
        (7, Codec(Type.ENUM, states=frozenset({1, 2}))),
    ],
)
def test_what_a_type_cannot_hold_is_refused(value: float, codec: Codec) -> None:
    with pytest.raises(ValueError, match=r"not|hold|fit|none"):
        encode(value, codec)


@pytest.mark.parametrize(("scale", "offset"), [(0.0, 0.0), (math.inf, 0.0), (1.0, math.nan)])
def test_a_scale_that_makes_no_sense_is_refused(scale: float, offset: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Codec(Type.INT16, scale=scale, offset=offset)
