"""What raw registers look like, and what a profile should say instead."""

from __future__ import annotations

import math

import pytest
from ems_contract.points import Reason
from ems_edge.decode import Codec, Order, Type, decode, encode
from ems_edge.plausibility import corrections, describe, is_plausible, looks_like, style, survey, text_at, views
from hypothesis import given
from hypothesis import strategies as st

FLOAT = Codec(type=Type.FLOAT32)
ORDERS = [(word, byte) for word in Order for byte in Order]


@pytest.mark.parametrize(("word_order", "byte_order"), ORDERS)
@pytest.mark.parametrize("kind", [Type.FLOAT32, Type.FLOAT64])
def test_a_voltage_is_seen_in_every_order(kind: Type, word_order: Order, byte_order: Order) -> None:
    codec = Codec(type=kind, word_order=word_order, byte_order=byte_order)
    seen = [view for view in views(encode(230.1, codec)) if view.codec == codec]
    assert len(seen) == 1
    assert seen[0].guess is not None
    assert seen[0].guess.unit == "V"
    assert str(seen[0]) == f"{describe(codec)} 230.1 looks like a phase voltage (V)"


@pytest.mark.parametrize(
    ("value", "unit"), [(230.1, "V"), (400.0, "V"), (120.0, "V"), (49.98, "Hz"), (60.02, "Hz"), (1500.0, None)]
)
def test_only_what_is_typical_looks_like_something(value: float, unit: str | None) -> None:
    guess = looks_like(value)
    assert (guess.unit if guess else None) == unit


@pytest.mark.parametrize(
    ("value", "unit", "plausible"),
    [
        (0.0, "Hz", True),
        (49.9, "Hz", True),
        (4.99, "Hz", False),
        (2301.0, "V", False),
        (1e-38, "W", False),
        (3e30, "A", False),
        (-1500.0, "W", True),
        (1e30, "", True),
    ],
)
def test_a_value_is_plausible_within_what_a_site_has(value: float, unit: str, plausible: bool) -> None:
    assert is_plausible(value, unit) is plausible


@pytest.mark.parametrize(("word_order", "byte_order"), ORDERS[1:])
def test_the_wrong_order_is_corrected(word_order: Order, byte_order: Order) -> None:
    words = encode(230.1, Codec(type=Type.FLOAT32, word_order=word_order, byte_order=byte_order))
    best = corrections(words, FLOAT, "V")[0]
    assert best.value == pytest.approx(230.1)
    assert best.changes.get("word_order", "big") == word_order.value
    assert best.changes.get("byte_order", "big") == byte_order.value


def test_the_wrong_scale_and_the_wrong_type_are_corrected() -> None:
    assert str(corrections([2301], Codec(type=Type.UINT16), "V")[0]) == "scale: 0.1 would give 230.1"
    assert str(corrections([5003], Codec(type=Type.UINT16, scale=0.1), "Hz")[0]) == "scale: 0.01 would give 50.03"
    assert str(corrections([7330], Codec(type=Type.UINT16), "V")[0]) == "scale: 0.1 would give 733"
    words = encode(1500.25, FLOAT)
    assert str(corrections(words, Codec(type=Type.UINT32), "W")[0]) == "type: float32 would give 1500.25"


@given(st.lists(st.integers(0, 0xFFFF), min_size=2, max_size=2), st.sampled_from(["V", "Hz", "W", "A", "%", ""]))
def test_a_correction_gives_the_value_it_promises(words: list[int], unit: str) -> None:
    for correction in corrections(words, FLOAT, unit):
        changes = dict(correction.changes)
        codec = Codec(
            type=Type(changes.get("type", "float32")),
            word_order=Order(changes.get("word_order", "big")),
            byte_order=Order(changes.get("byte_order", "big")),
            scale=float(changes.get("scale", 1.0)),
        )
        assert decode(words, codec) == correction.value
        assert is_plausible(correction.value, unit)


@given(st.lists(st.integers(0, 0xFFFF), max_size=12))
def test_nothing_that_a_device_may_hold_breaks_the_survey(words: list[int]) -> None:
    for view in views(words):
        assert math.isfinite(view.value)
        assert decode(words[: view.codec.words], view.codec) == view.value
    told = survey(100, words, style({100: words}))
    assert all(100 <= address < 100 + len(words) for address in told)


def test_registers_are_read_as_most_of_them_are_kept() -> None:
    """A word in the middle of a float is not taken for a value of its own."""
    little = Codec(type=Type.FLOAT32, word_order=Order.LITTLE)
    words = [word for value in (230.1, 231.4, 229.8, 1500.0, 50.01) for word in encode(value, little)]
    found = style({7: words})
    assert found is not None
    assert (found.codec, found.phase, found.count) == (little, 1, 4)
    told = survey(7, words, found)
    assert list(told) == [7, 9, 11, 13, 15]
    assert told[13] == "float32 little-word 1500"
    assert told[15] == "float32 little-word 50.01 looks like a grid frequency (Hz)"


def test_a_map_of_whole_numbers_shows_its_scales() -> None:
    words = [2301, 2298, 2310, 152, 5001]
    told = survey(0, words, style({0: words}))
    assert told == {
        0: "uint16 x 0.1 230.1 looks like a phase voltage (V)",
        1: "uint16 x 0.1 229.8 looks like a phase voltage (V)",
        2: "uint16 x 0.1 231 looks like a phase voltage (V)",
        4: "uint16 x 0.01 50.01 looks like a grid frequency (Hz)",
    }


def test_a_name_is_text() -> None:
    words = [0x4541, 0x5354, 0x524F, 0x4E20, 0x5344, 0x4D00, 0x0000]
    assert text_at(words) == "EASTRON SDM"
    assert survey(0, words, None) == {0: "text 'EASTRON SDM'"}
    assert text_at([0x4359, 0x6362, 0x4799]) == ""


def test_no_number_is_no_view() -> None:
    assert decode([0x7FC0, 0], FLOAT) is Reason.NO_VALUE
    assert FLOAT not in [view.codec for view in views([0x7FC0, 0])]
